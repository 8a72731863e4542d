//! A lease as its payer sees it.

use alloy_primitives::B256;
use market::{Amount, PerHour, Seconds};
use wire::{
    http::{LeaseJson, Money},
    link::LeaseState,
};

use crate::{leases::Told, state::Shared};

/// What the next seconds of a lease cost: the difference of one function, so that ticks of any length add up.
pub(super) fn cost(state: &LeaseState, seconds: u64) -> u128 {
    let price = PerHour(state.terms.price_per_hour);
    price.cost(Seconds(state.paid_s.saturating_add(seconds))).0 - price.cost(Seconds(state.paid_s)).0
}

/// Seconds of a tick, as its agent says.
pub(super) fn tick_s(shared: &Shared, told: &Told) -> u32 {
    shared.leases.offers.of(told.agent).map_or(wire::http::TICK_S, |offer| offer.tick_s)
}

pub(super) fn lease(shared: &Shared, id: B256, told: &Told) -> LeaseJson {
    let (state, tick) = (&told.state, tick_s(shared, told));
    let money = |amount| Money::new(Amount(amount), shared.market.token());
    LeaseJson {
        lease_id: id,
        status: state.phase,
        resource_id: state.terms.resource_id,
        price_per_hour: money(state.terms.price_per_hour),
        tick_s: tick,
        next_tick: money(cost(state, tick.into())),
        paid_s: state.paid_s,
        served_s: state.served_s,
        charged: money(state.charged),
        earned: money(state.earned),
        channel_id: state.channel,
        reason: state.reason.clone(),
    }
}
