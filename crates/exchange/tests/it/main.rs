//! Nodes of ours, peers that misbehave, and other people's nodes.

mod fixture;
mod puppet;

mod fetch;
mod hostile;
mod serve;
