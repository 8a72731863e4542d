//! What can be rented here.

pub(crate) mod list;
pub(crate) mod show;
