//! Being there while a job runs: every step shown, beats counted, Ctrl-C understood.

use renter::{Ending, JobFile, Renter, Until};
use tokio_util::sync::CancellationToken;
use wire::JobSpec;

use super::show::Screen;
use crate::{answer::Token, failure::Failure, ui::Ui};

/// Follows a job and acts for its renter. The first Ctrl-C stops the job, the second leaves it alone with its provider.
pub(crate) async fn attend(
    renter: &Renter,
    job: &JobFile,
    spec: &JobSpec,
    until: Until,
    (ui, stop): (&Ui, &CancellationToken),
) -> Result<Ending, Failure> {
    let mut screen = Screen::new(ui, Token::of(renter.market()));
    let mut on = |update| screen.update(update);
    let follow = renter.follow(job, spec, until, true, &mut on);
    tokio::pin!(follow);
    tokio::select! {
        ending = &mut follow => return Ok(ending?),
        () = stop.cancelled() => {}
    }
    ui.note("stopping the job; Ctrl-C once more leaves it running without you");
    if let Err(err) = renter.stop(job).await {
        ui.warn(format_args!("it could not be stopped: {err}"));
    }
    Ok(follow.await?)
}
