//! What becomes due after a job's end: its settlement for good, and disputes.

use chain::{Account, ChainError, Mined};
use market::{
    Amount, JobId, Status,
    rules::{ANSWER_WITHIN, DISPUTE_WINDOW},
};
use wire::Terms;

use crate::{JobFiles, RenterError};

/// Jobs that are looked through for what is due: the newest; older ones were settled by others, or long ago.
const LOOKED_AT_MAX: usize = 64;

/// Settles for good those jobs that anybody may: ended longer than the dispute window ago, or disputed and left without a
/// verdict. Gives those that this call settled.
pub(crate) async fn due(account: &Account, jobs: &JobFiles) -> Result<Vec<JobId>, RenterError> {
    let market = account.market();
    let now = market.chain().head().await?.timestamp;
    let mut settled = Vec::new();
    for job in jobs.list()?.into_iter().take(LOOKED_AT_MAX) {
        let (id, terms) = (job.id(), job.terms()?);
        let state = market.job(id).await?;
        let done = match state.status {
            Status::Ended if now > state.since.after(DISPUTE_WINDOW) => {
                account.finalize(std::slice::from_ref(&terms)).await
            }
            Status::Disputed if now > state.since.after(ANSWER_WITHIN) => account.settle_dispute(&terms).await,
            _ => continue,
        };
        match done {
            Ok(_) => settled.push(id),
            // Somebody was faster, or the chain's clock is behind: either way nothing is lost.
            Err(ChainError::Reverted(revert)) => tracing::debug!(job = %id, %revert, "not settled here"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(settled)
}

/// Opens a dispute, as renter or provider, with an allowance for the largest bond that it can cost.
pub async fn dispute(account: &Account, terms: &Terms, reason: &str) -> Result<Mined, RenterError> {
    let market = account.market();
    let state = market.job(market.job_id(terms)).await?;
    let most: Amount = market::bond(terms.stream(state.extra, state.fee).locked(), market.min_bond().await?);
    if market.allowance(account.address()).await? < most {
        account.approve(most).await?;
    }
    Ok(account.dispute_job(terms, reason).await?)
}
