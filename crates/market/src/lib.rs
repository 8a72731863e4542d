//! Nouns and rules of the exchange: units, money from seconds, job states, and the choice of a resource.
//!
//! Nothing here does I/O, reads a clock or knows a wire format: time is an argument and results are values.

mod units;
pub use units::{Amount, BasisPoints, Mebibytes, PerHour, Seconds, Timestamp};

pub mod rules;

mod stream;
pub use stream::{Clock, Settlement, Stream};

mod payout;
pub use payout::{Ending, Payout};

mod dispute;
pub use dispute::{Pot, Resolution, Verdict, bond};

mod job;
pub use job::{JobId, Outcome, Status};

mod resource;
pub use resource::{Hardware, Needs, Offer, ResourceId};

mod choose;
pub use choose::{Choice, Obstacle, choose};
