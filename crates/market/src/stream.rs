//! Money from seconds: what a job has earned, up to which second it may be paid, and how the lock is split at the end.
//!
//! The same functions stand in `contracts/src/libraries` and are compared with these case by case.

use crate::rules::{CANCEL_FEE_MAX, DISPUTE_WINDOW};
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

    /// Of `ran` seconds on the clock those that passed longer than the dispute window before `now`, so that nobody can
    /// dispute them any more: `clamp(now − W − startedAt − paused, 0, ran)`.
    #[must_use]
    pub fn old(&self, now: Timestamp, ran: Seconds) -> Seconds {
        if self.started_at == Timestamp(0) {
            return Seconds(0);
        }
        let undisputed = Timestamp(now.0.saturating_sub(DISPUTE_WINDOW.0)).since(self.started_at);
        Seconds(undisputed.0.saturating_sub(self.paused.0)).min(ran)
    }

    /// The second up to which a provider may be paid at `now`, of which `paid` are: those that are too old to be
    /// disputed, and as many more as its tied stake covers.
    #[must_use]
    pub fn payable(&self, now: Timestamp, duration: Seconds, cover: Seconds, paid: Seconds) -> Seconds {
        let ran = self.seconds(now, duration);
        paid.max(Seconds(self.old(now, ran).0.saturating_add(cover.0)).min(ran))
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
        self.less_fee(self.earned(seconds))
    }

    pub(crate) fn less_fee(&self, earned: Amount) -> Amount {
        earned.saturating_sub(self.fee.of(earned))
    }

    /// The seconds of cover that `free` stake can be tied for when a job of this stream is accepted: no more than the
    /// dispute window, and no more than the job can run.
    #[must_use]
    pub fn cover(&self, free: Amount) -> Seconds {
        self.price.vouched(free, DISPUTE_WINDOW.min(self.duration))
    }

    /// The stream as it counts at an end with `outcome`, when the seconds up to `paid` were paid before: a minimum charge
    /// of which nothing was paid is not due when the provider went silent or gave up.
    #[must_use]
    pub fn ended(self, outcome: Outcome, paid: Seconds) -> Self {
        let waived = paid == Seconds(0) && matches!(outcome, Outcome::Silent | Outcome::AbortedByProvider);
        if waived { Self { min_charge: Amount::ZERO, ..self } } else { self }
    }

    /// Splits the lock of a job that ended after `seconds`, of which `paid` were processed before, and that nobody
    /// disputed.
    #[must_use]
    pub fn settle(&self, seconds: Seconds, paid: Seconds, outcome: Outcome) -> Settlement {
        let seconds = seconds.max(Seconds(1)).min(self.duration);
        self.split(self.ended(outcome, paid).earned(seconds))
    }

    /// Splits the lock of a reservation that its renter cancelled when a fee of `share` was due for that, which counts
    /// as earned.
    #[must_use]
    pub fn cancelled(&self, share: BasisPoints) -> Settlement {
        self.split(share.min(CANCEL_FEE_MAX).of(self.locked()))
    }

    /// Splits the lock where `earned` of it is.
    pub(crate) fn split(&self, earned: Amount) -> Settlement {
        let paid = self.less_fee(earned);
        let fee = earned.saturating_sub(paid);
        Settlement { paid, fee, refunded: self.locked().saturating_sub(earned) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn stream() -> impl Strategy<Value = Stream> {
        (0..1_u128 << 72, 1..2_600_000_u64, 0..=500_u16, 0..=100_u128).prop_map(|(price, duration, fee, share)| {
            let price = PerHour(price);
            let min_charge = Amount(price.cost(Seconds(600)).0 * share / 100);
            Stream { price, min_charge, duration: Seconds(duration), fee: BasisPoints(fee) }
        })
    }

    pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
        prop::sample::select(vec![
            Outcome::Succeeded,
            Outcome::Failed,
            Outcome::StoppedByRenter,
            Outcome::AbortedByProvider,
            Outcome::Silent,
            Outcome::Disputed,
        ])
    }

    proptest! {
        #[test]
        fn the_lock_is_split_without_loss(stream in stream(), seconds: u32, paid: u32, outcome in outcome()) {
            let (seconds, paid) = (Seconds(seconds.into()), Seconds(paid.min(seconds).into()));
            let split = stream.settle(seconds, paid, outcome);
            prop_assert_eq!(split.paid.0 + split.fee.0 + split.refunded.0, stream.locked().0);
            prop_assert!(split.paid >= stream.net(paid) || paid == Seconds(0), "what was paid stays paid");
        }

        #[test]
        fn more_seconds_never_earn_less(stream in stream(), a: u32, b: u32) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(stream.net(Seconds(less.into())) <= stream.net(Seconds(more.into())));
        }

        #[test]
        fn a_cancelled_reservation_is_split_without_loss(stream in stream(), share: u16) {
            let split = stream.cancelled(BasisPoints(share));
            prop_assert_eq!(split.paid.0 + split.fee.0 + split.refunded.0, stream.locked().0);
            prop_assert!(split.refunded.0 >= stream.locked().0 / 4 * 3, "a quarter at most");
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
    fn a_second_is_payable_an_hour_late_or_at_once_where_stake_covers_it() {
        let clock = Clock { started_at: Timestamp(10_000), ..Clock::default() };
        let payable = |now: u64, cover: u64, paid: u64| {
            clock.payable(Timestamp(now), Seconds(8000), Seconds(cover), Seconds(paid)).0
        };
        // Without stake: nothing for an hour, then each second an hour late, the last an hour after the end.
        assert_eq!([payable(10_000, 0, 0), payable(13_600, 0, 0), payable(13_601, 0, 0)], [0, 0, 1]);
        assert_eq!([payable(17_600, 0, 0), payable(21_599, 0, 0), payable(21_600, 0, 0)], [4000, 7999, 8000]);
        // With ten minutes' stake: ten minutes ahead of that.
        assert_eq!([payable(10_000, 600, 0), payable(10_300, 600, 0), payable(12_000, 600, 0)], [1, 300, 600]);
        assert_eq!(payable(14_600, 600, 0), 1600);
        // With an hour's stake: at once.
        for now in [10_001, 13_600, 13_601, 17_999, 18_000, 90_000] {
            assert_eq!(payable(now, 3600, 0), (now - 10_000).min(8000), "at {now}");
        }
        // What was paid stays payable when a pause that ended puts the old seconds back.
        let resumed = Clock { paused: Seconds(3000), ..clock };
        assert_eq!(resumed.payable(Timestamp(17_600), Seconds(8000), Seconds(0), Seconds(4000)), Seconds(4000));
        assert_eq!(Clock::default().payable(Timestamp(17_600), Seconds(8000), Seconds(9), Seconds(0)), Seconds(0));
    }

    #[test]
    fn cover_is_what_the_stake_is_worth_up_to_an_hour_or_the_whole_job() {
        let stream =
            Stream { price: PerHour(7200), min_charge: Amount(0), duration: Seconds(9000), fee: BasisPoints(200) };
        let cover = |free: u128| stream.cover(Amount(free)).0;
        assert_eq!(
            [cover(0), cover(1), cover(2), cover(7199), cover(7200), cover(1 << 72)],
            [0, 0, 1, 3599, 3600, 3600]
        );
        let short = Stream { duration: Seconds(90), ..stream };
        assert_eq!(short.cover(Amount(1 << 72)), Seconds(90));
    }

    #[test]
    fn a_silent_provider_gets_no_minimum() {
        let stream =
            Stream { price: PerHour(3600), min_charge: Amount(600), duration: Seconds(1000), fee: BasisPoints(200) };
        let split = stream.settle(Seconds(4), Seconds(0), Outcome::Silent);
        assert_eq!(split, Settlement { paid: Amount(4), fee: Amount(0), refunded: Amount(996) });
        let split = stream.settle(Seconds(4), Seconds(0), Outcome::StoppedByRenter);
        assert_eq!(split, Settlement { paid: Amount(588), fee: Amount(12), refunded: Amount(400) });
        let split = stream.settle(Seconds(4), Seconds(1), Outcome::Silent);
        assert_eq!(split.refunded, Amount(400), "a minimum that the cover stood for was paid and stays paid");
    }
}
