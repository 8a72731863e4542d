//! Settings, as plain values: whoever composes the program fills them in.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use alloy_primitives::Address;
use content::UploadConfig;
use url::Url;
use wire::{http::FEED_EVENTS_MAX, link};

use crate::{HttpPayments, MarketWallet};

/// Everything that a gateway can be told.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address that agents dial, `https://…`. Without one the `Host` header of their request is believed, which a
    /// proxy in front may have changed.
    pub public_url: Option<Url>,
    /// A block at or before the market's first, where looking for listings begins. From 0 it takes too long on a long
    /// chain whose node refuses to look through all of it at once.
    pub from_block: u64,
    /// Who signs the commits of this market's receipts, for `health` to name.
    pub recorder: Option<Address>,
    /// Where those are committed: what receipts are verified against.
    pub register: Option<Address>,
    /// Who operates this gateway: sees all disputes and the money that belongs to nobody known. What they decide they
    /// sign with keys of their own.
    pub operators: Vec<Address>,
    /// The money that it keeps for people; without it, people pay with wallets of their own.
    pub wallet: Option<MarketWallet>,
    /// Wei that jobs which it relays for their renters may cost its watcher in a day of UTC.
    pub relayed_wei_a_day: u128,
    /// What it takes payments over HTTP with.
    pub x402: Option<HttpPayments>,
    /// Proxies in front whose `X-Forwarded-For` is believed; anybody else's is his own word.
    pub trusted_proxies: Vec<IpAddr>,
    /// An agent signs this often that it runs its jobs; the watcher reports who missed four.
    pub heartbeat: Duration,
    /// The payment channels of its chain, where time is sold by the tick.
    pub channels: Option<chain::X402>,
    /// Where providers' tills stand: agents sell for these and no others.
    pub tills: Option<Address>,
    /// How much it holds and how long it waits.
    pub limits: Limits,
    /// What `/ipfs` hands out, and how slowly it may be taken. Unless `serves` says otherwise that is what is under a
    /// pin of the store: uploads that were completed and what this machine's owner pinned.
    pub content: content::GatewayConfig,
    /// How much may be uploaded, how much of it unfinished, and how slowly.
    pub upload: UploadConfig,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            // Nobody else's machine is served unless somebody says so.
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            public_url: None,
            from_block: 0,
            recorder: None,
            register: None,
            operators: Vec::new(),
            wallet: None,
            relayed_wei_a_day: payments::treasury::GAS_A_DAY_WEI,
            x402: None,
            trusted_proxies: Vec::new(),
            heartbeat: Duration::from_secs(market::rules::HEARTBEAT.0),
            channels: None,
            tills: None,
            limits: Limits::default(),
            content: content::GatewayConfig::default(),
            upload: UploadConfig::default(),
        }
    }
}

/// Where a gateway listens unless told otherwise.
const DEFAULT_PORT: u16 = 4510;
/// The largest JSON body of any route: the largest one documented has under 1 KiB.
pub(crate) const JSON_BODY_BYTES_MAX: usize = 64 << 10;
/// Receipts verified at once: each asks the chain's endpoint a dozen times.
pub(crate) const VERIFICATIONS_MAX: usize = 8;
/// A verification is given up after this: an endpoint that looks through a whole chain in pieces takes its time.
pub(crate) const VERIFY_WITHIN: Duration = Duration::from_secs(30);
/// Entries of one page of a list.
pub(crate) const PAGE_MAX: usize = 200;
/// Listings shown with their provider: an agent announces at most a third of these.
pub(crate) const PROVIDER_RESOURCES_MAX: usize = 200;
/// The longest hardware name that is listed; drivers give names of under 64 bytes.
pub(crate) const MODEL_BYTES_MAX: usize = 128;
/// Feed events written to a client before its own words are looked at again.
pub(crate) const FEED_BATCH: usize = 64;
/// Messages waiting for one agent: only `Ready` and answers go that way, a few for each job.
pub(crate) const LINK_OUTBOX_MAX: usize = 64;
/// Bytes of events kept of one provider or account: each has under 1 KiB.
pub(crate) const TOLD_BYTES_MAX: usize = 128 << 10;
/// Hours of providers whose seconds are not written yet: a day of a thousand providers without a database.
pub(crate) const HOURS_UNWRITTEN_MAX: usize = 24_000;
/// The largest signed record of an agent's that is remembered: a few times what one about a spec with all inputs has.
pub(crate) const RECORD_BYTES_MAX: usize = 32 << 10;
/// Records of one agent that wait for the chain at once.
pub(crate) const RECORDS_OF_AGENT_MAX: usize = 64;
/// Bytes of a sign-in message: wallets show it whole, and nobody reads more.
pub(crate) const SIWE_MESSAGE_BYTES_MAX: usize = 4 << 10;
/// How long a sign-in's nonce is good: longer than a person takes to find his wallet's window.
pub(crate) const NONCE_FOR: Duration = Duration::from_secs(600);
/// How long a session is good: a day's work, and no longer than a lost machine should be believed.
pub(crate) const SESSION_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long a session of an account with a password is good: browsers make the next one by themselves.
pub(crate) const ACCOUNT_SESSION_FOR: Duration = Duration::from_secs(3600);
/// How long nobody is asked for his password again who comes back.
pub(crate) const REFRESH_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Sessions that one account opens at once, and how soon the next: someone with many machines, not a program that signs
/// in for every request. At most 1,470 of one account are good together.
pub(crate) const SESSIONS_MAX: NonZeroU32 = at_least_one(30);
pub(crate) const SESSION_EVERY: Duration = Duration::from_secs(60);
/// Gas that a job which is relayed is reckoned to take: the renter's payment, and the job.
pub(crate) const RELAYED_GAS: u64 = 400_000;
/// Its price may rise so many times before it is mined.
pub(crate) const RELAYED_GAS_RISE: u128 = 2;
/// Jobs of one account whose gas is paid here at once, and how soon the next. A job of one second costs its renter next
/// to nothing and this gateway as much gas as any.
pub(crate) const RELAYED_MAX: NonZeroU32 = at_least_one(20);
pub(crate) const RELAYED_EVERY: Duration = Duration::from_secs(60);
/// Specs held of jobs that were priced and that the chain does not have: 64 MiB at most.
pub(crate) const QUOTED_SPECS_MAX: usize = 1024;
/// Of these, those of one renter: as many as a person weighs against each other.
pub(crate) const QUOTED_OF_RENTER_MAX: usize = 32;
/// Offers held of jobs that can be paid for over HTTP: some 2 MiB.
pub(crate) const X402_OFFERS_HELD_MAX: usize = 4096;
/// Times that a payment which lies at its job's address is swept or returned at this gateway's gas.
pub(crate) const SWEEP_TRIES_MAX: u32 = 8;
/// Log lines of one answer.
pub(crate) const LOG_LINES_MAX: usize = 1000;
/// Events of a job that are looked through for one answer of log lines.
pub(crate) const LOG_EVENTS_READ_MAX: usize = 4 * LOG_LINES_MAX;
/// Leases whose last word from their agent is held: a few KiB each, and any can be asked for again.
pub(crate) const LEASES_REMEMBERED_MAX: usize = 8192;
/// Of one agent: many times what a machine serves at once, so that no agent pushes out the others'.
pub(crate) const LEASES_OF_AGENT_MAX: usize = 64;
/// Reports of silence on their way at once.
pub(crate) const REPORTS_AT_ONCE: usize = 16;
/// Events of one job that fit into [`FEED_BYTES_MAX`] whatever their size.
const LARGEST_EVENTS_HELD: usize = 16;
/// Bytes of events kept of one job: 20,000 lines of an ordinary log.
pub(crate) const FEED_BYTES_MAX: usize = 8 << 20;
/// Bytes of events kept of all jobs together: fits beside the rest in a small machine.
pub(crate) const FEEDS_BYTES_MAX: usize = 256 << 20;

// A feed that could not hold its newest event would never move.
const _: () = assert!(FEED_BYTES_MAX >= LARGEST_EVENTS_HELD * link::MESSAGE_BYTES_MAX);
const _: () = assert!(FEEDS_BYTES_MAX >= LARGEST_EVENTS_HELD * FEED_BYTES_MAX);

/// How much a gateway holds and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events kept of one job.
    pub feed_events: usize,
    /// Bytes of events kept of one job.
    pub feed_bytes: usize,
    /// Bytes of events kept of all jobs.
    pub feeds_bytes: usize,
    /// Jobs with news held, announced by an agent.
    pub feeds: usize,
    /// Jobs that somebody waits for and no agent has announced. Strangers can invent these, so they have
    /// a room of their own.
    pub awaited_feeds: usize,
    /// HTTP connections at once; others wait to be accepted. WebSockets are counted on their own.
    pub connections: usize,
    /// A request's head must have come within this time.
    pub head_within: Duration,
    /// A JSON body must have come within this time.
    pub body_within: Duration,
    /// A client that takes nothing of what is written to it for this long is cut off.
    pub write_within: Duration,
    /// Agents linked at once.
    pub links: usize,
    /// Connections of agents that have not proven who they are.
    pub pending_links: usize,
    /// Jobs that one agent may announce; it has at most a few for each of its resources.
    pub jobs_per_link: usize,
    /// Clients on `/api/v1/ws` at once.
    pub clients: usize,
    /// Topics of one client.
    pub subscriptions: usize,
    /// Refused messages after which a client is sent away.
    pub refusals: usize,
    /// An agent not heard for this long is called stale.
    pub stale_after: Duration,
    /// An agent not heard for this long is called offline.
    pub offline_after: Duration,
    /// Presence in a list may be this old.
    pub presence_fresh: Duration,
    /// Uptime in a list may be this old.
    pub uptime_fresh: Duration,
    /// The index may be this far behind the chain before the gateway calls itself not ready.
    pub index_lag: Duration,
    /// How much one client may ask for.
    pub rates: RateLimits,
    /// Events kept of one provider, or of one account.
    pub provider_feed_events: usize,
    /// Providers with news held, and accounts.
    pub provider_feeds: usize,
    /// Agents whose last word is remembered.
    pub agents_remembered: usize,
    /// Measurements of an agent that come sooner after one another are passed over.
    pub metrics_apart: Duration,
    /// Jobs whose measurements of the last hour are held.
    pub jobs_measured: usize,
    /// Measurements that the database does not have yet.
    pub metrics_unwritten: usize,
    /// Measurements are written to the database this often.
    pub metrics_written_every: Duration,
    /// Jobs that the watcher watches over.
    pub jobs_watched: usize,
    /// Records of jobs that wait for what the chain says of them.
    pub records_waiting: usize,
    /// An agent must have said hello within this time.
    pub hello_within: Duration,
    /// An open socket looks this often whether the session that opened its topics still lasts.
    pub sessions_looked_every: Duration,
    /// A quiet socket is pinged this often.
    pub ping_every: Duration,
    /// A socket from which nothing came for this long is closed.
    pub idle_after: Duration,
    /// A message that cannot be written within this time ends the connection.
    pub send_within: Duration,
    /// Chain reads of one burst that run at once.
    pub chain_reads: usize,
    /// A burst of chain reads is given up after this.
    pub chain_within: Duration,
    /// Open connections get this long when the gateway stops.
    pub shutdown_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            feed_events: FEED_EVENTS_MAX,
            feed_bytes: FEED_BYTES_MAX,
            feeds_bytes: FEEDS_BYTES_MAX,
            feeds: 8192,
            awaited_feeds: 2048,
            connections: 4096,
            head_within: Duration::from_secs(30),
            body_within: Duration::from_secs(30),
            // After the body's own pace has given the place of its answer back.
            write_within: content::BODY_IDLE + Duration::from_secs(30),
            links: 1024,
            pending_links: 256,
            jobs_per_link: 4 * link::RESOURCES_MAX,
            clients: 4096,
            subscriptions: 32,
            refusals: 16,
            // Two heartbeats may get lost; PROTOCOL's names.
            stale_after: Duration::from_secs(60),
            offline_after: Duration::from_secs(180),
            // Nobody sees a difference, and a list is joined at most four times a second however many ask.
            presence_fresh: Duration::from_millis(250),
            // It is a share of seven days: a minute more or less is nothing.
            uptime_fresh: Duration::from_secs(60),
            // Several blocks of any chain this is meant for, and less than a heartbeat.
            index_lag: Duration::from_secs(30),
            rates: RateLimits::default(),
            // Three quarters of an hour of measurements.
            provider_feed_events: 256,
            // 256 MiB of each at most.
            provider_feeds: 2048,
            // Eight times as many as are linked at once.
            agents_remembered: 8192,
            // Half the usual pace: a late one and a punctual one may follow each other.
            metrics_apart: Duration::from_secs(link::METRICS_EVERY_S / 2),
            // 720 points of 32 bytes each: under 64 MiB.
            jobs_measured: 2048,
            // What all agents that may be linked measure in a minute and more.
            metrics_unwritten: 8192,
            metrics_written_every: Duration::from_secs(10),
            // One key pays the gas of all reports.
            jobs_watched: 4096,
            // 32 MiB at most.
            records_waiting: 1024,
            hello_within: Duration::from_secs(10),
            // Who signs out expects silence soon; one cheap read for each socket that a session opened.
            sessions_looked_every: Duration::from_secs(30),
            // Shorter than the minute after which common proxies drop a quiet connection.
            ping_every: Duration::from_secs(20),
            idle_after: Duration::from_secs(65),
            send_within: Duration::from_secs(10),
            chain_reads: 16,
            chain_within: Duration::from_secs(5),
            shutdown_within: Duration::from_secs(5),
        }
    }
}

const fn at_least_one(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once, after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate; nought counts as one.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: at_least_one(per_second), burst: at_least_one(burst) }
    }
}

/// How much one client address, and one signed-in account, may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// GET and HEAD.
    pub reads: Rate,
    /// Everything else.
    pub writes: Rate,
    /// What tries to sign in: each attempt costs a row and a signature check.
    pub sign_in: Rate,
    /// Clients remembered of each kind; beyond, those of one network share a budget.
    pub clients: usize,
    /// This machine's own programs are not limited.
    pub spare_loopback: bool,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            // A page with many open tabs behind one office address.
            reads: Rate::new(200, 1000),
            // A job needs two or three of them.
            writes: Rate::new(50, 200),
            sign_in: Rate::new(2, 30),
            // About 100 bytes each.
            clients: 100_000,
            spare_loopback: false,
        }
    }
}
