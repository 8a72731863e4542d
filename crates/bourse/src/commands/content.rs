//! `bourse content …`.

mod add;
mod get;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// Files and folders as content.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring a file or folder into blocks and publish it: public for ever.
    Add(add::Args),
    /// Fetch content by its name, every block verified.
    Get(get::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Add(args) => add::add(&args, settings, ui).await,
            Self::Get(args) => get::get(&args, settings, ui).await,
        }
    }
}
