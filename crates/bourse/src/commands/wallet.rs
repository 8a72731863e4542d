//! `bourse wallet …`.

mod balance;
mod new;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// The wallet that pays.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what the wallet holds.
    Balance,
    /// Make a new wallet as an encrypted keystore file.
    New,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Balance => balance::balance(settings, ui).await,
            Self::New => new::new(settings, ui),
        }
    }
}
