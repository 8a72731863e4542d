//! The renter's side: quote, push, create, sign Ready, watch, fetch, verify. Also the Rust client of a market.
//!
//! It trusts neither the gateway nor the agent: offers are compared with the chain, content with its hash,
//! records with the digests on chain and the agent's signature.

mod config;
pub use config::{FollowConfig, RenterConfig};

mod error;
pub use error::RenterError;

mod template;
pub use template::JobTemplate;

mod quote;
pub use quote::{Quote, Shortfall};

mod gateway;
pub use gateway::{GatewayClient, JobsWanted, Session};

mod job_file;
pub use job_file::{JobFile, JobFiles};

mod order;
pub use order::{Controller, Order, Placed};

mod feed;
pub use feed::{Feed, FeedItem};

mod watch;
pub use watch::{Seen, Step, View, next};

mod follow;
pub use follow::{Acting, Ending, Until, Update};

mod result;
pub use result::FetchedResult;

mod client;
pub use client::Renter;

mod settle;
pub use settle::dispute;

mod stop;
pub use stop::Stopped;

mod lease;
pub use lease::{LeaseClient, LeasePreview, LeaseRefund, OpenLease};
