//! Everything behind the Makefile: set-up, checks, tests, benches and the running example.
mod bench;
mod check;
mod codegen;
mod context;
mod corpus;
mod error;
mod process;
mod run;
mod setup;
mod steps;
mod test;
mod tidy;
mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use context::Context;
use error::Error;
use setup::Purpose;

/// Set-up, checks, tests, benches and the running example.
#[derive(Parser)]
#[command(name = "xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing for one purpose, saying in a line each what and why.
    Setup {
        #[arg(long = "for", value_enum, default_value_t = Purpose::Run)]
        purpose: Purpose,
    },
    /// Test the shape of the tree: layers, sizes, headers, words.
    Tidy,
    /// Write the generated files, or compare them.
    Codegen {
        /// Compare and fail on any difference instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Formatting, shape, lints, licences and generated files.
    Check,
    /// Every test of Rust and Solidity.
    Test,
    /// Measure, and print `bench: name=value unit` lines.
    Bench,
    /// Pack the sources of the workspace's own dependencies: real input for the example job.
    Corpus {
        #[arg(long, default_value = "target/corpus/sources.tar")]
        out: PathBuf,
    },
    /// Start a whole market on this machine and run the example jobs on it.
    Run {
        /// Stop after the jobs instead of serving until Ctrl-C.
        #[arg(long)]
        once: bool,
        /// Keep the market's state here; by default it starts afresh in .bourse/run.
        #[arg(long)]
        state: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match Context::new().and_then(|context| dispatch(&context, Cli::parse().command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::note(&format!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(context: &Context, command: Command) -> Result<(), Error> {
    match command {
        Command::Setup { purpose } => setup::setup(context, purpose),
        Command::Tidy => tidy::tidy(context),
        Command::Codegen { check } => codegen::codegen(context, check),
        Command::Check => check::check(context),
        Command::Test => test::test(context),
        Command::Bench => bench::bench(context),
        Command::Corpus { out } => corpus::pack(context, &out).map(drop),
        Command::Run { once, state } => run::run(context, once, state),
    }
}
