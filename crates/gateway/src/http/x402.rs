//! Payments over HTTP: a whole job for one payment, and payments that are settled for others.

pub(crate) mod facilitator;
pub(crate) mod jobs;
