//! Indexes a tar of source code on all granted cores: an inverted index with positions, the top
//! terms, exact and near duplicates, and the longest repeated passages. The output is the same,
//! byte for byte, whatever the number of threads, so that a renter can check a provider's work.
mod args;
mod build;
mod codec;
mod corpus;
mod duplicates;
mod error;
mod fingerprint;
mod hash;
mod index;
mod output;
mod parallel;
mod passages;
mod progress;
mod query;
mod words;

use std::io::Write;
use std::process::ExitCode;

use args::Command;
use error::Error;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be told when standard error itself is gone.
            let _ = writeln!(std::io::stderr().lock(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run() -> Result<(), Error> {
    match args::parse(std::env::args().skip(1))? {
        Command::Build(options) => output::produce(&options),
        Command::Query(options) => query::print(&options, &mut std::io::stdout().lock()),
        Command::Help => {
            let mut out = std::io::stdout().lock();
            out.write_all(args::USAGE.as_bytes()).map_err(Error::Stdout)
        }
    }
}
