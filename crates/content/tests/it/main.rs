//! Content as its users see it: stores, DAGs, images, gateways and other people's tools.

mod car;
mod fetch;
mod fixture;
mod gateway;
mod image;
mod peers;
mod speed;
mod store;
mod tree;
mod upload;
mod vectors;
