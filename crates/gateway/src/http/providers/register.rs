//! `POST /api/v1/providers/register`: the transactions that list a machine.

use alloy_primitives::Address;
use axum::{Json, extract::State};
use chain::{Listing, calls};
use market::PerHour;
use store::ResourceRow;
use tokio::time::timeout;
use wire::{
    details,
    http::{RegisterBody, UnsignedTx},
};

use crate::{
    GatewayError,
    auth::ByWallet,
    config::MODEL_BYTES_MAX,
    http::{body, page::malformed},
    listings::chain_error,
    state::Shared,
};

/// List a machine
///
/// Answers with the transactions that the owner signs and sends, in order: registers who is no provider yet, and lists
/// the machine. For a machine that is listed already they are those that bring its price and its offer up to date,
/// perhaps none.
#[utoipa::path(
    post,
    path = "/api/v1/providers/register",
    tag = "providers",
    request_body = RegisterBody,
    responses(
        (status = 200, description = "What to sign, in order.", body = Vec<UnsignedTx>),
        (status = 409, description = "The owner has another agent, or the key is listed with other hardware."),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub(crate) async fn register(
    State(shared): State<Shared>,
    ByWallet(owner): ByWallet,
    body::Json(body): body::Json<RegisterBody>,
) -> Result<Json<Vec<UnsignedTx>>, GatewayError> {
    let listing = listing(&shared, &body)?;
    let provider = provider_of(&shared, owner).await?;
    let id = shared.market.resource_id(owner, body.key);
    let listed = shared.store.resource(id).await?;
    let mut steps = Vec::new();
    match &provider {
        None => steps.push((
            calls::register_provider(body.agent, body.payout.unwrap_or(Address::ZERO)),
            format!("Registers {owner} as a provider whose jobs {} runs.", body.agent),
        )),
        Some(provider) => is_agent(provider, body.agent)?,
    }
    let bad_price = |error: chain::ChainError| malformed("pricePerHour", error.to_string());
    match listed {
        None => {
            let does = format!("Lists {} as resource {id}.", body.hardware.model);
            steps.push((
                calls::register_resource(&listing).map_err(|error| malformed("body", error.to_string()))?,
                does,
            ));
        }
        Some(row) => {
            is_same(&row, &listing)?;
            if row.price != listing.price {
                let does = format!("Sets the price of an hour of resource {id} to {} smallest units.", listing.price.0);
                steps.push((calls::update_pricing(id, listing.price).map_err(bad_price)?, does));
            }
            if !row.available {
                steps.push((calls::update_availability(id, true), format!("Offers resource {id}.")));
            }
        }
    }
    Ok(Json(steps.into_iter().map(|(data, does)| super::unsigned(&shared, owner, data, does)).collect()))
}

fn listing(shared: &Shared, body: &RegisterBody) -> Result<Listing, GatewayError> {
    let model = &body.hardware.model;
    if model.trim().is_empty() || model.len() > MODEL_BYTES_MAX || model.chars().any(char::is_control) {
        return Err(malformed("hardware.model", format!("a name has 1 to {MODEL_BYTES_MAX} bytes without controls")));
    }
    let region = body.location.as_deref().unwrap_or_default();
    if !region.is_empty() {
        details::check_region(region).map_err(|error| malformed("location", error.to_string()))?;
    }
    let price = body.price_per_hour.amount(shared.market.token(), shared.market.decimals())?;
    Ok(Listing {
        key: body.key,
        price: PerHour(price.0),
        hardware: (&body.hardware).into(),
        details: details::write(&[(details::REGION, region)]),
    })
}

/// The number and the agent of an owner's provider. The chain is asked: the index may be a moment behind it, and who
/// registers twice pays for a transaction that fails.
async fn provider_of(shared: &Shared, owner: Address) -> Result<Option<(u32, Address)>, GatewayError> {
    let found = async {
        match shared.market.provider_of(owner).await? {
            Some(number) => Ok(Some((number, shared.market.provider(number).await?.agent))),
            None => Ok(None),
        }
    };
    let found = timeout(shared.limits.chain_within, found).await;
    found.map_err(|_| GatewayError::Chain { reason: "no answer in time".into() })?.map_err(|error| chain_error(&error))
}

fn is_agent((number, named): &(u32, Address), agent: Address) -> Result<(), GatewayError> {
    if *named == agent {
        return Ok(());
    }
    let what = format!(
        "provider {number} has the agent {named}, not {agent}; name that one, or change it on chain first (setAgent)"
    );
    Err(GatewayError::Conflict { what })
}

fn is_same(row: &ResourceRow, listing: &Listing) -> Result<(), GatewayError> {
    if row.hardware == listing.hardware {
        return Ok(());
    }
    let what = format!(
        "the key is listed as {:?} with other figures; take another key for another machine",
        row.hardware.model
    );
    Err(GatewayError::Conflict { what })
}
