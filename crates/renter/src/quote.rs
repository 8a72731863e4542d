//! What a job will cost at most, before any money moves.

use crate::RenterError;
use market::{Amount, BasisPoints, Needs, Obstacle, Offer, Seconds, Stream};

/// An offer chosen for a job, and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The chosen resource.
    pub offer: Offer,
    /// The longest the job may run.
    pub max_duration: Seconds,
    /// What is locked: the price of the whole duration.
    pub locked: Amount,
    /// The platform's part of what will be earned; paid by the provider out of his share.
    pub fee: BasisPoints,
    /// What the wallet holds.
    pub balance: Amount,
}

/// How much is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What the wallet holds.
    pub have: Amount,
    /// What the job locks.
    pub need: Amount,
    /// The difference.
    pub missing: Amount,
}

impl Quote {
    /// Chooses the cheapest offer that fits and prices it; `show` writes money as people read it.
    pub fn new(
        offers: &[Offer],
        needs: &Needs,
        max_duration: Seconds,
        fee: BasisPoints,
        balance: Amount,
        show: &dyn Fn(Amount) -> String,
    ) -> Result<Self, RenterError> {
        if max_duration.0 == 0 || max_duration > market::rules::DURATION_MAX {
            let longest = market::rules::DURATION_MAX;
            return Err(RenterError::BadJob(format!("a job runs for 1 s to {longest}; change --max-duration")));
        }
        let offer = match market::choose(offers, needs) {
            market::Choice::Offer(offer) => offer.clone(),
            market::Choice::NoOffers => {
                let why = "nobody offers anything at this gateway now; `bourse provider run` lists this machine";
                return Err(RenterError::NoMatch { why: why.into() });
            }
            market::Choice::Nearest(offer, obstacles) => {
                let words = |obstacle: &Obstacle| match obstacle {
                    Obstacle::TooDear(price) => {
                        format!("it costs {} an hour, above the highest price given", show(Amount(price.0)))
                    }
                    other => other.to_string(),
                };
                let obstacles: Vec<_> = obstacles.iter().map(words).collect();
                let why = format!("the nearest is {} ({}): {}", offer.hardware.model, offer.id, obstacles.join("; "));
                return Err(RenterError::NoMatch { why });
            }
        };
        let stream = Stream { price: offer.price, min_charge: Amount::ZERO, duration: max_duration, fee };
        Ok(Self { max_duration, locked: stream.locked(), fee, balance, offer })
    }

    /// What the wallet lacks, if anything.
    #[must_use]
    pub fn shortfall(&self) -> Option<Shortfall> {
        let missing = self.locked.saturating_sub(self.balance);
        (missing > Amount::ZERO).then_some(Shortfall { have: self.balance, need: self.locked, missing })
    }

    /// What a second costs, rounded down, for people.
    #[must_use]
    pub fn per_second(&self) -> Amount {
        Amount(self.offer.price.0 / 3600)
    }
}
