//! What all connections of one gateway share. None of it is market state: it can be lost at any moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use chain::Market;
use content::BlockStore;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{GatewayConfig, config::Limits, feed::Feeds, link::Links, listings::Listings};

/// Shared by every connection.
pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) public_url: Option<Url>,
    pub(crate) market: Market,
    pub(crate) store: Arc<BlockStore>,
    pub(crate) feeds: Feeds,
    pub(crate) links: Links,
    pub(crate) listings: Listings,
    /// One permit for each client on `/api/v1/ws`.
    pub(crate) clients: Arc<Semaphore>,
    /// One permit for each agent that has not proven who it is.
    pub(crate) pending_links: Arc<Semaphore>,
    /// Open WebSockets, which the server does not count as connections any more.
    pub(crate) sockets: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    numbers: AtomicU64,
}

impl State {
    pub(crate) fn new(
        config: &GatewayConfig,
        market: Market,
        store: Arc<BlockStore>,
        shutdown: CancellationToken,
    ) -> Shared {
        let limits = config.limits.clone();
        Arc::new(Self {
            feeds: Feeds::new(&limits),
            links: Links::new(limits.links),
            listings: Listings::new(market.clone(), config.from_block, &limits),
            clients: Arc::new(Semaphore::new(limits.clients)),
            pending_links: Arc::new(Semaphore::new(limits.pending_links)),
            sockets: TaskTracker::new(),
            shutdown,
            numbers: AtomicU64::new(1),
            limits,
            public_url: config.public_url.clone(),
            market,
            store,
        })
    }

    /// A number for a new connection, larger than all before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// Unix seconds by this machine's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
