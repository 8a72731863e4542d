//! Being there while a job runs: every step shown, beats counted, Ctrl-C understood.

use renter::{Acting, Ending, JobFile, Renter, Until};
use tokio_util::sync::CancellationToken;
use wire::JobSpec;

use super::show::Screen;
use crate::{answer::Token, failure::Failure, ui::Ui};

/// What Ctrl-C means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// Stop the job.
    Stops,
    /// Leave it running without its renter.
    Leaves,
}

/// What a person does who is there for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attendance {
    /// How far he stays.
    pub(crate) until: Until,
    /// What he does.
    pub(crate) acting: Acting,
    /// What Ctrl-C means.
    pub(crate) interrupt: Interrupt,
}

/// Follows a job and acts for its renter. `None` when it was left.
pub(crate) async fn attend(
    renter: &Renter,
    job: &JobFile,
    spec: &JobSpec,
    Attendance { until, acting, interrupt }: Attendance,
    (ui, stop): (&Ui, &CancellationToken),
) -> Result<Option<Ending>, Failure> {
    let terms = job.terms()?;
    let state = renter.market().job(job.id()).await?;
    let mut screen = Screen::new(ui, Token::of(renter.market()), terms.stream(state.extra, state.fee));
    let mut on = |update| screen.update(update);
    let follow = renter.follow(job, spec, until, acting, &mut on);
    tokio::pin!(follow);
    tokio::select! {
        ending = &mut follow => return Ok(Some(ending?)),
        () = stop.cancelled() => {}
    }
    if interrupt == Interrupt::Leaves {
        return Ok(None);
    }
    ui.note("stopping the job; Ctrl-C once more does not wait for its end");
    if let Err(err) = renter.stop(job).await {
        ui.warn(format_args!("it could not be stopped: {err}"));
    }
    Ok(Some(follow.await?))
}
