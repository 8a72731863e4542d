//! `GET /api/v1/jobs/timeline/{jobId}`: the receipts of a job, oldest first.

use alloy_primitives::B256;
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use wire::{http::Page, receipt::Receipt};

use super::{found, nid, record, told};
use crate::{
    GatewayError,
    auth::Headers,
    http::{jobs, page::malformed},
    state::Shared,
};

/// The receipts of a job, oldest first, each with the link at which anybody can look at its verification. The job is
/// named by its id or by the NID of any of its receipts.
#[utoipa::path(get, path = "/api/v1/jobs/timeline/{jobId}", tag = "receipts",
    params(("jobId" = String, Path, description = "The job's id, or the NID of one of its receipts.")),
    responses((status = 200, description = "Its receipts, oldest first; none before its events are final.", body = Page<Receipt>)),
)]
pub(crate) async fn timeline(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Page<Receipt>>, GatewayError> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let job = if let Some(id) = id(&name) {
        jobs::found(&shared, id).await?.id
    } else if let Some(nid) = nid(&name) {
        found(&shared, &nid).await?.job
    } else {
        return Err(malformed("jobId", "give a job's id, 0x and 64 hexadecimal digits, or the NID of a receipt"));
    };
    let spoken = record(&shared, job).await?;
    let rows = shared.store.receipts_of(job).await?;
    let items = rows.into_iter().map(|row| told(&shared, &headers, row, spoken.clone()));
    Ok(Json(Page { items: items.collect::<Result<_, _>>()?, next_cursor: None }))
}

fn id(name: &str) -> Option<B256> {
    name.starts_with("0x").then(|| name.parse().ok()).flatten()
}
