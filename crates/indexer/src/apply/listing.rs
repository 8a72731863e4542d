//! Providers and what they have for rent.

use chain::MarketEvent;
use market::{Amount, BasisPoints};
use store::{BlockRef, ProviderRow, ResourceRow, Row};

use super::Drawn;
use crate::{Contradiction, Rows};

pub(super) fn changed(before: &Rows, block: BlockRef, event: &MarketEvent) -> Result<Drawn, Contradiction> {
    use MarketEvent as E;
    let changed = block.number;
    let provider = |id: u32| before.provider(id).map(|row| ProviderRow { changed, ..row.clone() });
    let resource = |id| before.resource(id).map(|row| ResourceRow { changed, ..row.clone() });
    match event {
        E::ProviderRegistered { provider_id, owner, agent, payout } => {
            if before.provider(*provider_id).is_ok() {
                return Err(Contradiction::ProviderExists(*provider_id));
            }
            Ok(of_provider(ProviderRow {
                id: *provider_id,
                owner: *owner,
                agent: *agent,
                payout: *payout,
                registered_at: block.at,
                jobs_started: 0,
                jobs_succeeded: 0,
                changed,
            }))
        }
        E::AgentChanged { provider_id, agent } => {
            Ok(of_provider(ProviderRow { agent: *agent, ..provider(*provider_id)? }))
        }
        E::PayoutChanged { provider_id, payout } => {
            Ok(of_provider(ProviderRow { payout: *payout, ..provider(*provider_id)? }))
        }
        E::ResourceRegistered { resource: id, provider_id, listing } => {
            if before.resource(*id).is_ok() {
                return Err(Contradiction::ResourceExists(*id));
            }
            let owner = before.provider(*provider_id)?.owner;
            let row = ResourceRow {
                id: *id,
                provider: *provider_id,
                key: listing.key,
                hardware: listing.hardware.clone(),
                details: listing.details.clone(),
                price: listing.price,
                available: true,
                held_by: None,
                stake: Amount::ZERO,
                tied: Amount::ZERO,
                unbonding: Amount::ZERO,
                unbonded_at: None,
                contested: Amount::ZERO,
                cancel_fee: BasisPoints(0),
                listed_at: block.at,
                changed,
            };
            Ok(Drawn { who: Some(owner), ..of_resource(row) })
        }
        // By owner or agent: the event does not tell who.
        E::AvailabilityChanged { resource: id, available } => {
            Ok(of_resource(ResourceRow { available: *available, ..resource(*id)? }))
        }
        E::PriceChanged { resource: id, price } => {
            let row = ResourceRow { price: *price, ..resource(*id)? };
            let owner = before.provider(row.provider)?.owner;
            Ok(Drawn { who: Some(owner), ..of_resource(row) })
        }
        E::CancelFeeChanged { resource: id, cancel_fee } => {
            let row = ResourceRow { cancel_fee: *cancel_fee, ..resource(*id)? };
            let owner = before.provider(row.provider)?.owner;
            Ok(Drawn { who: Some(owner), ..of_resource(row) })
        }
        _ => Err(Contradiction::UnknownEvent),
    }
}

/// Only its owner changes a provider.
fn of_provider(row: ProviderRow) -> Drawn {
    Drawn { provider: Some(row.id), who: Some(row.owner), rows: vec![Row::Provider(row)], ..Drawn::default() }
}

pub(super) fn of_resource(row: ResourceRow) -> Drawn {
    let (resource, provider) = (Some(row.id), Some(row.provider));
    Drawn { resource, provider, rows: vec![Row::Resource(row)], ..Drawn::default() }
}
