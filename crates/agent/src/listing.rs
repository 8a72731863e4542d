//! The machine's listing on chain: made, found again, and brought up to date.

use alloy_primitives::Address;
use chain::{Account, Listing, Market, SendConfig};
use market::{Amount, Hardware, ResourceId};

use crate::probe::Machine;
use crate::{AgentConfig, AgentError};

/// Providers that are looked through for one that names this agent.
const PROVIDERS_MAX: u32 = 100_000;

/// The resource that this machine is. With the owner's key it is listed, and its price and agent are brought up to
/// date; without, somebody must have listed it for this agent.
pub(crate) async fn ensure(
    config: &AgentConfig,
    market: &Market,
    account: &Account,
    machine: &Machine,
) -> Result<ResourceId, AgentError> {
    let agent = account.address();
    let resource = match &config.owner {
        Some(owner) => {
            let owner = Account::new(market.clone(), owner.clone(), SendConfig::default());
            list(config, &owner, agent, machine).await?
        }
        None => find(market, agent, machine).await?.ok_or(AgentError::NotListed { agent })?,
    };
    let listed = market.resource(resource).await?.ok_or(AgentError::NotListed { agent })?;
    if let (Some(wanted), Some(owner)) = (config.stake, &config.owner) {
        let owner = Account::new(market.clone(), owner.clone(), SendConfig::default());
        stake(&owner, resource, wanted, listed.stake).await?;
    }
    if !listed.available {
        account.update_availability(resource, true).await?;
    }
    tracing::info!(%resource, model = %machine.hardware.model, "listed");
    Ok(resource)
}

/// What the machine is announced as: what its listing says, which never changes. A disk that has filled since then is no
/// other machine; what is not there when a job comes is that job's refusal.
pub(crate) async fn as_listed(
    market: &Market,
    resource: ResourceId,
    config: &AgentConfig,
    measured: Hardware,
) -> Result<Hardware, AgentError> {
    let Some(Listing { hardware, details, .. }) = market.listing(resource, config.deployed_at).await? else {
        return Ok(measured);
    };
    let listed = wire::details::region(&details);
    if config.region.is_some() && config.region.as_deref() != listed {
        tracing::warn!(
            listed = listed.unwrap_or("none"),
            wished = config.region,
            "a listing never changes, and this machine was listed with another region: that one stays"
        );
    }
    if hardware != measured {
        tracing::warn!(?hardware, ?measured, "the machine is not what was listed; the listing is what is offered");
    }
    Ok(hardware)
}

async fn list(
    config: &AgentConfig,
    owner: &Account,
    agent: Address,
    machine: &Machine,
) -> Result<ResourceId, AgentError> {
    let market = owner.market();
    match market.provider_of(owner.address()).await? {
        None => drop(owner.register_provider(agent, Address::ZERO).await?),
        Some(id) if market.provider(id).await?.agent != agent => drop(owner.set_agent(agent).await?),
        Some(_) => {}
    }
    let resource = market.resource_id(owner.address(), machine.key);
    match market.resource(resource).await? {
        None => {
            let listing = Listing {
                key: machine.key,
                price: config.price_per_hour,
                hardware: machine.hardware.clone(),
                details: details(config, machine),
            };
            owner.register_resource(&listing).await?;
        }
        Some(listed) if listed.price != config.price_per_hour => {
            owner.update_pricing(resource, config.price_per_hour).await?;
        }
        Some(_) => {}
    }
    Ok(resource)
}

/// Brings the stake up to `wanted`; what is there already stays. Stake vouches for pay: with the price of an hour it comes
/// at once, without any an hour late.
async fn stake(owner: &Account, resource: ResourceId, wanted: Amount, staked: Amount) -> Result<(), AgentError> {
    let missing = wanted.saturating_sub(staked);
    if missing == Amount::ZERO {
        return Ok(());
    }
    if owner.market().allowance(owner.address()).await? < missing {
        owner.approve(missing).await?;
    }
    owner.stake(resource, missing).await?;
    tracing::info!(%resource, staked = %wanted, "stake was put down");
    Ok(())
}

/// What is said of the machine beside its figures.
fn details(config: &AgentConfig, machine: &Machine) -> String {
    let region = config.region.as_deref().unwrap_or_default();
    wire::details::write(&[(wire::details::REGION, region), (wire::details::DRIVER, &machine.driver)])
}

async fn find(market: &Market, agent: Address, machine: &Machine) -> Result<Option<ResourceId>, AgentError> {
    // Ids are given one after the other from 1.
    for id in 1..PROVIDERS_MAX {
        let provider = market.provider(id).await?;
        if provider.owner == Address::ZERO {
            return Ok(None);
        }
        if provider.agent != agent {
            continue;
        }
        let resource = market.resource_id(provider.owner, machine.key);
        if market.resource(resource).await?.is_some() {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}
