//! What the chain says about resources: read in bounded bursts, believed for a moment.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use chain::{ChainError, Market, ResourceState};
use futures_util::{StreamExt, TryStreamExt, stream};
use market::ResourceId;
use tokio::{sync::Mutex, time::timeout};
use wire::http::GpuJson;

use crate::{GatewayError, config::Limits};

/// The chain's view of listings.
pub(crate) struct Listings {
    market: Market,
    fresh: Duration,
    within: Duration,
    reads: usize,
    /// Held over a whole burst: callers that come together share one.
    seen: Mutex<HashMap<ResourceId, Seen>>,
}

struct Seen {
    at: Instant,
    state: Option<ResourceState>,
}

impl Listings {
    pub(crate) fn new(market: Market, limits: &Limits) -> Self {
        Self {
            market,
            fresh: limits.listing_fresh,
            within: limits.chain_within,
            reads: limits.chain_reads,
            seen: Mutex::default(),
        }
    }

    /// The announced resources as the chain has them now: its price, its availability, whether a job holds them,
    /// whether they are pretended. What the chain does not know is left out.
    pub(crate) async fn joined(&self, announced: Vec<GpuJson>) -> Result<Vec<GpuJson>, GatewayError> {
        let ids: Vec<ResourceId> = announced.iter().map(|gpu| ResourceId(gpu.id.0)).collect();
        let states = timeout(self.within, self.states(&ids)).await.map_err(|_| self.late())??;
        let joined = announced.into_iter().zip(states).filter_map(|(gpu, state)| Some(join(gpu, &state?)));
        Ok(joined.collect())
    }

    /// Whether each resource is listed and `agent` is its provider's agent; else the reason and what to do.
    pub(crate) async fn check(&self, agent: Address, resources: &[GpuJson]) -> Result<(), String> {
        match timeout(self.within, self.claims(agent, resources)).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Err(chain_error(&error).to_string()),
            Err(_) => Err(self.late().to_string()),
        }
    }

    async fn states(&self, ids: &[ResourceId]) -> Result<Vec<Option<ResourceState>>, GatewayError> {
        let mut seen = self.seen.lock().await;
        seen.retain(|_, seen| seen.at.elapsed() < self.fresh);
        let at = Instant::now();
        let missing: Vec<ResourceId> = ids.iter().filter(|id| !seen.contains_key(id)).copied().collect();
        let read = |id| async move { Ok((id, self.market.resource(id).await?)) };
        let mut burst = stream::iter(missing.into_iter().map(read)).buffer_unordered(self.reads);
        while let Some((id, state)) = burst.try_next().await.map_err(|error: ChainError| chain_error(&error))? {
            seen.insert(id, Seen { at, state });
        }
        Ok(ids.iter().map(|id| seen.get(id).and_then(|seen| seen.state)).collect())
    }

    async fn claims(&self, agent: Address, resources: &[GpuJson]) -> Result<Result<(), String>, ChainError> {
        let read = |gpu: GpuJson| async move {
            let state = self.market.resource(ResourceId(gpu.id.0)).await?;
            Ok::<_, ChainError>((gpu, state))
        };
        let states: Vec<_> =
            stream::iter(resources.iter().cloned().map(read)).buffered(self.reads).try_collect().await?;
        let mut agents: HashMap<u32, Address> = HashMap::new();
        for (gpu, state) in states {
            let Some(state) = state else {
                return Ok(Err(format!("resource {} is not listed in this market; list it first", gpu.id)));
            };
            if state.simulated != gpu.hardware.simulated {
                let is = if state.simulated { "simulated" } else { "real" };
                return Ok(Err(format!("resource {} is listed as {is}; announce it so", gpu.id)));
            }
            let named = match agents.get(&state.provider_id) {
                Some(named) => *named,
                None => self.market.provider(state.provider_id).await?.agent,
            };
            agents.insert(state.provider_id, named);
            if named != agent {
                let id = gpu.id;
                return Ok(Err(format!("resource {id} belongs to a provider whose agent is {named}, not {agent}")));
            }
        }
        Ok(Ok(()))
    }

    fn late(&self) -> GatewayError {
        GatewayError::Chain { reason: format!("no answer within {} s", self.within.as_secs()) }
    }
}

fn join(gpu: GpuJson, state: &ResourceState) -> GpuJson {
    let mut hardware = gpu.hardware;
    hardware.simulated = state.simulated;
    GpuJson {
        hardware,
        price_per_hour: state.price.0.to_string(),
        available: state.available,
        busy: state.busy,
        id: gpu.id,
        agent: gpu.agent,
    }
}

pub(crate) fn chain_error(error: &ChainError) -> GatewayError {
    GatewayError::Chain { reason: error.to_string() }
}
