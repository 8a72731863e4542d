//! What agents say.

mod link;
