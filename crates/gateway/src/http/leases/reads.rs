//! `GET /api/v1/x402/leases/{id}`, `/logs` and `/result`: for who shows the lease's capability.

use axum::{Json, extract::State, http::HeaderMap};
use market::JobId;
use wire::{
    http::{LeaseJson, LeaseResultJson, LogsJson},
    link::{LeaseAsk, LeaseReply},
};

use super::{ask, shown, view};
use crate::{
    GatewayError,
    config::LOG_LINES_MAX,
    http::{
        jobs::logs::{Wish, held},
        page::{Query, malformed},
        path::Id,
    },
    leases::Told,
    state::Shared,
};

/// Show a lease
///
/// As its agent tells of it now; as it told last where it does not answer.
#[utoipa::path(get, path = "/api/v1/x402/leases/{id}", tag = "jobs",
    security(("bearer" = [])),
    params(("id" = wire::schema::Hash, Path, description = "The lease's id.")),
    responses((status = 200, description = "Where it stands.", body = LeaseJson)),
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Json<LeaseJson>, GatewayError> {
    let told = shown(&shared, id, &headers)?;
    let told = match ask(&shared, told.agent, LeaseAsk::Look { lease: id }).await {
        Ok(LeaseReply::Taken { state, .. }) => Told { state, ..told },
        _ => told,
    };
    Ok(Json(view::lease(&shared, id, &told)))
}

/// Read a lease's log
#[utoipa::path(get, path = "/api/v1/x402/leases/{id}/logs", tag = "jobs",
    security(("bearer" = [])),
    params(("id" = wire::schema::Hash, Path, description = "The lease's id."), Wish),
    responses((status = 200, description = "Lines, oldest first.", body = LogsJson)),
)]
pub(crate) async fn logs(
    State(shared): State<Shared>,
    Id(id): Id,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Json<LogsJson>, GatewayError> {
    shown(&shared, id, &headers)?;
    let limit = wish.limit.unwrap_or(LOG_LINES_MAX);
    if !(1..=LOG_LINES_MAX).contains(&limit) {
        return Err(malformed("limit", format!("an answer has 1 to {LOG_LINES_MAX} lines")));
    }
    Ok(Json(held(&shared, JobId(id.0), wish.since.unwrap_or(0), limit)))
}

/// Read what a lease left
#[utoipa::path(get, path = "/api/v1/x402/leases/{id}/result", tag = "jobs",
    security(("bearer" = [])),
    params(("id" = wire::schema::Hash, Path, description = "The lease's id.")),
    responses(
        (status = 200, description = "How it ended, and what can be fetched from /ipfs.", body = LeaseResultJson),
        (status = 409, description = "It is not over."),
    ),
)]
pub(crate) async fn result(
    State(shared): State<Shared>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Json<LeaseResultJson>, GatewayError> {
    let told = shown(&shared, id, &headers)?;
    let Some(record) = &told.state.record else {
        return Err(GatewayError::Conflict { what: "the lease is not over; ask again when it is".into() });
    };
    Ok(Json(LeaseResultJson::of(id, record)))
}
