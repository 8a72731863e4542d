//! `GET /api/v1/gpus/{id}`: one resource.

use axum::{Json, extract::State};
use wire::http::GpuJson;

use crate::{GatewayError, http::path::Id, state::Shared};

/// The resource as the chain has it now, when a connected agent offers it.
pub(crate) async fn show(State(shared): State<Shared>, Id(id): Id) -> Result<Json<GpuJson>, GatewayError> {
    let announced = super::announced(&shared).into_iter().filter(|gpu| gpu.id == id).collect();
    let found = shared.listings.joined(announced).await?.pop();
    found.map(Json).ok_or_else(|| GatewayError::NotFound {
        what: format!("no connected agent offers resource {id} now; GET /api/v1/gpus lists those that are offered"),
    })
}
