//! `bourse status JOB`: the job as the chain knows it.

use std::process::ExitCode;

use chain::{JobState, MarketEvent};
use market::{
    Amount, Clock, Outcome, Status, Timestamp,
    rules::{ANSWER_WITHIN, DISPUTE_WINDOW},
};
use serde_json::json;

use crate::{
    answer::{self, Token},
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

pub(crate) async fn status(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = super::run::reader(settings).await?;
    let job = renter.jobs().find(&args.job)?;
    let (market, terms) = (renter.market(), job.terms()?);
    let state = market.job(job.id()).await?;
    let now = market.chain().head().await?.timestamp;
    let stream = terms.stream(state.extra, state.fee);
    let seconds = clock(&state).seconds(now, stream.duration);
    let token = Token::of(market);
    let answer = json!({
        "job": job.id().to_string(),
        "status": name(state.status),
        "outcome": outcome(state.outcome),
        "resource": terms.resource().to_string(),
        "seconds": seconds.0,
        "earned": stream.earned(seconds).to_string(),
        "locked": stream.locked().to_string(),
        "coverSeconds": state.cover.0,
        "paidSeconds": state.paid.0,
        "disputableUntil": (state.status == Status::Ended).then(|| answer::when(until(&state))),
        "token": market.token().to_string(),
        "spec": job.spec,
    });
    ui.answer(&answer, || {
        let ended = if state.outcome == Outcome::None { String::new() } else { format!(" ({})", outcome(state.outcome)) };
        let open = if state.status.is_over() { format!("; {}", open(&state)) } else { String::new() };
        format!(
            "job       {}\nstatus    {}{ended}{open}\nresource  {}\nclock     {seconds} of {}\npaid for  {}, of the seconds since then the stake covers {}\n\
             earned    {} of {} locked\nspec      {}",
            job.id(),
            name(state.status),
            terms.resource(),
            stream.duration,
            state.paid,
            state.cover,
            token.show(stream.earned(seconds)),
            token.show(stream.locked()),
            job.spec,
        )
    });
    Ok(ExitCode::SUCCESS)
}

/// The clock of a job as the chain keeps it.
pub(crate) fn clock(state: &JobState) -> Clock {
    Clock { started_at: state.started_at, ended_at: state.ended_at, paused: state.paused }
}

/// What can still happen to the money of a job that is over.
pub(crate) fn open(state: &JobState) -> String {
    match state.status {
        Status::Ended => format!("either side may dispute it until {}", answer::when(until(state))),
        Status::Disputed => format!(
            "a judge decides; anybody may settle it half and half from {}",
            answer::when(state.since.after(ANSWER_WITHIN))
        ),
        _ => "its money is settled".to_owned(),
    }
}

/// Until when a job that ended may be disputed.
pub(crate) fn until(state: &JobState) -> Timestamp {
    state.since.after(DISPUTE_WINDOW)
}

/// A status as it is written everywhere.
pub(crate) fn name(status: Status) -> &'static str {
    match status {
        Status::None => "unknown",
        Status::Created => "created",
        Status::Accepted => "accepted",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Silent => "silent",
        Status::Ended => "ended",
        Status::Disputed => "disputed",
        Status::Final => "final",
        Status::Cancelled => "cancelled",
    }
}

/// An outcome as it is written everywhere.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::None => "none",
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::StoppedByRenter => "stoppedByRenter",
        Outcome::AbortedByProvider => "abortedByProvider",
        Outcome::Silent => "silent",
        Outcome::Disputed => "disputed",
    }
}

/// What a transaction brought back to the renter.
pub(crate) fn refunded(events: &[MarketEvent]) -> Amount {
    events.iter().fold(Amount::ZERO, |sum, event| match event {
        MarketEvent::JobEnded { refunded, .. }
        | MarketEvent::JobCancelled { refunded, .. }
        | MarketEvent::JobDeclined { refunded, .. }
        | MarketEvent::DisputeResolved { returned: refunded, .. } => sum.saturating_add(*refunded),
        _ => sum,
    })
}
