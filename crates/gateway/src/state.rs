//! What all connections of one gateway share. None of it is market state: it can be lost at any moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy_primitives::Address;
use chain::{Account, Market};
use content::BlockStore;
use indexer::Progress;
use payments::treasury::GasBudget;
use store::{AccountId, ProviderRow, Store};
use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{
    GatewayConfig, GatewayKeys, HttpPayments, MarketWallet,
    board::{Board, Facts, Shown},
    config::{Limits, VERIFICATIONS_MAX},
    feed::{Feeds, Told},
    gauges::Gauges,
    http::{Contract, Rates},
    leases::Leases,
    link::Links,
    listings::Listings,
    orders::{Quoted, Relays},
    watcher::Watch,
    x402::Offers,
};

/// Shared by every connection.
pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) public_url: Option<Url>,
    /// Signs the commits of receipts.
    pub(crate) recorder: Option<Address>,
    /// Where receipts are committed.
    pub(crate) register: Option<Address>,
    /// Sees what only operators may.
    pub(crate) operators: Vec<Address>,
    /// The money that it keeps for people.
    pub(crate) wallet: Option<MarketWallet>,
    /// What it takes payments over HTTP with.
    pub(crate) x402: Option<HttpPayments>,
    /// Jobs that were offered for a payment.
    pub(crate) offers: Offers,
    /// A block at or before the market's first.
    pub(crate) from_block: u64,
    /// Watches over jobs that name it as their controller.
    pub(crate) watcher: Option<Account>,
    pub(crate) market: Market,
    pub(crate) blocks: Arc<BlockStore>,
    pub(crate) store: Store,
    /// How far the index is.
    pub(crate) index: watch::Receiver<Progress>,
    /// Every listing with who is heard.
    pub(crate) board: Board,
    pub(crate) feeds: Feeds,
    /// News of providers.
    pub(crate) providers: Told<u32>,
    /// News of accounts.
    pub(crate) accounts: Told<AccountId>,
    /// What agents measure, and when they are heard.
    pub(crate) gauges: Gauges,
    /// What agents say that the watcher waits for.
    pub(crate) watch: Watch,
    pub(crate) heartbeat: Duration,
    pub(crate) links: Links,
    /// Time that is sold by the tick.
    pub(crate) leases: Leases,
    /// The payment channels of its chain.
    pub(crate) channels: Option<chain::X402>,
    /// Where providers' tills stand.
    pub(crate) tills: Option<Address>,
    /// What the watcher may spend on jobs that it relays.
    pub(crate) relayed_gas: Option<GasBudget>,
    /// Jobs that are on their way to the chain.
    pub(crate) relays: Relays,
    /// Specs that were priced and whose jobs the chain does not have.
    pub(crate) quoted: Quoted,
    pub(crate) listings: Listings,
    /// What this gateway answers, described.
    pub(crate) contract: Contract,
    /// How much each client may ask for.
    pub(crate) rates: Rates,
    /// One permit for each client on `/api/v1/ws`.
    pub(crate) clients: Arc<Semaphore>,
    /// One permit for each agent that has not proven who it is.
    pub(crate) pending_links: Arc<Semaphore>,
    /// One permit for each receipt that is being verified.
    pub(crate) verifications: Semaphore,
    /// Open WebSockets, which the server does not count as connections any more.
    pub(crate) sockets: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    numbers: AtomicU64,
}

/// What a gateway is built from.
pub(crate) struct Parts {
    pub(crate) market: Market,
    pub(crate) blocks: Arc<BlockStore>,
    pub(crate) store: Store,
    pub(crate) index: watch::Receiver<Progress>,
    pub(crate) keys: GatewayKeys,
}

impl State {
    pub(crate) fn new(config: &GatewayConfig, parts: Parts, shutdown: CancellationToken) -> Shared {
        let limits = config.limits.clone();
        let Parts { market, blocks, store, index, keys } = parts;
        let chain_id = market.domain().chain_id;
        let budget = |key: &Account| GasBudget::new(store.clone(), chain_id, key.address(), config.relayed_wei_a_day);
        Arc::new(Self {
            relayed_gas: keys.watcher.as_ref().map(budget),
            feeds: Feeds::new(&limits),
            providers: Told::new(&limits),
            accounts: Told::new(&limits),
            gauges: Gauges::new(&limits),
            watch: Watch::new(market.domain(), &limits),
            heartbeat: config.heartbeat,
            links: Links::new(limits.links),
            leases: Leases::default(),
            channels: config.channels,
            tills: config.tills,
            relays: Relays::default(),
            quoted: Quoted::default(),
            listings: Listings::new(market.clone(), config.from_block, &limits),
            board: Board::new(market.token(), &limits),
            contract: Contract::new(),
            rates: Rates::new(&limits.rates, config.trusted_proxies.clone()),
            clients: Arc::new(Semaphore::new(limits.clients)),
            pending_links: Arc::new(Semaphore::new(limits.pending_links)),
            verifications: Semaphore::new(VERIFICATIONS_MAX),
            sockets: TaskTracker::new(),
            shutdown,
            numbers: AtomicU64::new(1),
            limits,
            public_url: config.public_url.clone(),
            recorder: config.recorder,
            register: config.register,
            operators: config.operators.clone(),
            wallet: config.wallet.clone(),
            x402: config.x402.clone(),
            offers: Offers::default(),
            from_block: config.from_block,
            watcher: keys.watcher,
            market,
            blocks,
            store,
            index,
        })
    }

    /// Every listing as it is now.
    pub(crate) fn gpus(&self) -> Arc<Shown> {
        self.board.shown(&|agent| self.gauges.heard_at(agent), now())
    }

    /// What is known of a provider beside the chain.
    pub(crate) fn facts(&self, provider: &ProviderRow, now: u64) -> Facts {
        self.board.facts(provider, &|agent| self.gauges.heard_at(agent), now)
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
