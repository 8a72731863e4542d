//! What can go wrong, sorted by what the caller does next.

use std::{io, net::SocketAddr};

use wire::WireError;

/// Every failure of this crate: of starting and serving, and of answering one request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// Nothing can listen there.
    #[error("cannot listen at {listen}: {source}; choose another address, or stop what listens there")]
    Bind {
        /// Where.
        listen: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The chain did not answer, or not in time.
    #[error("the chain cannot be read now ({reason}); try again in a few seconds")]
    Chain {
        /// What it said.
        reason: String,
    },
    /// There is no such thing.
    #[error("{what}")]
    NotFound {
        /// What is missing and what to do.
        what: String,
    },
    /// There is the path, but not with this method.
    #[error("{method} is not answered here; see the list of routes")]
    Method {
        /// The method asked for.
        method: String,
    },
    /// A body is larger than its limit.
    #[error("the body is larger than the {limit} bytes this route reads: shorten it")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A body did not come in time.
    #[error("the body did not come within {within_s} s; send it again over a faster line")]
    Slow {
        /// The time it had.
        within_s: u64,
    },
    /// A body or parameter cannot be read.
    #[error("{field}: {reason}")]
    Malformed {
        /// Which: `body`, or the parameter's name.
        field: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The request is not a WebSocket handshake.
    #[error("this address is a WebSocket; connect with ws:// or wss://")]
    Upgrade,
    /// The document that arrived is refused.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// An upload without a valid pass.
    #[error("{source}; sign an upload pass for this root and send it as the Authorization header")]
    Pass {
        /// What is wrong with the pass.
        source: WireError,
    },
    /// Too many connections, jobs or messages.
    #[error("{what}; try again in a few seconds")]
    Busy {
        /// What there is no room for.
        what: &'static str,
    },
}

impl GatewayError {
    /// Whether the same call may succeed later, with nothing changed by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Chain { .. } | Self::Busy { .. })
    }
}
