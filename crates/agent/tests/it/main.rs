//! The agent against a real chain, a real engine and a gateway that speaks the protocol.

mod bad_input;
mod endings;
mod gateway;
mod happy;
mod listing;
mod restart;
mod stage;
mod walls;
