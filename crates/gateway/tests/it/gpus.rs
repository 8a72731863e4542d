//! What can be rented.

mod list;
mod show;
