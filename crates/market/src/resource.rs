//! What can be rented and what a job needs.

use std::fmt;

use crate::{Mebibytes, PerHour};

/// The hash of owner and device key: a listing's name everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub [u8; 32]);

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a resource is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// The card's name as its driver gives it, or the processor's where there is no card.
    pub model: String,
    /// Cards; 0 for a resource of processors only.
    pub gpus: u16,
    /// Memory of one card.
    pub vram: Mebibytes,
    /// Processor threads a job may use.
    pub cpus: u16,
    /// Main memory a job may use.
    pub memory: Mebibytes,
    /// Disk a job may use.
    pub disk: Mebibytes,
    /// The cards are pretended, for machines without one.
    pub simulated: bool,
}

/// A resource that somebody offers, as seen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub id: ResourceId,
    /// What.
    pub hardware: Hardware,
    /// Price of an hour.
    pub price: PerHour,
    /// The owner lists it.
    pub available: bool,
    /// A job holds it.
    pub busy: bool,
}

/// What a job asks of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A word that the model must contain, compared without case.
    pub model: Option<String>,
    /// Cards.
    pub gpus: u16,
    /// Memory of one card.
    pub vram: Mebibytes,
    /// Processor threads.
    pub cpus: u16,
    /// Main memory.
    pub memory: Mebibytes,
    /// Disk.
    pub disk: Mebibytes,
    /// The renter pays no more than this.
    pub max_price: Option<PerHour>,
    /// Pretended cards are good enough.
    pub simulated: bool,
    /// This very resource.
    pub id: Option<ResourceId>,
}
