//! `bourse image …`.

mod ls;
mod push;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// Images as content.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring an image into blocks and publish it.
    Push(push::Args),
    /// List the images brought into blocks here.
    Ls,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Push(args) => push::push(&args, settings, ui).await,
            Self::Ls => ls::ls(settings, ui).await,
        }
    }
}
