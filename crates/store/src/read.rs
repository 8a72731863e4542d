//! What a gateway asks the index.

mod jobs;
mod money;
mod providers;

pub use jobs::{JOB_EVENTS_MAX, JobFilter};

/// Most rows of one page, whatever was asked for: an answer stays below a megabyte.
pub const PAGE_MAX: u64 = 200;
