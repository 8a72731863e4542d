//! `POST /api/v1/jobs/{id}/ready`: the controller lets the clock start; the agent is told.

use alloy_primitives::{B256, aliases::U40};
use axum::{extract::State, http::StatusCode};
use market::JobId;
use tokio::time::timeout;
use wire::{Terms, WireError, http::ReadyBody, link::FromGateway, signed};

use crate::{
    GatewayError,
    http::{body::Json, path::Id},
    listings::chain_error,
    state::{Shared, now},
};

/// Let the clock start
///
/// 204 when the agent was told, 202 when it is away and will be told on its return. Saying it again is harmless.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/ready",
    tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job's id.")),
    request_body = ReadyBody,
    responses(
        (status = 204, description = "The agent was told."),
        (status = 202, description = "The agent is away and will be told on its return."),
        (status = 403, description = "Somebody else signed it, or too long ago."),
    ),
)]
pub(crate) async fn ready(
    State(shared): State<Shared>,
    Id(id): Id,
    Json(body): Json<ReadyBody>,
) -> Result<StatusCode, GatewayError> {
    let job = JobId(id.0);
    let parties = shared.feeds.parties(job).filter(|parties| parties.announced).ok_or_else(|| nobody(job))?;
    signed_by(&shared, job, &parties.terms, &body)?;
    about_now(&shared, &body).await?;
    let link = shared.feeds.keep_ready(job, body.clone(), now());
    let told = link.is_some_and(|link| shared.links.send(link, FromGateway::Ready { job: id, body }));
    tracing::debug!(%job, told, "the controller is ready");
    Ok(if told { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED })
}

fn nobody(job: JobId) -> GatewayError {
    GatewayError::NotFound {
        what: format!(
            "no agent serves job {job} through this gateway now; wait until the provider accepts it, or ask the \
             gateway that its agent is linked to"
        ),
    }
}

fn signed_by(shared: &Shared, job: JobId, terms: &Terms, body: &ReadyBody) -> Result<(), WireError> {
    let at = U40::saturating_from(body.at);
    let statement = signed::Ready { jobId: B256::from(job.0), readyRecord: body.ready_record, at };
    let domain = shared.market.domain();
    match domain.signer(&statement, &body.signature) {
        Some(signer) if signer == terms.renter || signer == terms.controller => Ok(()),
        other => Err(WireError::Signer {
            what: "Ready",
            found: other.map_or_else(|| "nobody (malformed)".into(), |signer| signer.to_string()),
            expected: format!("the renter {} or the controller {}", terms.renter, terms.controller),
        }),
    }
}

/// The contract compares with block time, which on a development chain may be far from this machine's clock: either
/// will do here. The chain is asked only for somebody who may sign.
async fn about_now(shared: &Shared, body: &ReadyBody) -> Result<(), GatewayError> {
    let Err(stale) = signed::fresh("Ready", body.at, now()) else {
        return Ok(());
    };
    let head = timeout(shared.limits.chain_within, shared.market.chain().head())
        .await
        .map_err(|_| GatewayError::Chain { reason: "no answer in time".into() })?
        .map_err(|error| chain_error(&error))?;
    signed::fresh("Ready", body.at, head.timestamp.0).map_err(|_| stale.into())
}
