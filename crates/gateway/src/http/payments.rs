//! What a job costs while it runs.

pub(crate) mod stream;
