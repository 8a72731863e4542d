//! Nodes of ours, peers that misbehave, and other people's nodes.

mod fixture;
mod helia;
mod puppet;

mod fetch;
mod hostile;
mod interop;
mod network;
mod serve;
