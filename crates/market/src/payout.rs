//! Payouts: what is due before a job is final, and what its end pays and gives back at once.

use crate::{Amount, Outcome, Seconds, Stream};

/// A payment that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The second up to which it pays.
    pub to: Seconds,
    /// What it brings.
    pub amount: Amount,
}

/// What the end of a job does at once; the rest waits for `finalize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Paid out now.
    pub paid: Amount,
    /// The second up to which the provider is paid after it.
    pub to: Seconds,
    /// What nobody earned: back to the renter.
    pub refunded: Amount,
    /// Held until the job is final: the provider's tail and the platform's share.
    pub held: Amount,
}

impl Stream {
    /// What a payout up to second `to` brings when the seconds up to `from` were paid before and stake is tied for `cover`
    /// seconds, or `None` when nothing is due yet. A minimum charge is not paid out before the seconds alone are worth
    /// it, unless the tied stake is.
    #[must_use]
    pub fn due(&self, from: Seconds, to: Seconds, cover: Seconds) -> Option<Amount> {
        let vouched = self.price.cost(to.min(self.duration)).max(self.price.cost(cover));
        if vouched < self.min_charge {
            return None;
        }
        match self.net(to).saturating_sub(self.net(from)) {
            Amount::ZERO => None,
            due => Some(due),
        }
    }

    /// What the end of a job does that ran for `ran` seconds, of which `paid` were paid and the seconds up to `payable` may
    /// be paid now. Where the minimum charge is waived, seconds that are worth less wait for the last bill.
    #[must_use]
    pub fn end(&self, ran: Seconds, paid: Seconds, payable: Seconds, cover: Seconds, outcome: Outcome) -> Ending {
        let ran = ran.max(Seconds(1)).min(self.duration);
        let stream = self.ended(outcome, paid);
        let cover = if stream == *self { cover } else { Seconds(0) };
        let due = self.due(paid, payable.min(ran), cover);
        let to = if due.is_some() { payable.min(ran) } else { paid };
        let paid_now = due.unwrap_or_default();
        let earned = stream.earned(ran);
        let received = stream.net(paid).saturating_add(paid_now);
        Ending {
            paid: paid_now,
            to,
            refunded: self.locked().saturating_sub(earned),
            held: earned.saturating_sub(received),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::tests::{outcome, stream};
    use crate::{BasisPoints, Clock, PerHour, Timestamp};

    proptest! {
        #[test]
        fn payouts_in_any_cut_add_up(
            stream in stream(), mut cuts in prop::collection::vec(0..2_600_000_u64, 1..20), cover in 0..=3600_u64
        ) {
            cuts.sort_unstable();
            let last = Seconds(*cuts.last().unwrap_or(&0));
            let (mut at, mut total) = (Seconds(0), Amount::ZERO);
            for cut in cuts {
                if let Some(due) = stream.due(at, Seconds(cut), Seconds(cover)) {
                    total = total.saturating_add(due);
                    at = Seconds(cut);
                }
            }
            prop_assert_eq!(total, stream.due(Seconds(0), last, Seconds(cover)).unwrap_or_default());
        }

        /// However often and whenever a provider collects, and however much stake it tied, it ends with the same money.
        #[test]
        fn a_jobs_total_does_not_depend_on_when_it_was_paid(
            stream in stream(),
            gaps in prop::collection::vec(0..100_000_u64, 0..12),
            ran in 1..2_600_000_u64,
            cover in 0..=3600_u64,
            outcome in outcome(),
        ) {
            let (ran, cover) = (Seconds(ran).min(stream.duration), Seconds(cover).min(stream.duration));
            let clock = Clock { started_at: Timestamp(1000), ..Clock::default() };
            let (mut now, mut paid, mut total) = (Timestamp(1000), Seconds(0), Amount::ZERO);
            for gap in gaps {
                now = now.after(Seconds(gap));
                if clock.seconds(now, stream.duration) >= ran {
                    break;
                }
                let to = clock.payable(now, stream.duration, cover, paid);
                if let Some(due) = stream.due(paid, to, cover) {
                    (paid, total) = (to, total.saturating_add(due));
                }
            }
            let split = stream.settle(ran, paid, outcome);
            let stands = Clock { ended_at: Timestamp(1000).after(ran), ..clock };
            let payable = stands.payable(stands.ended_at, stream.duration, cover, paid);
            let end = stream.end(ran, paid, payable, cover, outcome);
            prop_assert_eq!(end.refunded, split.refunded, "what nobody earned goes back at once");
            total = total.saturating_add(end.paid);
            prop_assert!(total <= split.paid);
            prop_assert_eq!(end.held.0, split.paid.0 - total.0 + split.fee.0, "the tail and the fee are still held");
            if cover.0 == 3600 && end.to == ran {
                prop_assert_eq!(total, split.paid, "with full cover nothing is left for the tail");
            }
            // Unless the minimum charge was waived, which depends on whether any of it had been paid.
            if !matches!(outcome, Outcome::Silent | Outcome::AbortedByProvider) {
                prop_assert_eq!(split, stream.settle(ran, Seconds(0), outcome));
            }
        }
    }

    #[test]
    fn a_minimum_charge_waits_for_seconds_or_stake_that_are_worth_it() {
        let stream =
            Stream { price: PerHour(3600), min_charge: Amount(600), duration: Seconds(9000), fee: BasisPoints(200) };
        let due = |to: u64, cover: u64| stream.due(Seconds(0), Seconds(to), Seconds(cover)).map(|it| it.0);
        assert_eq!([due(1, 0), due(599, 599), due(600, 0), due(601, 0)], [None, None, Some(588), Some(589)]);
        assert_eq!([due(1, 600), due(0, 600), due(700, 3600)], [Some(588), None, Some(686)]);
    }

    #[test]
    fn the_end_pays_what_is_covered_and_holds_the_rest() {
        let stream =
            Stream { price: PerHour(3600), min_charge: Amount(0), duration: Seconds(9000), fee: BasisPoints(200) };
        let end = |payable: u64, cover: u64, outcome| {
            stream.end(Seconds(5000), Seconds(100), Seconds(payable), Seconds(cover), outcome)
        };
        let unearned = Amount(4000);
        let expected = Ending { paid: Amount(1274), to: Seconds(1400), refunded: unearned, held: Amount(3628) };
        assert_eq!(end(1400, 0, Outcome::Succeeded), expected);
        let expected = Ending { paid: Amount(4802), to: Seconds(5000), refunded: unearned, held: Amount(100) };
        assert_eq!(end(5000, 3600, Outcome::Succeeded), expected, "only the fee is held");
        assert_eq!(end(100, 0, Outcome::Silent).paid, Amount(0));

        // A minimum that is waived is not paid because stake would cover it.
        let stream = Stream { min_charge: Amount(600), ..stream };
        let left = |ran| stream.end(Seconds(ran), Seconds(0), Seconds(ran), Seconds(3600), Outcome::AbortedByProvider);
        let expected = Ending { paid: Amount(0), to: Seconds(0), refunded: Amount(8600), held: Amount(400) };
        assert_eq!(left(400), expected);
        assert_eq!((left(600).paid, left(600).held), (Amount(588), Amount(12)));
    }
}
