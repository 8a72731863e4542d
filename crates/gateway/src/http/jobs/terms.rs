//! `GET /api/v1/jobs/{id}/terms`: what was agreed. The job's id is its hash.

use axum::{Json, extract::State};
use wire::TermsJson;

use super::found;
use crate::{GatewayError, http::path::Id, state::Shared};

/// What was agreed. Chain, market and these terms make the job's id.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/terms", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    responses((status = 200, description = "The terms.", body = TermsJson)),
)]
pub(crate) async fn terms(State(shared): State<Shared>, Id(id): Id) -> Result<Json<TermsJson>, GatewayError> {
    Ok(Json(TermsJson::from(&found(&shared, id).await?.terms)))
}
