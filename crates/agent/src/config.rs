//! Settings, as plain values: whoever composes the program fills them in.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::Address;
use chain::{ChainConfig, Wallet};
use market::{Amount, Mebibytes, PerHour};
use url::Url;

use crate::egress::{Mirrors, NetworkPolicy};

/// How an agent works.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Where it keeps jobs, content and its place on the chain. One agent at a time works in it.
    pub state_dir: PathBuf,
    /// The chain.
    pub chain: ChainConfig,
    /// The Market contract.
    pub market: Address,
    /// Nothing of the market is older than this block.
    pub deployed_at: u64,
    /// The hot key: accepts, starts, completes, beats.
    pub agent: Wallet,
    /// The cold key, where the agent shall list the machine itself.
    pub owner: Option<Wallet>,
    /// The gateway that relays to renters and takes results.
    pub gateway: Option<Url>,
    /// Dials a gateway elsewhere without TLS, where the way to it is closed off otherwise.
    pub allow_plain_gateway: bool,
    /// HTTP gateways that content is fetched from, in this order, before the gateway is asked.
    pub content_sources: Vec<Url>,
    /// How often it says that it is alive.
    pub heartbeat: Duration,
    /// Price of an hour, in smallest units of the market's token.
    pub price_per_hour: PerHour,
    /// Stake that the machine is to have at least, put down by the owner's key: as many seconds of pay as it is worth come
    /// at once, the rest an hour late.
    pub stake: Option<Amount>,
    /// Where the machine stands, as its owner says: small letters, digits, `-`, `_`, `.` or `/`. It is written into the
    /// listing, which never changes: what is said first stays.
    pub region: Option<String>,
    /// What of the machine is offered.
    pub offered: Offered,
    /// Pretends a card.
    pub simulate: Option<Simulated>,
    /// What jobs may reach at most.
    pub network: NetworkPolicy,
    /// Hosts that jobs reach at an address of the owner's.
    pub mirrors: Mirrors,
    /// Files, by their SHA-256, that no image may hold.
    pub known_bad: HashSet<content::Digest>,
    /// The container engine's socket.
    pub docker: PathBuf,
    /// Most bytes of content kept.
    pub store_bytes_max: u64,
    /// How long the controller may take before a prepared job is refused.
    pub ready_within: Duration,
    /// How long sources are asked for content before it is called not found.
    pub fetch_within: Duration,
    /// Sells time by the tick too, over payment channels.
    pub leases: Option<LeaseConfig>,
}

/// How time is sold by the tick.
#[derive(Clone, Debug)]
pub struct LeaseConfig {
    /// The contract that holds the channels.
    pub contract: Address,
    /// Where providers' tills stand: that of this machine's provider is paid.
    pub tills: Address,
    /// The contract passes over bad rows of a claim and closes in one call; the public one does neither.
    pub extended: bool,
    /// What opening a lease costs, in smallest units: at least twice the gas of a deposit.
    pub setup: u128,
    /// Seconds of a tick.
    pub tick_s: u32,
    /// The least delay of a channel, in seconds.
    pub withdraw_delay: u64,
    /// Leases at once, each with its share of the machine.
    pub leases_max: usize,
    /// How often the channels are looked at on chain.
    pub watch_every: Duration,
    /// So many smallest units are claimed at once.
    pub claim_at: u128,
    /// What is earned is claimed after so long at the latest.
    pub claim_after: Duration,
    /// A channel that no lease uses is closed after so long: what is left goes back to its payer.
    pub close_after: Duration,
    /// Keys that this agent had before: channels opened with them are claimed with them.
    pub former: Vec<Wallet>,
}

impl LeaseConfig {
    /// Settings with the usual values for everything that has one.
    #[must_use]
    pub fn new(contract: Address, tills: Address) -> Self {
        Self {
            contract,
            tills,
            extended: true,
            // A hundredth of a dollar: the gas of a deposit costs less than half of it on the chains this is meant for.
            setup: 10_000,
            tick_s: wire::http::TICK_S,
            withdraw_delay: 24 * 3600,
            leases_max: 1,
            // A small part of the shortest delay that a contract allows.
            watch_every: Duration::from_secs(15),
            // A dollar.
            claim_at: 1_000_000,
            claim_after: Duration::from_secs(15 * 60),
            // Somebody who tries a second program has not put his money in twice.
            close_after: Duration::from_secs(120),
            former: Vec::new(),
        }
    }
}

impl AgentConfig {
    /// Settings with the usual values for everything that has one.
    #[must_use]
    pub fn new(state_dir: PathBuf, chain: ChainConfig, market: Address, agent: Wallet, price: PerHour) -> Self {
        Self {
            state_dir,
            chain,
            market,
            deployed_at: 0,
            agent,
            owner: None,
            gateway: None,
            allow_plain_gateway: false,
            content_sources: Vec::new(),
            heartbeat: Duration::from_secs(market::rules::HEARTBEAT.0),
            price_per_hour: price,
            stake: None,
            region: None,
            offered: Offered::default(),
            simulate: None,
            network: NetworkPolicy::None,
            mirrors: Mirrors::new(),
            known_bad: HashSet::new(),
            docker: crate::engine::default_socket().to_owned(),
            // Several large images and their results.
            store_bytes_max: 256 << 30,
            ready_within: crate::limits::READY_WITHIN,
            // Long enough for a source that restarts, short enough to refuse within the time for accepting.
            fetch_within: Duration::from_secs(60),
            leases: None,
        }
    }
}

/// What of the machine is offered; `None` is all there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Processor threads.
    pub cpus: Option<u16>,
    /// Main memory.
    pub memory: Option<Mebibytes>,
    /// Disk.
    pub disk: Option<Mebibytes>,
}

/// A card that is pretended, for machines without one. Every record says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Simulated {
    /// NVIDIA GeForce RTX 4090, 24 GiB.
    Rtx4090,
    /// NVIDIA H100, 80 GiB.
    H100,
    /// NVIDIA A100, 80 GiB.
    A100,
    /// AMD Instinct MI300X, 192 GiB.
    Mi300x,
    /// Google TPU v5e, 16 GiB.
    TpuV5e,
}

impl Simulated {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rtx4090, Self::H100, Self::A100, Self::Mi300x, Self::TpuV5e];

    /// The name by which it is asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rtx4090 => "rtx4090",
            Self::H100 => "h100",
            Self::A100 => "a100",
            Self::Mi300x => "mi300x",
            Self::TpuV5e => "tpu-v5e",
        }
    }

    /// Finds one by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|card| card.name() == name)
    }

    /// The model's name in listings.
    #[must_use]
    pub fn model(self) -> &'static str {
        match self {
            Self::Rtx4090 => "NVIDIA GeForce RTX 4090 (simulated)",
            Self::H100 => "NVIDIA H100 80GB HBM3 (simulated)",
            Self::A100 => "NVIDIA A100-SXM4-80GB (simulated)",
            Self::Mi300x => "AMD Instinct MI300X (simulated)",
            Self::TpuV5e => "Google TPU v5e (simulated)",
        }
    }

    /// Memory of the real card.
    #[must_use]
    pub fn vram(self) -> Mebibytes {
        Mebibytes(match self {
            Self::Rtx4090 => 24 << 10,
            Self::H100 | Self::A100 => 80 << 10,
            Self::Mi300x => 192 << 10,
            Self::TpuV5e => 16 << 10,
        })
    }
}
