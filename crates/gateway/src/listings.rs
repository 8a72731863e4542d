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
use wire::{HardwareJson, http::GpuJson};

use crate::{GatewayError, config::Limits};

/// The chain's view of listings.
pub(crate) struct Listings {
    market: Market,
    /// Where looking for listings begins.
    from_block: u64,
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
    pub(crate) fn new(market: Market, from_block: u64, limits: &Limits) -> Self {
        Self {
            market,
            from_block,
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

    /// Whether each resource is listed, with the hardware that is announced, and `agent` is its provider's agent; else
    /// the reason and what to do.
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
            let id = ResourceId(gpu.id.0);
            let state = self.market.resource(id).await?;
            let listing = match state {
                Some(_) => self.market.listing(id, self.from_block).await?,
                None => None,
            };
            Ok::<_, ChainError>((gpu, state, listing))
        };
        let states: Vec<_> =
            stream::iter(resources.iter().cloned().map(read)).buffered(self.reads).try_collect().await?;
        let mut agents: HashMap<u32, Address> = HashMap::new();
        for (gpu, state, listing) in states {
            let Some(state) = state else {
                return Ok(Err(format!("resource {} is not listed in this market; list it first", gpu.id)));
            };
            if state.simulated != gpu.hardware.simulated {
                let is = if state.simulated { "simulated" } else { "real" };
                return Ok(Err(format!("resource {} is listed as {is}; announce it so", gpu.id)));
            }
            let Some(listing) = listing else {
                let from = self.from_block;
                return Ok(Err(format!(
                    "the listing of resource {} is not in the log from block {from} on; this gateway must look earlier",
                    gpu.id
                )));
            };
            let listed = HardwareJson::from(&listing.hardware);
            if let Some(what) = difference(&listed, &gpu.hardware) {
                return Ok(Err(format!("resource {} is listed with {what}; announce it so, or list it anew", gpu.id)));
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

/// The first field in which the announced hardware is not the listed one.
fn difference(listed: &HardwareJson, announced: &HardwareJson) -> Option<String> {
    let HardwareJson { model, gpus, vram_mib, cpus, memory_mib, disk_mib, simulated } = listed;
    let fields = [
        ("model", model.clone(), announced.model.clone()),
        ("gpus", gpus.to_string(), announced.gpus.to_string()),
        ("vramMib", vram_mib.to_string(), announced.vram_mib.to_string()),
        ("cpus", cpus.to_string(), announced.cpus.to_string()),
        ("memoryMib", memory_mib.to_string(), announced.memory_mib.to_string()),
        ("diskMib", disk_mib.to_string(), announced.disk_mib.to_string()),
        ("simulated", simulated.to_string(), announced.simulated.to_string()),
    ];
    let differs = fields.into_iter().find(|(_, listed, announced)| listed != announced);
    differs.map(|(name, listed, announced)| format!("{name} {listed:?}, not {announced:?}"))
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
