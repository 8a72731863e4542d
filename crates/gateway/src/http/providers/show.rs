//! `GET /api/v1/providers/{id}`: one provider.

use axum::{Json, extract::State};
use wire::http::ProviderJson;

use crate::{
    GatewayError,
    http::{openapi::ProviderName, path::ProviderId},
    state::Shared,
};

/// Show a provider
///
/// By its number, or by the address of its owner or its agent.
#[utoipa::path(
    get,
    path = "/api/v1/providers/{id}",
    tag = "providers",
    params(("id" = ProviderName, Path, description = "Number, or address of owner or agent.")),
    responses((status = 200, description = "The provider with what it lists.", body = ProviderJson))
)]
pub(crate) async fn show(State(shared): State<Shared>, id: ProviderId) -> Result<Json<ProviderJson>, GatewayError> {
    let row = super::named(&shared, id).await?;
    Ok(Json(super::shown(&shared, &shared.gpus(), &row)))
}
