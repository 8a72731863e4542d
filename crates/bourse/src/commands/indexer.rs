//! `bourse indexer …`.

mod rebuild;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// The rows that come from the chain.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Delete them and make them again from the chain. Sessions, receipts and measurements stay.
    Rebuild(rebuild::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Rebuild(args) => rebuild::rebuild(&args, settings, ui).await,
        }
    }
}
