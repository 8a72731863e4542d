//! `GET /api/v1/jobs/{id}`.

use axum::{Json, extract::State};
use market::{Status, Timestamp};
use store::JobRow;
use wire::{
    HardwareJson,
    http::{JobJson, Runway},
};

use super::{found, progress, view};
use crate::{
    GatewayError,
    auth::Caller,
    http::path::Id,
    state::{Shared, now},
};

/// A job. How far its program is is told to its parties only: renter, controller, provider.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    security((), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The job.", body = JobJson)),
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    Caller(who): Caller,
    Id(id): Id,
) -> Result<Json<JobJson>, GatewayError> {
    let row = found(&shared, id).await?;
    let shown = shared.gpus();
    let hardware = match shown.get(view::resource(&row)) {
        Some(entry) => Some(entry.gpu.hardware.clone()),
        // The board may be a moment behind the index.
        None => shared.store.resource(row.terms.resource()).await?.map(|row| HardwareJson::from(&row.hardware)),
    };
    let job = view::job(&row, hardware.as_ref(), shared.market.token());
    let progress_pct = progress(&shared, &row, who).await?;
    Ok(Json(JobJson { progress_pct, runway: runway(&shared, &row), ..job }))
}

/// What is left of the money of a job whose clock runs.
fn runway(shared: &Shared, row: &JobRow) -> Option<Runway> {
    let head = shared.index.borrow().head.map(|head| head.at).unwrap_or_default();
    let status = view::status(row, None, head.max(Timestamp(now())), shared.market.token());
    (row.status == Status::Running).then(|| Runway::of(status.runway_s))
}
