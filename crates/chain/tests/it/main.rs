//! The chain crate against a real development chain.

mod happy;
