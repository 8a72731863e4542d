//! `bourse provider …`.

mod check;
mod run;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// The provider's side.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look whether this machine can provide; every finding with what to do.
    Check(check::Args),
    /// List this machine and run jobs until Ctrl-C.
    Run(run::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Check(args) => check::check(&args, settings, ui).await,
            Self::Run(args) => run::run(&args, settings, ui).await,
        }
    }
}
