//! What a gas wallet may spend in a day.

use market::Timestamp;

/// Seconds of a day.
const DAY_S: u64 = 24 * 3600;

/// A cap on the coin that a key spends on gas between two midnights of UTC: what an attacker can make the market pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasBudget {
    cap_wei: u128,
    day: u64,
    spent_wei: u128,
}

impl GasBudget {
    /// Nothing is spent yet.
    #[must_use]
    pub fn new(cap_wei: u128) -> Self {
        Self { cap_wei, day: 0, spent_wei: 0 }
    }

    /// Takes so much from today's budget; false when it is not left, and nothing is taken.
    #[must_use]
    pub fn take(&mut self, wei: u128, now: Timestamp) -> bool {
        let day = now.0 / DAY_S;
        if day > self.day {
            (self.day, self.spent_wei) = (day, 0);
        }
        match self.spent_wei.checked_add(wei) {
            Some(spent) if spent <= self.cap_wei => {
                self.spent_wei = spent;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_cap_and_the_next_its_own() {
        let mut budget = GasBudget::new(100);
        assert!(budget.take(60, Timestamp(10)));
        assert!(!budget.take(41, Timestamp(20)), "too much");
        assert!(budget.take(40, Timestamp(DAY_S - 1)), "a refusal took nothing");
        assert!(!budget.take(1, Timestamp(DAY_S - 1)));
        assert!(budget.take(100, Timestamp(DAY_S)), "another day");
        assert!(!budget.take(1, Timestamp(10)), "a clock that goes back brings none");
        assert!(!budget.take(u128::MAX, Timestamp(2 * DAY_S)));
    }
}
