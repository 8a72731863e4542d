//! Stake: put down, taken back, and slashed.

use chain::MarketEvent;
use market::{Amount, ResourceId};
use store::{BlockRef, ResourceRow, Row, SlashRow, SlashedRow};

use super::{Drawn, listing::of_resource};
use crate::{Contradiction, Rows};

/// What nothing holds of a resource's stake.
pub(super) fn free(resource: &ResourceRow) -> Amount {
    [resource.tied, resource.unbonding, resource.contested].into_iter().fold(resource.stake, Amount::saturating_sub)
}

pub(super) fn changed(before: &Rows, block: BlockRef, event: &MarketEvent) -> Result<Drawn, Contradiction> {
    use MarketEvent as E;
    let resource = |id| before.resource(id).map(|row| ResourceRow { changed: block.number, ..row.clone() });
    let owner = |row: &ResourceRow| before.provider(row.provider).map(|provider| provider.owner);
    match event {
        E::Staked { resource: id, from, stake, .. } => {
            let row = ResourceRow { stake: *stake, ..resource(*id)? };
            Ok(Drawn { who: Some(*from), ..of_resource(row) })
        }
        E::UnstakeRequested { resource: id, unbonding, available_at, .. } => {
            let row = ResourceRow { unbonding: *unbonding, unbonded_at: Some(*available_at), ..resource(*id)? };
            Ok(Drawn { who: Some(owner(&row)?), ..of_resource(row) })
        }
        E::Unstaked { resource: id, amount, stake, .. } => {
            let row = resource(*id)?;
            let unbonding = row.unbonding.saturating_sub(*amount);
            let row = ResourceRow { stake: *stake, unbonding, unbonded_at: None, ..row };
            Ok(Drawn { who: Some(owner(&row)?), ..of_resource(row) })
        }
        E::SlashProposed { proposal, resource: id, .. } => {
            if before.slash(*proposal).is_ok() {
                return Err(Contradiction::ProposalExists(*proposal));
            }
            proposed(resource(*id)?, block, event)
        }
        E::SlashContested { proposal, evidence } => {
            let slash = open(before, *proposal)?;
            let row = SlashRow { contested: Some(evidence.clone()), changed: block.number, ..slash.clone() };
            let resource = before.resource(row.resource)?;
            Ok(Drawn { who: Some(owner(resource)?), rows: vec![Row::Slash(row)], ..about(resource) })
        }
        E::SlashSettled { proposal, slashed, to_harmed, burned } => {
            let settled = SlashedRow { slashed: *slashed, to_harmed: *to_harmed, burned: *burned };
            settle(before, block, *proposal, settled)
        }
        _ => Err(Contradiction::UnknownEvent),
    }
}

/// The amount is held; what is free does not suffice for is taken from what is unbonding.
fn proposed(mut row: ResourceRow, block: BlockRef, event: &MarketEvent) -> Result<Drawn, Contradiction> {
    let MarketEvent::SlashProposed { proposal, harmed, amount, loss, contestable_until, evidence, .. } = event else {
        return Err(Contradiction::UnknownEvent);
    };
    let free = free(&row);
    if *amount > free.saturating_add(row.unbonding) {
        return Err(Contradiction::Overstaked { resource: row.id, stake: row.stake, free });
    }
    let from_unbonding = amount.saturating_sub(free);
    row.unbonding = row.unbonding.saturating_sub(from_unbonding);
    row.contested = row.contested.saturating_add(*amount);
    let slash = SlashRow {
        id: *proposal,
        resource: row.id,
        harmed: *harmed,
        amount: *amount,
        from_unbonding,
        loss: *loss,
        evidence: evidence.clone(),
        contestable_until: *contestable_until,
        contested: None,
        settled: None,
        changed: block.number,
    };
    let drawn = about(&row);
    Ok(Drawn { rows: vec![Row::Resource(row), Row::Slash(slash)], ..drawn })
}

fn settle(before: &Rows, block: BlockRef, proposal: u64, settled: SlashedRow) -> Result<Drawn, Contradiction> {
    let slash = open(before, proposal)?;
    let slash = SlashRow { settled: Some(settled), changed: block.number, ..slash.clone() };
    let mut row = ResourceRow { changed: block.number, ..before.resource(slash.resource)?.clone() };
    row.contested = row.contested.saturating_sub(slash.amount);
    if settled.slashed {
        row.stake = row.stake.saturating_sub(slash.amount);
    } else {
        row.unbonding = row.unbonding.saturating_add(slash.from_unbonding);
    }
    let drawn = about(&row);
    Ok(Drawn { rows: vec![Row::Resource(row), Row::Slash(slash)], ..drawn })
}

fn open(before: &Rows, proposal: u64) -> Result<&SlashRow, Contradiction> {
    let slash = before.slash(proposal)?;
    if slash.settled.is_some() { Err(Contradiction::Settled(proposal)) } else { Ok(slash) }
}

fn about(row: &ResourceRow) -> Drawn {
    let id: ResourceId = row.id;
    Drawn { resource: Some(id), provider: Some(row.provider), ..Drawn::default() }
}
