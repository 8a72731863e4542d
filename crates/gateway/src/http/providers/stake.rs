//! `GET` and `POST /api/v1/providers/{id}/stake`, `POST …/unstake`: what a provider stands for its jobs with.

use alloy_primitives::B256;
use axum::{Json, extract::State};
use chain::calls;
use market::{Amount, Seconds, rules};
use store::ResourceRow;
use wire::http::{CallsJson, Money, ResourceStakeJson, StakeBody, StakeJson};

use super::{listing, named, owned};
use crate::{
    GatewayError,
    auth::ByWallet,
    board::time,
    config::PROVIDER_RESOURCES_MAX,
    http::{body, disputes::prepared, openapi::ProviderName, page::malformed, path::ProviderId},
    state::Shared,
};

/// A provider's stake, resource by resource. As much of it as is free when a job is accepted lets that job be paid at once;
/// what is not covered is paid an hour late.
#[utoipa::path(get, path = "/api/v1/providers/{id}/stake", tag = "providers",
    params(("id" = ProviderName, Path, description = "The provider's number, or its owner's or agent's address.")),
    responses((status = 200, description = "What stands behind each resource.", body = StakeJson)),
)]
pub(crate) async fn show(State(shared): State<Shared>, id: ProviderId) -> Result<Json<StakeJson>, GatewayError> {
    let provider = named(&shared, id).await?;
    let token = shared.market.token();
    let ids: Vec<B256> = shared.gpus().of(provider.id).take(PROVIDER_RESOURCES_MAX).map(|entry| entry.gpu.id).collect();
    let mut resources = Vec::with_capacity(ids.len());
    for id in ids {
        let row = shared.store.resource(market::ResourceId(id.0)).await?;
        resources.extend(row.map(|row| shown(&row, token)));
    }
    Ok(Json(StakeJson { provider: provider.id.to_string(), resources }))
}

fn shown(row: &ResourceRow, token: alloy_primitives::Address) -> ResourceStakeJson {
    let money = |amount| Money::new(amount, token);
    let free = row.stake.saturating_sub(row.tied).saturating_sub(row.unbonding).saturating_sub(row.contested);
    ResourceStakeJson {
        resource_id: B256::from(row.id.0),
        stake: money(row.stake),
        tied: money(row.tied),
        free: money(free),
        unbonding: money(row.unbonding),
        available_at: row.unbonded_at.filter(|_| row.unbonding > Amount::ZERO).map(|at| time(at.0)),
        contested: money(row.contested),
        cover_s: covered(row, free).0,
    }
}

/// How much of a job's time free stake vouches for, at most the whole window.
fn covered(row: &ResourceRow, free: Amount) -> Seconds {
    row.price.vouched(free, rules::DISPUTE_WINDOW)
}

/// The calls that put down stake, for the owner's wallet: leave to take it, then the stake.
#[utoipa::path(post, path = "/api/v1/providers/{id}/stake", tag = "providers",
    params(("id" = ProviderName, Path, description = "The provider's number, or its owner's or agent's address.")),
    request_body = StakeBody,
    security(("bearer" = []), ("session" = [])),
    responses((status = 200, description = "What to sign and send, in order.", body = CallsJson)),
)]
pub(crate) async fn stake(
    State(shared): State<Shared>,
    ByWallet(who): ByWallet,
    id: ProviderId,
    body::Json(body): body::Json<StakeBody>,
) -> Result<Json<CallsJson>, GatewayError> {
    let (row, amount) = asked(&shared, id, who, &body).await?;
    let (token, market) = (shared.market.token(), shared.market.address());
    let call = calls::stake::stake(market, row.id, amount).map_err(too_much)?;
    let allow = format!("lets the market take {}", show_amount(&shared, amount));
    let does = format!("puts down {}; it takes fourteen days to come back", show_amount(&shared, amount));
    let calls = vec![
        prepared(&shared, who, calls::erc20::approve(token, market, amount), allow),
        prepared(&shared, who, call, does.clone()),
    ];
    Ok(Json(CallsJson { does, moves: Some(Money::new(amount, token)), calls }))
}

/// The call that asks free stake back, for the owner's wallet. Fourteen days later it can be withdrawn.
#[utoipa::path(post, path = "/api/v1/providers/{id}/unstake", tag = "providers",
    params(("id" = ProviderName, Path, description = "The provider's number, or its owner's or agent's address.")),
    request_body = StakeBody,
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What to sign and send.", body = CallsJson),
        (status = 409, description = "So much is not free."),
    ),
)]
pub(crate) async fn unstake(
    State(shared): State<Shared>,
    ByWallet(who): ByWallet,
    id: ProviderId,
    body::Json(body): body::Json<StakeBody>,
) -> Result<Json<CallsJson>, GatewayError> {
    let (row, amount) = asked(&shared, id, who, &body).await?;
    let state = shown(&row, shared.market.token());
    let free = state.free.amount.parse().map_or(Amount::ZERO, Amount);
    if amount > free {
        let what = format!(
            "of this stake {} is free: the rest covers jobs that are not settled, is on its way out or contested",
            show_amount(&shared, free)
        );
        return Err(GatewayError::Conflict { what });
    }
    let call = calls::stake::unstake(shared.market.address(), row.id, amount).map_err(too_much)?;
    let does = format!("asks {} back: it can be withdrawn after fourteen days", show_amount(&shared, amount));
    let calls = vec![prepared(&shared, who, call, does.clone())];
    Ok(Json(CallsJson { does, moves: None, calls }))
}

/// The resource and the amount that the provider's owner means.
async fn asked(
    shared: &Shared,
    id: ProviderId,
    who: alloy_primitives::Address,
    body: &StakeBody,
) -> Result<(ResourceRow, Amount), GatewayError> {
    let provider = owned(shared, id, who).await?;
    let row = listing(shared, &provider, body.resource_id).await?;
    let amount = body.amount.amount(shared.market.token(), shared.market.decimals())?;
    if amount == Amount::ZERO {
        return Err(malformed("amount", "nothing moves nothing; name an amount"));
    }
    Ok((row, amount))
}

fn too_much(_: chain::ChainError) -> GatewayError {
    malformed("amount", "is more than the market can hold for one resource")
}

fn show_amount(shared: &Shared, amount: Amount) -> String {
    format!("{} {}", amount.in_tokens(shared.market.decimals()), shared.market.symbol())
}
