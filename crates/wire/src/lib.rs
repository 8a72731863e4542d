//! Every format that crosses a process: signed agreements, the job spec, the agent link, feeds and HTTP bodies.
//!
//! A type here is a promise to strangers. It holds conversion and validation, no other logic; what arrives is
//! turned into these types before anything else looks at it.

mod error;
pub use error::WireError;

mod terms;
pub use terms::{Terms, TermsJson};

pub mod signed;
pub use signed::{Domain, SignatureBytes};

mod hardware;
pub use hardware::HardwareJson;

pub mod details;

pub mod schema;

mod network;
pub use network::{DESTINATIONS_MAX, Destination, Network};

pub mod spec;
pub use spec::JobSpec;

pub mod record;

pub mod receipt;

pub mod feed;
pub use feed::{JobEvent, JobNews};

pub mod link;

pub mod http;

pub mod x402;

mod document;
pub use document::{Document, document};

/// Where a running market is found; the file that `bourse up` and `bourse deploy` write and every verb reads.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketFile {
    /// JSON-RPC endpoint of the chain.
    pub rpc: String,
    /// The chain's id.
    pub chain_id: u64,
    /// Address of the Market contract.
    pub market: alloy_primitives::Address,
    /// Address of the settlement token.
    pub token: alloy_primitives::Address,
    /// Block in which the Market was deployed: nothing of it is older.
    pub deployed_at: u64,
    /// Where receipts are committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<alloy_primitives::Address>,
    /// Keys whose commits this market calls its own; a verifier decides for himself whom he trusts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorders: Vec<alloy_primitives::Address>,
    /// What stands beside the market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contracts: Option<MarketContracts>,
    /// Gateway that relays and serves content, if one is known.
    pub gateway: Option<String>,
}

/// The contracts beside a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketContracts {
    /// Providers' scores.
    pub reputation: alloy_primitives::Address,
    /// The list of markets that succeed each other.
    pub versions: alloy_primitives::Address,
    /// Addresses that buy a job.
    pub deposits: alloy_primitives::Address,
    /// Providers' tills for payments over HTTP.
    pub tills: alloy_primitives::Address,
    /// Deposits into the market's wallet.
    pub till: alloy_primitives::Address,
}
