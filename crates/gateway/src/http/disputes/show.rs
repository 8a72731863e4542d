//! `GET /api/v1/disputes/{id}`: one dispute, by its job.

use axum::{Json, extract::State};
use wire::http::DisputeJson;

use super::{shown, visible};
use crate::{GatewayError, auth::SignedIn, http::path::Id, state::Shared};

/// The dispute over a job, for its parties and operators.
#[utoipa::path(get, path = "/api/v1/disputes/{id}", tag = "disputes",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    security(("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The dispute.", body = DisputeJson)),
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
    Id(id): Id,
) -> Result<Json<DisputeJson>, GatewayError> {
    let (dispute, job) = visible(&shared, id, who).await?;
    Ok(Json(shown(&shared, dispute, &job)))
}
