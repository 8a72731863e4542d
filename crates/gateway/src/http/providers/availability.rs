//! `PATCH /api/v1/providers/{id}/availability`: the transaction that offers a listing, or takes it back.

use axum::{Json, extract::State};
use chain::calls;
use wire::http::{AvailabilityBody, UnsignedTx};

use crate::{
    GatewayError,
    auth::ByWallet,
    http::{body, openapi::ProviderName, path::ProviderId},
    state::Shared,
};

/// Offer a listing or take it back
///
/// Answers with the transaction that the provider's owner signs and sends; nothing changes before that.
#[utoipa::path(
    patch,
    path = "/api/v1/providers/{id}/availability",
    tag = "providers",
    params(("id" = ProviderName, Path, description = "Number, or address of owner or agent.")),
    request_body = AvailabilityBody,
    responses((status = 200, description = "What to sign.", body = UnsignedTx)),
    security(("bearer" = []), ("session" = []))
)]
pub(crate) async fn availability(
    State(shared): State<Shared>,
    id: ProviderId,
    ByWallet(who): ByWallet,
    body::Json(body): body::Json<AvailabilityBody>,
) -> Result<Json<UnsignedTx>, GatewayError> {
    let provider = super::owned(&shared, id, who).await?;
    let listing = super::listing(&shared, &provider, body.resource_id).await?;
    let does = if body.available { "Offers" } else { "No longer offers" };
    let does = format!("{does} resource {}.", body.resource_id);
    Ok(Json(super::unsigned(&shared, who, calls::update_availability(listing.id, body.available), does)))
}
