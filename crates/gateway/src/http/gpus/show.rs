//! `GET /api/v1/gpus/{id}`: one resource.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use wire::{http::GpuJson, schema::Hash};

use crate::{GatewayError, http::path::Id, state::Shared};

/// Show a GPU
///
/// One listing as it is now.
#[utoipa::path(
    get,
    path = "/api/v1/gpus/{id}",
    tag = "gpus",
    params(("id" = Hash, Path, description = "The resource's id.")),
    responses((status = 200, description = "The listing.", body = GpuJson))
)]
pub(crate) async fn show(State(shared): State<Shared>, Id(id): Id) -> Result<Response, GatewayError> {
    let shown = shared.gpus();
    let entry = shown.get(id).ok_or_else(|| GatewayError::NotFound {
        what: format!("no resource {id} is listed in this market; GET /api/v1/gpus lists those that are"),
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], entry.json.clone()).into_response())
}
