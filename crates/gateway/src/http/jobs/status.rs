//! `GET /api/v1/jobs/{id}/status`: where a job and its money stand, in few bytes.

use axum::{Json, extract::State};
use market::{Status, Timestamp};
use store::JobRow;
use wire::http::JobStatusJson;

use super::{found, progress, view};
use crate::{
    GatewayError,
    auth::Caller,
    http::path::Id,
    state::{Shared, now},
};

/// Where a job and its money stand, for who asks often.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/status", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    security((), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "Status, seconds on the clock and what they cost.", body = JobStatusJson)),
)]
pub(crate) async fn status(
    State(shared): State<Shared>,
    Caller(who): Caller,
    Id(id): Id,
) -> Result<Json<JobStatusJson>, GatewayError> {
    let row = found(&shared, id).await?;
    let stands = stands(&shared, &row).await?;
    // Block time, which may be ahead of this machine's on a development chain, and behind it between two blocks.
    let head = shared.index.borrow().head.map(|head| head.at).unwrap_or_default();
    let status = view::status(&row, stands, head.max(Timestamp(now())), shared.market.token());
    Ok(Json(JobStatusJson { progress_pct: progress(&shared, &row, who).await?, ..status }))
}

/// Where the clock of a silent job stands, as the report said.
pub(crate) async fn stands(shared: &Shared, row: &JobRow) -> Result<Option<Timestamp>, GatewayError> {
    if row.status != Status::Silent {
        return Ok(None);
    }
    let events = shared.store.job_events(row.id).await?;
    let report = events.iter().rev().find(|event| event.kind == "JobSilent");
    let stands = report.and_then(|event| event.detail.get("clockStandsAt"));
    Ok(stands.and_then(view::seconds).map(Timestamp))
}
