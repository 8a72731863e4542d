//! What can go wrong, sorted by what the caller does next.

use std::{io, net::SocketAddr};

use store::StoreError;
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
    /// Nobody is signed in.
    #[error(
        "{reason}; sign in with POST /api/v1/auth/siwe/nonce and /verify, and send the token as `Authorization: Bearer`"
    )]
    NotSignedIn {
        /// Why not.
        reason: &'static str,
    },
    /// A message or signature that signs nobody in.
    #[error("nobody is signed in: {reason}")]
    SignIn {
        /// What is wrong and what to do.
        reason: String,
    },
    /// A page of somebody else tries to use a session.
    #[error("a cookie counts only on this gateway's own pages; send the token as `Authorization: Bearer` instead")]
    ForeignPage,
    /// Whoever is signed in may not do this.
    #[error("{who} may not do this: {reason}")]
    Forbidden {
        /// Who is signed in.
        who: alloy_primitives::Address,
        /// Who may.
        reason: String,
    },
    /// What is prepared must be signed by a wallet, and he signed in with a password.
    #[error("this needs a wallet's signature: sign in with a wallet, POST /api/v1/auth/siwe/nonce and /verify")]
    NoWallet,
    /// It contradicts what there is already.
    #[error("{what}")]
    Conflict {
        /// What is there, and what to do.
        what: String,
    },
    /// Nothing that is listed fits.
    #[error("no resource fits: {why}")]
    NoMatch {
        /// The nearest, and what stands in the way.
        why: String,
    },
    /// The wallet holds less than the job locks.
    #[error("{what}")]
    Funds {
        /// How much is missing, and what to do.
        what: String,
    },
    /// An idempotency key was used before, for another request.
    #[error("this Idempotency-Key was used for another request; send a new key with a new request")]
    KeyReused,
    /// The first request with this idempotency key is not answered yet.
    #[error("the first request with this Idempotency-Key is still at work; send it again in a second")]
    InFlight,
    /// Something was sent and nobody knows yet what became of it.
    #[error("{what}")]
    Unknown {
        /// What is not known, and how to find out.
        what: String,
    },
    /// Something that this gateway needs for it is not there now.
    #[error("{what}")]
    Unavailable {
        /// What is missing, and what to do.
        what: String,
    },
    /// This gateway was not set up for it.
    #[error("{what}")]
    NotHere {
        /// What it lacks, and what to do instead.
        what: String,
    },
    /// A client asks for more than its share.
    #[error("too many requests; ask again in {retry_after_s} s")]
    TooMany {
        /// When there is budget again.
        retry_after_s: u64,
    },
    /// The database did not answer.
    #[error("the database cannot be used now ({0}); try again in a few seconds")]
    Store(#[from] StoreError),
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
        matches!(
            self,
            Self::Chain { .. }
                | Self::Busy { .. }
                | Self::TooMany { .. }
                | Self::Store(_)
                | Self::InFlight
                | Self::Unknown { .. }
                | Self::Unavailable { .. }
        )
    }
}
