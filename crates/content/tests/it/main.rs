//! Content as its users see it: stores, DAGs, images, gateways and other people's tools.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

mod archives;
mod car;
mod fetch;
mod fixture;
mod gateway;
mod gc;
mod image;
mod peers;
mod registry;
mod scan;
mod speed;
mod store;
mod tree;
mod upload;
mod uses;
mod vectors;
