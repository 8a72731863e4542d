//! Disputes: what is at stake, and how a verdict splits it.

use crate::rules::BOND;
use crate::{Amount, BasisPoints, Seconds, Settlement, Stream};

/// Who a dispute found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The renter: nothing of the pot is earned.
    Renter,
    /// Neither: half of it is.
    Split,
    /// The provider: all of it is.
    Provider,
}

impl Verdict {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Renter, Self::Split, Self::Provider];

    /// The provider's part of the pot.
    #[must_use]
    pub fn share(self) -> BasisPoints {
        match self {
            Self::Renter => BasisPoints(0),
            Self::Split => BasisPoints(5_000),
            Self::Provider => BasisPoints(10_000),
        }
    }

    /// The verdict with this share.
    #[must_use]
    pub fn of(share: BasisPoints) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.share() == share)
    }
}

/// What a dispute is about, taken when it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pot {
    /// Earned whatever the verdict: seconds too old to be disputed.
    pub stands: Amount,
    /// What the verdict divides.
    pub amount: Amount,
}

/// What a verdict moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The lock split for good; what was refunded when the job ended is part of it.
    pub split: Settlement,
    /// Paid to the provider now.
    pub paid: Amount,
    /// Goes back to the renter now.
    pub returned: Amount,
    /// Of that, what the provider had received before and its tied stake makes good.
    pub from_cover: Amount,
}

/// What must be put down to dispute `pot`, in a market that asks for `least`.
#[must_use]
pub fn bond(pot: Amount, least: Amount) -> Amount {
    BOND.of(pot).max(least)
}

impl Stream {
    /// The pot of a dispute over a job that ran for `ran` seconds, of which `old` cannot be disputed any more and `paid` are
    /// paid out, `cover` of them at most on the word of tied stake. Seconds that were paid without it stand.
    ///
    /// The stream is the one that counts for the job's end, see [`Stream::ended`].
    #[must_use]
    pub fn pot(&self, ran: Seconds, old: Seconds, paid: Seconds, cover: Seconds) -> Pot {
        let stands = self.earned(old.max(Seconds(paid.0.saturating_sub(cover.0))).min(ran));
        Pot { stands, amount: self.earned(ran).saturating_sub(stands) }
    }

    /// Settles a disputed job after a verdict: earned is what stood and the verdict's share of the pot. What the provider
    /// `received` beyond its part of that comes from the cover.
    #[must_use]
    pub fn resolve(&self, pot: Pot, received: Amount, verdict: Verdict) -> Resolution {
        let split = self.split(pot.stands.saturating_add(verdict.share().of(pot.amount)));
        Resolution {
            split,
            paid: split.paid.saturating_sub(received),
            returned: pot.amount.saturating_sub(verdict.share().of(pot.amount)),
            from_cover: received.saturating_sub(split.paid),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::tests::{outcome, stream};
    use crate::{Clock, Outcome, PerHour, Timestamp};

    /// A job with payments and pauses at random moments, disputed at the end or some time after it.
    #[derive(Clone, Debug)]
    struct Story {
        stream: Stream,
        cover: Seconds,
        outcome: Outcome,
        /// So long after the step before, pay, or pause for a while.
        steps: Vec<(u64, Option<u64>)>,
        /// The dispute is opened so long after the end.
        after: u64,
    }

    fn story() -> impl Strategy<Value = Story> {
        let step = (0..9000_u64, prop::option::weighted(0.3, 0..9000_u64));
        let steps = prop::collection::vec(step, 1..12);
        (stream(), 0..=3600_u64, outcome(), steps, 0..=3600_u64).prop_map(|(stream, cover, outcome, steps, after)| {
            let cover = Seconds(cover).min(stream.duration);
            Story { stream, cover, outcome, steps, after }
        })
    }

    /// What the contract holds for the job and what everybody has got of it, when the dispute is opened.
    struct Opened {
        stream: Stream,
        pot: Pot,
        received: Amount,
        refunded: Amount,
    }

    fn opened(story: &Story) -> Opened {
        let Story { stream, cover, outcome, .. } = *story;
        let mut clock = Clock { started_at: Timestamp(10_000), ..Clock::default() };
        let (mut now, mut paid, mut received) = (Timestamp(10_000), Seconds(0), Amount::ZERO);
        for (gap, pause) in &story.steps {
            now = now.after(Seconds(*gap));
            if let Some(pause) = pause {
                now = now.after(Seconds(*pause));
                clock.paused.0 += pause;
            }
            let to = clock.payable(now, stream.duration, cover, paid);
            if let Some(due) = stream.due(paid, to, cover) {
                (paid, received) = (to, received.saturating_add(due));
            }
        }
        clock.ended_at = now;
        let ran = clock.seconds(now, stream.duration).max(paid);
        let payable = clock.payable(now, stream.duration, cover, paid);
        let end = stream.end(ran, paid, payable, cover, outcome);
        let stream = stream.ended(outcome, paid);
        let old = clock.old(now.after(Seconds(story.after)), ran);
        let pot = stream.pot(ran, old, end.to, cover);
        Opened { stream, pot, received: received.saturating_add(end.paid), refunded: end.refunded }
    }

    proptest! {
        #[test]
        fn a_verdict_moves_no_more_than_there_is(story in story(), verdict in 0..3_usize) {
            let verdict = Verdict::ALL[verdict];
            let Opened { stream, pot, received, refunded } = opened(&story);
            let done = stream.resolve(pot, received, verdict);
            let split = done.split;
            prop_assert_eq!(split.paid.0 + split.fee.0 + split.refunded.0, stream.locked().0, "the lock is split");
            prop_assert_eq!(split.refunded.0, refunded.0 + done.returned.0, "the renter's two parts");
            prop_assert_eq!(split.paid.0 + done.from_cover.0, received.0 + done.paid.0, "the provider's account");
            let held = stream.locked().0 - refunded.0 - received.0;
            prop_assert_eq!(held + done.from_cover.0, done.paid.0 + done.returned.0 + split.fee.0, "nothing is left");
        }

        /// The tied stake always suffices: that is what it is tied for.
        #[test]
        fn what_is_taken_from_the_cover_never_exceeds_the_tie(story in story()) {
            let Opened { stream, pot, received, .. } = opened(&story);
            for verdict in Verdict::ALL {
                let excess = stream.resolve(pot, received, verdict).from_cover;
                prop_assert!(excess <= stream.price.tie(story.cover), "{excess} of {:?}", story.cover);
            }
        }

        #[test]
        fn a_provider_that_is_right_gets_what_it_would_have_got(story in story()) {
            let Opened { stream, pot, received, refunded } = opened(&story);
            let done = stream.resolve(pot, received, Verdict::Provider);
            prop_assert_eq!(done.returned, Amount::ZERO);
            prop_assert_eq!(done.from_cover, Amount::ZERO);
            prop_assert_eq!(done.split.refunded, refunded);
        }
    }

    /// A job of two hours at one unit a second, disputed when it ends.
    #[test]
    fn a_renter_who_is_right_gets_the_last_hour_back_and_what_was_covered_of_it() {
        let stream =
            Stream { price: PerHour(3600), min_charge: Amount(0), duration: Seconds(7200), fee: BasisPoints(200) };
        let pot = |paid: u64, cover: u64| stream.pot(Seconds(7200), Seconds(3600), Seconds(paid), Seconds(cover));
        let expected = Pot { stands: Amount(3600), amount: Amount(3600) };
        assert_eq!(pot(3600, 0), expected, "no stake: the last hour was never paid");
        let done = stream.resolve(expected, stream.net(Seconds(3600)), Verdict::Renter);
        let split = Settlement { paid: Amount(3528), fee: Amount(72), refunded: Amount(3600) };
        assert_eq!(done, Resolution { split, paid: Amount(0), returned: Amount(3600), from_cover: Amount(0) });

        assert_eq!(pot(7200, 3600), expected, "all was paid, the last hour on the word of the stake");
        let done = stream.resolve(expected, stream.net(Seconds(7200)), Verdict::Renter);
        assert_eq!(done, Resolution { split, paid: Amount(0), returned: Amount(3600), from_cover: Amount(3528) });
        let done = stream.resolve(expected, stream.net(Seconds(7200)), Verdict::Split);
        let split = Settlement { paid: Amount(5292), fee: Amount(108), refunded: Amount(1800) };
        assert_eq!(done, Resolution { split, paid: Amount(0), returned: Amount(1800), from_cover: Amount(1764) });

        assert_eq!(pot(7200, 0).amount, Amount(0), "what was paid without stake was too old to be disputed");
    }

    #[test]
    fn a_bond_is_a_tenth_or_the_markets_least() {
        assert_eq!([bond(Amount(3600), Amount(5)), bond(Amount(49), Amount(5))], [Amount(360), Amount(5)]);
    }

    #[test]
    fn a_share_names_its_verdict() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::of(verdict.share()), Some(verdict));
        }
        assert_eq!(Verdict::of(BasisPoints(1)), None);
    }
}
