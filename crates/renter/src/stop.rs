//! Ending a job in the way that costs its renter least.

use chain::{Account, ChainError, MarketRevert, Mined};
use market::Status;

use crate::{JobFile, RenterError};

/// What ended a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was cancelled before its clock ran: the whole lock is back.
    Cancelled,
    /// Its clock was stopped: the seconds up to now are paid.
    Stopped,
    /// It was closed past a deadline of its provider's, who keeps only what is due to one that went away.
    Closed,
}

/// Cancels what has not started; else closes what the chain lets anyone close, and stops what it does not.
///
/// Whether a deadline has passed is the contract's to say: it knows the time of the block that will hold the answer.
pub(crate) async fn stop(account: &Account, job: &JobFile) -> Result<(Stopped, Mined), RenterError> {
    let terms = job.terms()?;
    let status = account.market().job(job.id()).await?.status;
    if matches!(status, Status::Created | Status::Accepted) {
        match account.cancel_job(&terms).await {
            // The provider was faster and the clock runs.
            Err(ChainError::Reverted(MarketRevert::WrongStatus { .. })) => {}
            cancelled => return Ok((Stopped::Cancelled, cancelled?)),
        }
    }
    match account.close_job(&terms).await {
        Err(ChainError::Reverted(MarketRevert::TooEarly(_))) => {}
        closed => return Ok((Stopped::Closed, closed?)),
    }
    Ok((Stopped::Stopped, account.stop_job(&terms).await?))
}
