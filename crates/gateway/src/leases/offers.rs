//! How linked agents sell time by the tick.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::Address;
use wire::{
    http::{TICK_MAX_S, TICK_MIN_S},
    link::LeaseOffer,
    x402::{WITHDRAW_DELAY_MAX_S, WITHDRAW_DELAY_MIN_S},
};

use crate::link::LinkId;

/// An agent's offer, as long as it is linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) agent: Address,
    pub(crate) offer: LeaseOffer,
}

/// By agent.
#[derive(Default)]
pub(crate) struct Offers(Mutex<HashMap<Address, (LinkId, LeaseOffer)>>);

impl Offers {
    /// An agent says how it sells; the reason why that cannot be.
    pub(crate) fn told(&self, link: LinkId, agent: Address, offer: LeaseOffer) -> Result<(), String> {
        if !(TICK_MIN_S..=TICK_MAX_S).contains(&offer.tick_s) {
            return Err(format!("a tick has {TICK_MIN_S} to {TICK_MAX_S} s, not {}", offer.tick_s));
        }
        if !(WITHDRAW_DELAY_MIN_S..=WITHDRAW_DELAY_MAX_S).contains(&offer.withdraw_delay) {
            return Err(format!("no channel has a delay of {} s", offer.withdraw_delay));
        }
        self.offers().insert(agent, (link, offer));
        Ok(())
    }

    /// A link ended; what a newer one of the same agent said stays.
    pub(crate) fn gone(&self, link: LinkId) {
        self.offers().retain(|_, (of, _)| *of != link);
    }

    pub(crate) fn of(&self, agent: Address) -> Option<LeaseOffer> {
        self.offers().get(&agent).map(|(_, offer)| offer.clone())
    }

    fn offers(&self) -> MutexGuard<'_, HashMap<Address, (LinkId, LeaseOffer)>> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_lasts_as_long_as_its_link_and_is_within_the_rules() {
        let offers = Offers::default();
        let agent = Address::repeat_byte(1);
        let good = LeaseOffer { receiver: agent, token: agent, setup: 10_000, tick_s: 10, withdraw_delay: 86_400 };
        assert!(offers.told(1, agent, LeaseOffer { tick_s: 31, ..good.clone() }).is_err());
        assert!(offers.told(1, agent, LeaseOffer { tick_s: 0, ..good.clone() }).is_err());
        assert!(offers.told(1, agent, LeaseOffer { withdraw_delay: 899, ..good.clone() }).is_err());
        assert_eq!(offers.of(agent), None);
        offers.told(1, agent, good.clone()).unwrap();
        offers.told(2, agent, LeaseOffer { tick_s: 5, ..good }).unwrap();
        offers.gone(1);
        assert_eq!(offers.of(agent).unwrap().tick_s, 5, "the newer link's word");
        offers.gone(2);
        assert_eq!(offers.of(agent), None);
    }
}
