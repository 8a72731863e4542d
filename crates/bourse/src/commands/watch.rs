//! `bourse watch JOB`: being there again for a job that was left alone.

use std::{path::PathBuf, process::ExitCode};

use renter::{Acting, JobFile, Renter, Until};
use wire::JobSpec;

use super::run::{
    self,
    attend::{self, Attendance, Interrupt},
    settle,
};
use crate::{answer, failure::Failure, settings::Settings, signals, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job's id, or its first digits.
    #[arg(value_parser = answer::typed)]
    job: String,
    /// Where the result is written [default: result-JOB].
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) async fn watch(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = run::renter(settings).await?;
    let job = renter.jobs().find(&args.job)?;
    let spec = spec(&renter, &job, settings).await?;
    let stop = signals::shutdown()?;
    let ended = async {
        let attendance = Attendance { until: Until::Settled, acting: Acting::Fully, interrupt: Interrupt::Leaves };
        let attended = attend::attend(&renter, &job, &spec, attendance, (ui, &stop)).await?;
        let Some(ending) = attended else {
            let watched = if job.is_watched() { "its watcher goes on" } else { "nobody watches it now" };
            ui.note(format_args!("left it running; {watched}, and `bourse stop` ends it"));
            return Ok(ExitCode::SUCCESS);
        };
        let wish = settle::Wish { output: args.output.clone(), ..settle::Wish::default() };
        settle::settled(&renter, job.id(), &ending, &wish, (settings, ui)).await
    };
    ended.await.map_err(Failure::with_job(&answer::handle(job.id())))
}

/// The spec that the job is bound to, from the renter's own blocks or from the gateway.
async fn spec(renter: &Renter, job: &JobFile, settings: &Settings) -> Result<JobSpec, Failure> {
    let store = run::open_store(settings).await?;
    renter.fetch(&store, &job.spec, None, renter.patience(), |_| {}).await?;
    let bytes =
        content::read_small(&store, &wire::spec::cid("spec", &job.spec)?, wire::spec::JOB_SPEC_BYTES_MAX as u64)?;
    Ok(JobSpec::parse(&bytes)?)
}
