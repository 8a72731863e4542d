//! `POST /api/v1/x402/leases/{id}/stop`: ends the program now.

use axum::{Json, extract::State, http::HeaderMap};
use wire::{
    http::LeaseJson,
    link::{LeaseAsk, LeaseReply},
};

use super::{ask, pay::unexpected, shown, view};
use crate::{GatewayError, http::path::Id, leases::Told, state::Shared};

/// Stop a lease
///
/// The clock stands at once. What is paid and was not served goes back with the refund of the channel, which its agent
/// makes by itself when no lease uses it for a while, or which the payer asks for.
#[utoipa::path(post, path = "/api/v1/x402/leases/{id}/stop", tag = "jobs",
    security(("bearer" = [])),
    params(("id" = wire::schema::Hash, Path, description = "The lease's id.")),
    responses(
        (status = 200, description = "It is being stopped, or is over.", body = LeaseJson),
        (status = 503, description = "Its agent does not answer; without ticks it stops by itself."),
    ),
)]
pub(crate) async fn stop(
    State(shared): State<Shared>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Json<LeaseJson>, GatewayError> {
    let told = shown(&shared, id, &headers)?;
    match ask(&shared, told.agent, LeaseAsk::Stop { lease: id }).await? {
        LeaseReply::Taken { state, .. } => Ok(Json(view::lease(&shared, id, &Told { state, ..told }))),
        LeaseReply::Refused { reason, .. } => Err(GatewayError::Conflict { what: reason }),
        _ => Err(unexpected()),
    }
}
