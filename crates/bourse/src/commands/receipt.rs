//! `bourse receipt …`: what a market vouched for, kept and checked.

pub(crate) mod keep;
mod list;
mod show;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use content::Cid;
use market::JobId;
use renter::GatewayClient;
use wire::receipt::Receipt;

use super::job;
use crate::{failure::Failure, settings::Settings, ui::Ui};

/// Receipts: who agreed on what, when it ran, what was paid. See docs/receipts.md.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List receipts, of one job or of all.
    List(list::Args),
    /// Show a receipt, or write it to a file to keep.
    Show(show::Args),
    /// Check a receipt against the chain, line by line. Exit code 1 when a line does not hold.
    Verify(verify::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::List(args) => list::list(&args, settings, ui).await,
            Self::Show(args) => show::show(&args, settings, ui).await,
            Self::Verify(args) => verify::verify(&args, settings, ui).await,
        }
    }
}

/// Which receipt is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// The one with this content.
    Nid(String),
    /// The newest of this job.
    Job(JobId),
}

impl Named {
    /// Reads an NID, a job's id or the first digits of one that was made here.
    fn read(text: &str, settings: &Settings) -> Result<Self, Failure> {
        // A CID has a base's letter before it and never `0x`; the digits of a job are never a whole CID.
        match text.parse::<Cid>() {
            Ok(cid) => Ok(Self::Nid(cid.to_string())),
            Err(_) if text.strip_prefix("0x").unwrap_or(text).chars().all(|c| c.is_ascii_hexdigit()) => {
                Ok(Self::Job(job::named(text, settings)?))
            }
            Err(_) => Err(Failure::Usage(format!(
                "{text} is no file, no NID and no job: `bourse receipt list` shows what there is"
            ))),
        }
    }

    /// Asks the gateway for it. `None` where there is none yet.
    async fn fetch(&self, client: &GatewayClient) -> Result<Option<Receipt>, Failure> {
        let found = match self {
            Self::Nid(nid) => client.receipt(nid).await.map(Some),
            Self::Job(job) => client.receipts_of(*job).await.map(|mut receipts| receipts.pop()),
        };
        match found {
            Err(renter::RenterError::NotThere { .. }) => Ok(None),
            found => Ok(found?),
        }
    }

    /// What to say where there is none.
    fn missing(&self) -> Failure {
        Failure::Usage(match self {
            Self::Nid(nid) => {
                format!("the gateway has no receipt {nid}; `bourse receipt list` shows those that it has")
            }
            Self::Job(job) => format!(
                "the gateway has no receipt of job {job} yet: there is one once the job is final on chain; `receipt \
                 verify --wait 60` waits for it"
            ),
        })
    }
}
