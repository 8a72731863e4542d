//! `bourse stop JOB`.

use std::process::ExitCode;

use renter::Stopped;
use serde_json::json;

use crate::{
    answer::{self, Token},
    commands::status,
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job's id, or its first digits.
    #[arg(value_parser = answer::typed)]
    job: String,
}

pub(crate) async fn stop(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = super::run::renter(settings).await?;
    let job = renter.jobs().find(&args.job)?;
    let (before, id) = (renter.market().job(job.id()).await?, answer::job(job.id()));
    if before.status.is_over() {
        let (name, settled) = (status::name(before.status), status::open(&before));
        return Err(Failure::Usage(format!("job {id} is {name} already: nothing runs, and {settled}")));
    }
    let (how, mined) = renter.stop(&job).await?;
    let how = match how {
        Stopped::Cancelled => "cancelled before it ran",
        Stopped::Stopped => "stopped",
        Stopped::Closed => "closed: its provider kept only what was paid out",
    };
    let state = renter.market().job(job.id()).await?;
    let refunded = status::refunded(&mined.events);
    let token = Token::of(renter.market());
    let answer = json!({
        "job": job.id().to_string(), "how": how, "status": status::name(state.status),
        "refunded": refunded.to_string(), "tx": mined.tx.to_string(),
    });
    ui.answer(&answer, || {
        format!(
            "{} is {how}; {} came back (tx {})",
            answer::job(job.id()),
            token.show(refunded),
            answer::short(&mined.tx)
        )
    });
    Ok(ExitCode::SUCCESS)
}
