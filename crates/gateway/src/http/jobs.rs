//! Jobs: reading them, and what their parties say: create, start, stop.

pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod metrics;
mod query;
pub(crate) mod ready;
pub(crate) mod result;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod terms;
pub(crate) mod view;

use alloy_primitives::{Address, B256};
use chain::ChainError;
use market::JobId;
use store::JobRow;
use tokio::time::timeout;

pub(crate) use query::JobQuery;

use crate::{GatewayError, auth::is_party, state::Shared};

/// The job that is asked for.
pub(crate) async fn found(shared: &Shared, id: B256) -> Result<JobRow, GatewayError> {
    let row = shared.store.job(JobId(id.0)).await?;
    row.ok_or_else(|| GatewayError::NotFound {
        what: format!(
            "there is no job {id} in this market; one that was created a moment ago appears with the next block, and \
             GET /api/v1/jobs lists all"
        ),
    })
}

/// How far the program says it is, for who may know.
async fn progress(shared: &Shared, row: &JobRow, who: Option<Address>) -> Result<Option<u8>, GatewayError> {
    let (Some(who), Some(percent)) = (who, shared.feeds.progress(row.id)) else {
        return Ok(None);
    };
    let provider = shared.store.provider(row.provider).await?;
    let may = provider.is_some_and(|provider| is_party(row, &provider, who));
    Ok(may.then_some(percent))
}

/// Asks the chain, with a limit.
pub(crate) async fn ask<T>(
    shared: &Shared,
    read: impl Future<Output = Result<T, ChainError>>,
) -> Result<T, GatewayError> {
    let within = shared.limits.chain_within;
    let late = |_| GatewayError::Chain { reason: format!("no answer within {} s", within.as_secs()) };
    let answer = timeout(within, read).await.map_err(late)?;
    answer.map_err(|error| GatewayError::Chain { reason: error.to_string() })
}
