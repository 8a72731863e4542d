//! Who rents out.

pub(crate) mod availability;
pub(crate) mod available;
pub(crate) mod check_new;
pub(crate) mod earnings;
pub(crate) mod metrics;
pub(crate) mod price;
pub(crate) mod register;
pub(crate) mod show;
pub(crate) mod stake;

use alloy_primitives::{Address, B256, Bytes};
use store::{ProviderRow, ResourceRow};
use wire::http::{ProviderJson, UnsignedTx};

use super::path::ProviderId;
use crate::{
    GatewayError,
    board::{Shown, time},
    config::PROVIDER_RESOURCES_MAX,
    state::{Shared, now},
};

/// The provider that a path names.
async fn named(shared: &Shared, id: ProviderId) -> Result<ProviderRow, GatewayError> {
    let (found, name) = match id {
        ProviderId::Number(number) => (shared.store.provider(number).await?, number.to_string()),
        ProviderId::Address(address) => (shared.store.provider_by(address).await?, address.to_string()),
    };
    found.ok_or_else(|| GatewayError::NotFound {
        what: format!(
            "no provider {name} is registered in this market; one that has just registered is here within a block"
        ),
    })
}

/// The provider that a path names, if `who` is its owner.
async fn owned(shared: &Shared, id: ProviderId, who: Address) -> Result<ProviderRow, GatewayError> {
    let provider = named(shared, id).await?;
    if provider.owner == who {
        return Ok(provider);
    }
    let reason = format!("only {} may, who owns provider {}", provider.owner, provider.id);
    Err(GatewayError::Forbidden { who, reason })
}

/// One of the provider's listings.
async fn listing(shared: &Shared, provider: &ProviderRow, id: B256) -> Result<ResourceRow, GatewayError> {
    let found = shared.store.resource(market::ResourceId(id.0)).await?;
    found.filter(|row| row.provider == provider.id).ok_or_else(|| GatewayError::NotFound {
        what: format!(
            "provider {} lists no resource {id}; GET /api/v1/providers/{} says which",
            provider.id, provider.id
        ),
    })
}

/// A call that `from` signs and sends himself.
fn unsigned(shared: &Shared, from: Address, data: Bytes, does: String) -> UnsignedTx {
    let chain_id = shared.market.domain().chain_id;
    UnsignedTx { chain_id, from, to: shared.market.address(), data, value: "0".into(), does }
}

/// Providers as everybody sees them.
fn shown(shared: &Shared, shown: &Shown, row: &ProviderRow) -> ProviderJson {
    let facts = shared.facts(row, now());
    ProviderJson {
        id: row.id.to_string(),
        owner: row.owner,
        agent: row.agent,
        payout: row.payout,
        status: facts.status,
        seen_at: facts.seen_at.map(time),
        uptime_bps: facts.uptime_bps,
        registered_at: time(row.registered_at.0),
        resources: shown.of(row.id).take(PROVIDER_RESOURCES_MAX).map(|entry| entry.gpu.clone()).collect(),
        jobs_started: row.jobs_started,
        jobs_succeeded: row.jobs_succeeded,
    }
}
