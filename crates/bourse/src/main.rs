//! `bourse`: every role of the exchange in one program. This file parses, builds settings and calls one function.

mod answer;
mod commands;
mod failure;
mod keys;
mod operator;
mod settings;
mod signals;
mod table;
mod telemetry;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::{commands::Command, settings::Settings, ui::Ui};

/// Rent a GPU from anyone, pay for it by the second, keep a receipt that nobody can forge.
///
/// The answer goes to standard output, everything else to standard error;
/// --json makes the answer one JSON line. Exit codes:
///   0 done
///   1 failed
///   2 wrong usage
///   3 the job ran but did not succeed
///   4 refused before money moved
///   5 the job never ran and its money is back
#[derive(Debug, Parser)]
#[command(name = "bourse", version, max_term_width = 100, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => return usage(&err),
    };
    let ui = Ui::new(cli.settings.json);
    telemetry::start(cli.settings.verbose);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(err) => return ui.fail(&failure::Failure::from(err)),
    };
    match runtime.block_on(cli.command.run(&cli.settings, &ui)) {
        Ok(code) => code,
        Err(failure) => ui.fail(&failure),
    }
}

/// A call that cannot be understood. Programs that asked for JSON get their one line all the same.
fn usage(err: &clap::Error) -> ExitCode {
    // Nothing better is left to do when even this cannot be printed.
    drop(err.print());
    if err.use_stderr() && std::env::args().any(|word| word == "--json") {
        let text = err.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        Ui::new(true).answer(&serde_json::json!({ "error": text }), String::new);
    }
    ExitCode::from(u8::try_from(err.exit_code()).unwrap_or(2))
}
