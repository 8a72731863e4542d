//! `bourse job …`: jobs as the gateway's index knows them, made here or elsewhere.

mod events;
mod list;

use std::process::ExitCode;

use alloy_primitives::B256;
use clap::Subcommand;
use market::JobId;
use renter::JobFiles;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// Jobs in the market's index.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List your wallet's jobs, wherever they were made.
    List(list::Args),
    /// Show what happened to a job: when, who, what, why.
    Events(events::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::List(args) => list::list(&args, settings, ui).await,
            Self::Events(args) => events::events(&args, settings, ui).await,
        }
    }
}

/// The job that is meant: a whole id, or the first digits of one that was made here.
pub(crate) fn named(text: &str, settings: &Settings) -> Result<JobId, Failure> {
    if let Ok(id) = text.parse::<B256>() {
        return Ok(JobId(id.0));
    }
    let unknown = |err| match err {
        renter::RenterError::UnknownJob(_) => Failure::Usage(format!(
            "no job that begins with {text} was made here; give the whole id of one that was made elsewhere"
        )),
        other => other.into(),
    };
    let files = JobFiles::open(&settings.home().join("renter/jobs"))?;
    Ok(files.find(text).map_err(unknown)?.id())
}
