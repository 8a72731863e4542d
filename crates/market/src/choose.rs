//! The choice of a resource, and why there is none.

use std::fmt;

use crate::{Needs, Offer, PerHour};

/// One reason why an offer does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not the one that was asked for.
    OtherResource,
    /// The owner does not list it now.
    Unavailable,
    /// A job holds it.
    Busy,
    /// Another model.
    Model(String),
    /// Too few of something: its name, what is there, what is needed.
    TooFew(&'static str, u64, u64),
    /// It costs more than the renter pays.
    TooDear(PerHour),
    /// Its cards are pretended, which must be asked for.
    Simulated,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherResource => write!(f, "another resource was asked for"),
            Self::Unavailable => write!(f, "its owner does not offer it now"),
            Self::Busy => write!(f, "a job holds it now"),
            Self::Model(model) => write!(f, "its model is {model}"),
            Self::TooFew(what, have, need) => {
                write!(f, "it has {have} {what}, the job needs {need}")
            }
            Self::TooDear(price) => write!(f, "it costs {} units an hour, more than the highest price given", price.0),
            Self::Simulated => write!(f, "its card is simulated (accept those with --simulated)"),
        }
    }
}

/// The chosen offer, or what stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// The cheapest offer that fits.
    Offer(&'a Offer),
    /// Nobody offers anything.
    NoOffers,
    /// The offer with the fewest obstacles, and those.
    Nearest(&'a Offer, Vec<Obstacle>),
}

/// Takes the cheapest offer that fits; equal prices go to real hardware first and then by name, so that the
/// same book always gives the same answer.
#[must_use]
pub fn choose<'a>(offers: &'a [Offer], needs: &Needs) -> Choice<'a> {
    let order = |offer: &&Offer| (offer.price, offer.hardware.simulated, offer.id);
    if let Some(offer) = offers.iter().filter(|offer| obstacles(offer, needs).is_empty()).min_by_key(order) {
        return Choice::Offer(offer);
    }
    let nearest = offers.iter().min_by_key(|offer| (obstacles(offer, needs).len(), order(offer)));
    nearest.map_or(Choice::NoOffers, |offer| Choice::Nearest(offer, obstacles(offer, needs)))
}

fn obstacles(offer: &Offer, needs: &Needs) -> Vec<Obstacle> {
    let have = &offer.hardware;
    let mut found = Vec::new();
    if needs.id.is_some_and(|id| id != offer.id) {
        found.push(Obstacle::OtherResource);
    }
    if !offer.available {
        found.push(Obstacle::Unavailable);
    }
    if offer.busy {
        found.push(Obstacle::Busy);
    }
    if let Some(model) = &needs.model
        && !have.model.to_lowercase().contains(&model.to_lowercase())
    {
        found.push(Obstacle::Model(have.model.clone()));
    }
    let figures = [
        ("GPUs", u64::from(have.gpus), u64::from(needs.gpus)),
        ("MiB of GPU memory", have.vram.0, needs.vram.0),
        ("CPUs", u64::from(have.cpus), u64::from(needs.cpus)),
        ("MiB of memory", have.memory.0, needs.memory.0),
        ("MiB of disk", have.disk.0, needs.disk.0),
    ];
    found.extend(
        figures
            .into_iter()
            .filter(|(_, have, need)| have < need)
            .map(|(what, have, need)| Obstacle::TooFew(what, have, need)),
    );
    if needs.max_price.is_some_and(|max| offer.price > max) {
        found.push(Obstacle::TooDear(offer.price));
    }
    if have.simulated && !needs.simulated {
        found.push(Obstacle::Simulated);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hardware, Mebibytes, ResourceId};

    fn offer(id: u8, price: u128, gpus: u16, simulated: bool) -> Offer {
        Offer {
            id: ResourceId([id; 32]),
            hardware: Hardware {
                model: "NVIDIA H100".into(),
                gpus,
                vram: Mebibytes(81_920),
                cpus: 2,
                memory: Mebibytes(4096),
                disk: Mebibytes(8192),
                simulated,
            },
            price: PerHour(price),
            available: true,
            busy: false,
        }
    }

    #[test]
    fn the_cheapest_that_fits_is_chosen_and_real_before_simulated() {
        let offers =
            [offer(1, 300, 1, false), offer(2, 200, 1, false), offer(3, 100, 0, false), offer(4, 200, 1, true)];
        let needs = Needs { gpus: 1, simulated: true, model: Some("h100".into()), ..Needs::default() };
        assert_eq!(choose(&offers, &needs), Choice::Offer(&offers[1]));
    }

    #[test]
    fn no_match_names_the_nearest_and_each_obstacle() {
        let offers = [offer(1, 300, 1, true), Offer { busy: true, ..offer(2, 900, 0, false) }];
        let needs = Needs { gpus: 2, max_price: Some(PerHour(500)), ..Needs::default() };
        let Choice::Nearest(nearest, obstacles) = choose(&offers, &needs) else { panic!("something matched") };
        assert_eq!(nearest.id, offers[0].id);
        assert_eq!(obstacles, [Obstacle::TooFew("GPUs", 1, 2), Obstacle::Simulated]);
        assert_eq!(choose(&[], &needs), Choice::NoOffers);
    }
}
