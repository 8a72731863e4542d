//! `GET /api/v1/jobs/{id}/metrics`: what the job's container used in the last hour.

use axum::{Json, extract::State};
use market::JobId;
use wire::http::{JobMetricsPoint, Page};

use crate::{
    GatewayError,
    auth::{SignedIn, job_of_party},
    http::path::Id,
    state::Shared,
};

/// Read what a job uses
///
/// For the job's parties: what its agent measured in the last hour, as far as this gateway heard it.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/metrics",
    tag = "jobs",
    security(("bearer" = []), ("session" = [])),
    params(("id" = wire::schema::Hash, Path, description = "The job's id.")),
    responses((status = 200, description = "Measurements, oldest first.", body = Page<JobMetricsPoint>)),
)]
pub(crate) async fn metrics(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
    Id(id): Id,
) -> Result<Json<Page<JobMetricsPoint>>, GatewayError> {
    let job = job_of_party(&shared, JobId(id.0), who).await?.id;
    Ok(Json(Page { items: shared.gauges.job(job), next_cursor: None }))
}
