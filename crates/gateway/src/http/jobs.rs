//! What a renter says to the agent of his job.

pub(crate) mod ready;
