//! `GET /api/v1/jobs/{id}`.

use axum::{Json, extract::State};
use wire::{HardwareJson, http::JobJson};

use super::{found, progress, view};
use crate::{GatewayError, auth::Caller, http::path::Id, state::Shared};

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
    Ok(Json(JobJson { progress_pct: progress(&shared, &row, who).await?, ..job }))
}
