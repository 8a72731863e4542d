//! Money from seconds: what a job has earned, what is due now, and how the lock is split at the end.
//!
//! The same functions stand in `contracts/src/libraries` and are compared with these case by case.

use crate::{Amount, BasisPoints, Outcome, PerHour, Seconds, Timestamp};

/// The agreed figures of one job's payment stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Price of an hour.
    pub price: PerHour,
    /// Least the provider earns once the clock ran.
    pub min_charge: Amount,
    /// Seconds of clock that the lock pays for: the agreed length and what was bought since.
    pub duration: Seconds,
    /// The platform's share of what is earned, as it stood when the job was created.
    pub fee: BasisPoints,
}

/// The lock split for good; `paid + fee + refunded` is the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The provider's total.
    pub paid: Amount,
    /// The platform's share.
    pub fee: Amount,
    /// What goes back to the renter.
    pub refunded: Amount,
}

/// Where a job's clock stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// When it started; 0 before.
    pub started_at: Timestamp,
    /// Where it stands; 0 while it runs.
    pub ended_at: Timestamp,
    /// Seconds that are not billed.
    pub paused: Seconds,
}

impl Clock {
    /// Seconds on the clock at `now`: at least one once it started, never more than `duration`.
    #[must_use]
    pub fn seconds(&self, now: Timestamp, duration: Seconds) -> Seconds {
        if self.started_at == Timestamp(0) {
            return Seconds(0);
        }
        let until = if self.ended_at == Timestamp(0) { now } else { self.ended_at };
        Seconds(until.since(self.started_at).0.saturating_sub(self.paused.0)).max(Seconds(1)).min(duration)
    }
}

impl Stream {
    /// What the renter locks: the price of the whole duration.
    #[must_use]
    pub fn locked(&self) -> Amount {
        self.price.cost(self.duration)
    }

    /// What `seconds` on the clock have earned, fee included: nothing for none, else at least the minimum
    /// charge and at most the lock.
    #[must_use]
    pub fn earned(&self, seconds: Seconds) -> Amount {
        if seconds == Seconds(0) {
            return Amount::ZERO;
        }
        self.price.cost(seconds.min(self.duration)).max(self.min_charge).min(self.locked())
    }

    /// The provider's total for `seconds`: earned, less the fee on that total.
    ///
    /// A payout is the difference of this function between two seconds, so neither the number nor the order
    /// of payouts changes a total.
    #[must_use]
    pub fn net(&self, seconds: Seconds) -> Amount {
        let earned = self.earned(seconds);
        earned.saturating_sub(self.fee.of(earned))
    }

    /// What a payout up to second `to` brings when the seconds up to `from` were paid before, or `None` when
    /// nothing is due yet. A minimum charge is not paid out before the seconds alone are worth it.
    #[must_use]
    pub fn due(&self, from: Seconds, to: Seconds) -> Option<Amount> {
        if self.price.cost(to.min(self.duration)) < self.min_charge {
            return None;
        }
        match self.net(to).saturating_sub(self.net(from)) {
            Amount::ZERO => None,
            due => Some(due),
        }
    }

    /// Splits the lock of a job that ended after `seconds`, of which `paid` were processed before.
    ///
    /// A minimum charge that was not yet paid is not due when the provider went silent or gave up.
    #[must_use]
    pub fn settle(&self, seconds: Seconds, paid: Seconds, outcome: Outcome) -> Settlement {
        let seconds = seconds.max(Seconds(1)).min(self.duration);
        let earned = match outcome {
            Outcome::Silent | Outcome::AbortedByProvider => {
                self.price.cost(seconds).min(self.locked()).max(self.earned(paid))
            }
            _ => self.earned(seconds),
        };
        let fee = self.fee.of(earned);
        Settlement { paid: earned.saturating_sub(fee), fee, refunded: self.locked().saturating_sub(earned) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream() -> impl Strategy<Value = Stream> {
        (0..1_u128 << 72, 1..2_600_000_u64, 0..=500_u16, 0..=100_u128).prop_map(|(price, duration, fee, share)| {
            let price = PerHour(price);
            let min_charge = Amount(price.cost(Seconds(600)).0 * share / 100);
            Stream { price, min_charge, duration: Seconds(duration), fee: BasisPoints(fee) }
        })
    }

    proptest! {
        #[test]
        fn the_lock_is_split_without_loss(stream in stream(), seconds: u32, paid: u32, outcome in 0..6_u8) {
            let outcome = [Outcome::Succeeded, Outcome::Failed, Outcome::StoppedByRenter, Outcome::AbortedByProvider,
                Outcome::Silent, Outcome::Succeeded][usize::from(outcome)];
            let (seconds, paid) = (Seconds(seconds.into()), Seconds(paid.min(seconds).into()));
            let split = stream.settle(seconds, paid, outcome);
            prop_assert_eq!(split.paid.0 + split.fee.0 + split.refunded.0, stream.locked().0);
            prop_assert!(split.paid >= stream.net(paid) || paid == Seconds(0), "what was paid stays paid");
        }

        #[test]
        fn payouts_in_any_cut_add_up(stream in stream(), mut cuts in prop::collection::vec(0..2_600_000_u64, 1..20)) {
            cuts.sort_unstable();
            let last = Seconds(*cuts.last().unwrap_or(&0));
            let (mut at, mut total) = (Seconds(0), Amount::ZERO);
            for cut in cuts {
                if let Some(due) = stream.due(at, Seconds(cut)) {
                    total = total.saturating_add(due);
                    at = Seconds(cut);
                }
            }
            prop_assert_eq!(total, stream.due(Seconds(0), last).unwrap_or_default());
        }

        #[test]
        fn more_seconds_never_earn_less(stream in stream(), a: u32, b: u32) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(stream.net(Seconds(less.into())) <= stream.net(Seconds(more.into())));
        }
    }

    #[test]
    fn the_clock_stands_where_it_ended_and_leaves_out_pauses() {
        let clock = |ended: u64, paused: u64| Clock {
            started_at: Timestamp(100),
            ended_at: Timestamp(ended),
            paused: Seconds(paused),
        };
        let at = |clock: Clock, now: u64| clock.seconds(Timestamp(now), Seconds(50)).0;
        assert_eq!([at(clock(0, 0), 100), at(clock(0, 0), 130), at(clock(0, 0), 990)], [1, 30, 50]);
        assert_eq!([at(clock(0, 10), 130), at(clock(120, 10), 990), at(clock(105, 10), 990)], [20, 10, 1]);
        assert_eq!(at(Clock::default(), 990), 0);
    }

    #[test]
    fn a_silent_provider_gets_no_minimum() {
        let stream =
            Stream { price: PerHour(3600), min_charge: Amount(600), duration: Seconds(1000), fee: BasisPoints(200) };
        let split = stream.settle(Seconds(4), Seconds(0), Outcome::Silent);
        assert_eq!(split, Settlement { paid: Amount(4), fee: Amount(0), refunded: Amount(996) });
        let split = stream.settle(Seconds(4), Seconds(0), Outcome::StoppedByRenter);
        assert_eq!(split, Settlement { paid: Amount(588), fee: Amount(12), refunded: Amount(400) });
    }
}
