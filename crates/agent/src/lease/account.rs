//! What one lease has paid and what of it is earned: pure arithmetic over whole seconds, floored once from the total.

use market::{PerHour, Seconds};
use serde::{Deserialize, Serialize};
use wire::SignatureBytes;

/// One lease's part of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    /// Smallest units an hour.
    pub(crate) price: u128,
    /// What the set-up cost, in smallest units.
    pub(crate) setup: u128,
    /// Seconds that are paid for.
    pub(crate) paid: u64,
    /// Seconds that the clock has run, as they are written down.
    pub(crate) served: u64,
    /// Nothing is served for it any more, and `served` is final.
    pub(crate) over: bool,
    /// The set-up goes back too: this machine could not do what it was paid for.
    pub(crate) setup_returned: bool,
    /// The voucher that was taken for it last: the same again is answered the same.
    pub(crate) last: Voucher,
}

/// A voucher as far as it must be known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Voucher {
    pub(crate) max: u128,
    pub(crate) signature: SignatureBytes,
    /// What it paid.
    pub(crate) amount: u128,
}

impl Account {
    /// A lease that has just paid its set-up.
    pub(crate) fn open(price: PerHour, last: Voucher) -> Self {
        let setup = last.amount;
        Self { price: price.0, setup, paid: 0, served: 0, over: false, setup_returned: false, last }
    }

    fn cost(&self, seconds: u64) -> u128 {
        PerHour(self.price).cost(Seconds(seconds)).0
    }

    /// What the next `seconds` cost.
    pub(crate) fn price_of(&self, seconds: u64) -> u128 {
        self.cost(self.paid.saturating_add(seconds)) - self.cost(self.paid)
    }

    /// Everything that was paid for it.
    pub(crate) fn charged(&self) -> u128 {
        self.setup + self.cost(self.paid)
    }

    /// What the provider has earned of it.
    pub(crate) fn earned(&self) -> u128 {
        let setup = if self.setup_returned { 0 } else { self.setup };
        setup + self.cost(self.served.min(self.paid))
    }

    /// What was paid and is not earned: still to be served, or, once it is over, the payer's again.
    pub(crate) fn unearned(&self) -> u128 {
        self.charged() - self.earned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(price: u128) -> Account {
        let last = Voucher { max: 10, signature: SignatureBytes([0; 65]), amount: 10 };
        Account::open(PerHour(price), last)
    }

    #[test]
    fn ticks_of_any_length_add_up_to_one_price() {
        for price in [1, 7, 3599, 3600, 3601, 1_000_003] {
            for lengths in [vec![30; 60], vec![1; 1800], vec![7, 11, 600, 582, 600]] {
                let mut account = account(price);
                let mut paid = 0;
                for length in lengths {
                    paid += account.price_of(length);
                    account.paid += length;
                }
                assert_eq!(account.paid, 1800);
                assert_eq!(paid, PerHour(price).cost(Seconds(1800)).0, "price {price}");
                assert_eq!(account.charged(), 10 + paid);
            }
        }
    }

    #[test]
    fn only_what_ran_and_is_paid_for_is_earned() {
        let mut account = account(7200);
        account.paid = 20;
        for (served, earned) in [(0, 10), (5, 20), (20, 50), (33, 50)] {
            account.served = served;
            assert_eq!(account.earned(), earned, "after {served} s");
            assert_eq!(account.earned() + account.unearned(), account.charged());
        }
        account.served = 5;
        account.setup_returned = true;
        assert_eq!((account.earned(), account.unearned()), (10, 40));
    }
}
