//! `bourse result JOB`: how a job ended and what it left, whenever that is wanted.

use std::{path::PathBuf, process::ExitCode};

use super::run::{self, settle};
use crate::{answer, failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job's id, or its first digits.
    #[arg(value_parser = answer::typed)]
    job: String,
    /// Where the result is written [default: result-JOB].
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) async fn result(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = run::reader(settings).await?;
    let job = renter.jobs().find(&args.job)?;
    let ending = renter.settled_record(&job, renter.patience()).await?;
    let wish = settle::Wish { output: args.output.clone(), ..settle::Wish::default() };
    settle::settled(&renter, job.id(), &ending, &wish, (settings, ui)).await
}
