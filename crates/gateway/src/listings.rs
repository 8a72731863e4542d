//! What the chain says about the resources that an agent announces.

use std::{collections::BTreeMap, time::Duration};

use alloy_primitives::Address;
use chain::{ChainError, Market};
use futures_util::{StreamExt, TryStreamExt, stream};
use market::ResourceId;
use tokio::time::timeout;
use wire::{HardwareJson, link::Announced};

use crate::{GatewayError, config::Limits};

/// The chain's view of listings, asked whenever an agent says hello: the index may be a moment behind a provider that
/// has just listed its machine.
pub(crate) struct Listings {
    market: Market,
    /// Where looking for listings begins.
    from_block: u64,
    within: Duration,
    reads: usize,
}

impl Listings {
    pub(crate) fn new(market: Market, from_block: u64, limits: &Limits) -> Self {
        Self { market, from_block, within: limits.chain_within, reads: limits.chain_reads }
    }

    /// Whose the resources are, by the chain's numbers, when each is listed with the hardware that is announced and
    /// `agent` is its provider's agent; else the reason and what to do.
    pub(crate) async fn check(&self, agent: Address, resources: &[Announced]) -> Result<Vec<u32>, String> {
        match timeout(self.within, self.claims(agent, resources)).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Err(chain_error(&error).to_string()),
            Err(_) => Err(self.late().to_string()),
        }
    }

    async fn claims(&self, agent: Address, resources: &[Announced]) -> Result<Result<Vec<u32>, String>, ChainError> {
        let read = |gpu: Announced| async move {
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
        let mut agents: BTreeMap<u32, Address> = BTreeMap::new();
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
        Ok(Ok(agents.into_keys().collect()))
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

pub(crate) fn chain_error(error: &ChainError) -> GatewayError {
    GatewayError::Chain { reason: error.to_string() }
}
