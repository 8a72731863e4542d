//! `PATCH /api/v1/providers/{id}/price`: the transaction that sets the price of a listing.

use axum::{Json, extract::State};
use chain::calls;
use market::PerHour;
use wire::http::{PriceBody, UnsignedTx};

use crate::{
    GatewayError,
    auth::ByWallet,
    http::{body, openapi::ProviderName, page::malformed, path::ProviderId},
    state::Shared,
};

/// Set a listing's price
///
/// Answers with the transaction that the provider's owner signs and sends; nothing changes before that, and jobs that
/// are agreed keep their price.
#[utoipa::path(
    patch,
    path = "/api/v1/providers/{id}/price",
    tag = "providers",
    params(("id" = ProviderName, Path, description = "Number, or address of owner or agent.")),
    request_body = PriceBody,
    responses((status = 200, description = "What to sign.", body = UnsignedTx)),
    security(("bearer" = []), ("session" = []))
)]
pub(crate) async fn price(
    State(shared): State<Shared>,
    id: ProviderId,
    ByWallet(who): ByWallet,
    body::Json(body): body::Json<PriceBody>,
) -> Result<Json<UnsignedTx>, GatewayError> {
    let provider = super::owned(&shared, id, who).await?;
    let listing = super::listing(&shared, &provider, body.resource_id).await?;
    let price = body.price_per_hour.amount(shared.market.token(), shared.market.decimals())?;
    let data = calls::update_pricing(listing.id, PerHour(price.0))
        .map_err(|error| malformed("pricePerHour", error.to_string()))?;
    let does = format!("Sets the price of an hour of resource {} to {} smallest units.", body.resource_id, price.0);
    Ok(Json(super::unsigned(&shared, who, data, does)))
}
