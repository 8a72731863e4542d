//! What agents say.

pub(crate) mod link;
