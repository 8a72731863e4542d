//! What a gateway asks the index.

mod court;
mod jobs;
mod money;
mod providers;

pub use jobs::{JOB_EVENTS_MAX, JobFilter};

/// Most rows of one read, whatever was asked for: a page of 200, below a megabyte, and the one after it that tells
/// whether there is more.
pub const PAGE_MAX: u64 = 201;
