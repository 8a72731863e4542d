//! Who ran a provider's jobs at a time that is over.

use alloy::{
    primitives::{Address, B256, U256},
    rpc::types::Filter,
    sol_types::SolEvent,
};

use crate::{ChainError, Market, MarketEvent, bindings::market::Market as contract};

impl Market {
    /// The agent of a provider at the moment of the event at `place` (its block and its place in that block), read from
    /// the log from block `from` on; `None` when nobody had registered as this provider by then.
    pub async fn agent_at(
        &self,
        provider_id: u32,
        from: u64,
        place: (u64, u64),
    ) -> Result<Option<Address>, ChainError> {
        let filter = Filter::new()
            .address(self.address())
            .event_signature(vec![contract::ProviderRegistered::SIGNATURE_HASH, contract::AgentChanged::SIGNATURE_HASH])
            .topic1(B256::from(U256::from(provider_id)));
        let logs = self.chain().logs_within(&filter, from, Some(place.0)).await?;
        let earlier = logs.iter().filter(|log| !log.removed && (log.block_number, log.log_index) < here(place));
        Ok(earlier
            .filter_map(|log| match MarketEvent::decode(&log.inner)? {
                MarketEvent::ProviderRegistered { provider_id: of, agent, .. }
                | MarketEvent::AgentChanged { provider_id: of, agent }
                    if of == provider_id =>
                {
                    Some(agent)
                }
                _ => None,
            })
            .last())
    }
}

fn here(place: (u64, u64)) -> (Option<u64>, Option<u64>) {
    (Some(place.0), Some(place.1))
}
