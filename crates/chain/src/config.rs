//! Settings of everything here: plain values, filled in by whoever composes the program.

use std::{path::PathBuf, time::Duration};

use alloy::primitives::Address;
use market::{Amount, BasisPoints, Seconds, rules};
use url::Url;

/// Blocks that an event stream remembers: reorganisations of 256 blocks can be undone step by step, and the block below
/// them says where to go on.
pub const WINDOW: usize = 257;

/// While new blocks are announced the head is polled only every so many poll intervals, in case an announcement was
/// lost on the way.
pub const POLLS_SKIPPED: u32 = 10;

/// How to reach a chain.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// JSON-RPC endpoint, `http` or `https`. May hold an access key, so it is never logged.
    pub rpc: Url,
    /// WebSocket endpoint of the same node, `ws` or `wss`, which announces new blocks; without one, or while it does
    /// not answer, they are asked for. May hold an access key too.
    pub ws: Option<Url>,
    /// The id that the chain must have, when it is known.
    pub chain_id: Option<u64>,
    /// Time between two looks at the head; all users of one [`Chain`](crate::Chain) share them. While new blocks are
    /// announced it is [ten times](POLLS_SKIPPED) this.
    pub poll: Duration,
    /// One request's limit.
    pub request_timeout: Duration,
    /// A transaction without a receipt for this long has an unknown outcome.
    pub receipt_timeout: Duration,
    /// Blocks on top of and including a transaction's own before it counts as mined; at least 1.
    pub confirmations: u64,
}

impl ChainConfig {
    /// For public networks: half a second between polls, two minutes for a receipt.
    #[must_use]
    pub fn new(rpc: Url) -> Self {
        Self {
            rpc,
            ws: None,
            chain_id: None,
            poll: Duration::from_millis(500),
            request_timeout: Duration::from_secs(20),
            receipt_timeout: Duration::from_secs(120),
            confirmations: 1,
        }
    }

    /// For a chain on this machine: 100 ms between polls, which cost it and us less than a hundredth of a core, and a
    /// WebSocket at the same address.
    #[must_use]
    pub fn local(rpc: Url) -> Self {
        let ws = beside(&rpc);
        Self { ws, poll: Duration::from_millis(100), receipt_timeout: Duration::from_secs(60), ..Self::new(rpc) }
    }
}

/// The WebSocket at the address of an HTTP endpoint.
fn beside(rpc: &Url) -> Option<Url> {
    let mut ws = rpc.clone();
    ws.set_scheme(if rpc.scheme() == "https" { "wss" } else { "ws" }).ok()?;
    Some(ws)
}

/// How one key sends transactions.
#[derive(Clone, Copy, Debug)]
pub struct SendConfig {
    /// A transaction that is not mined for this long is offered again with a higher fee.
    pub bump_after: Duration,
    /// How often a fee is raised, at most.
    pub bumps_max: u32,
    /// No transaction ever offers more than this for a unit of gas, in wei.
    pub max_fee_per_gas: u128,
    /// A transaction that is not mined is handed to the node again this often, in case it was lost.
    pub resend_every: Duration,
}

impl Default for SendConfig {
    /// Bumps after 30 s, five times at most, which is 1.8 times the first fee; never above 1000 gwei.
    fn default() -> Self {
        Self {
            bump_after: Duration::from_secs(30),
            bumps_max: 5,
            max_fee_per_gas: 1_000_000_000_000,
            resend_every: Duration::from_secs(5),
        }
    }
}

/// How an event stream reads.
#[derive(Clone, Copy, Debug)]
pub struct StreamConfig {
    /// Blocks remembered for undoing.
    pub window: usize,
    /// Blocks that one request for old events spans, at most; providers refuse much larger ones.
    pub range: u64,
    /// The first wait after a failed request; it doubles up to `backoff_max`.
    pub backoff: Duration,
    /// The longest wait between two tries.
    pub backoff_max: Duration,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self { window: WINDOW, range: 1000, backoff: Duration::from_millis(50), backoff_max: Duration::from_secs(5) }
    }
}

/// A development chain run as a child process.
#[derive(Clone, Debug)]
pub struct DevChainConfig {
    /// The `anvil` program; the launcher of its npm package is followed to the program itself.
    pub anvil: PathBuf,
    /// Port on the loopback interface; 0 takes a free one.
    pub port: u16,
    /// Time between blocks; without one every transaction is mined at once.
    pub block_time: Option<Duration>,
    /// File that holds the chain while it does not run: read at the start where it exists, written on `stop`.
    pub state: Option<PathBuf>,
    /// Writes the state this often too, so that a killed chain loses no more than that.
    pub state_every: Option<Seconds>,
    /// The chain's id. With that of a real network what is signed here is valid there too.
    pub chain_id: u64,
    /// Gets what the program prints on its error output.
    pub log: Option<PathBuf>,
}

impl DevChainConfig {
    /// A chain that mines at once on a free port and is forgotten when it stops.
    #[must_use]
    pub fn new(anvil: PathBuf) -> Self {
        Self { anvil, port: 0, block_time: None, state: None, state_every: None, chain_id: 31337, log: None }
    }
}

/// What to deploy.
#[derive(Clone, Debug)]
pub struct DeployConfig {
    /// The platform's share of what is earned.
    pub fee: BasisPoints,
    /// The token that the market settles in, where it stands already; without one a development token is created.
    pub token: Option<Address>,
    /// Tokens to create and who gets them; only a development token can be made out of nothing.
    pub mint: Vec<(Address, Amount)>,
    /// Keys that may report a provider's silence in any job.
    pub oracles: Vec<Address>,
    /// Keys that may report a provider's silence in jobs that they control.
    pub watchers: Vec<Address>,
    /// Keys that may pause creating and registering, at once, next to the deployer.
    pub guardians: Vec<Address>,
    /// Keys that decide disputes and contested slashes. None of them may be a prosecutor, an oracle or a reporter: nobody
    /// judges what he brought up himself. Without any, a dispute is settled half and half after seven days.
    pub judges: Vec<Address>,
    /// Keys that propose slashes.
    pub prosecutors: Vec<Address>,
    /// Keys that report what scores are reckoned from.
    pub reporters: Vec<Address>,
    /// Where deposits into the market's wallet go; the deployer when nobody is named.
    pub treasury: Option<Address>,
    /// Where the platform's part of what is paid over HTTP goes; the deployer when nobody is named.
    pub fee_payee: Option<Address>,
    /// What the list of versions calls this market.
    pub version: String,
    /// Keys that hold every other operating role next to the deployer, who also administers them.
    pub operators: Vec<Address>,
    /// How long it is known beforehand what operators and administrator will do: unpause, set the fee, name who reports
    /// silence, withdraw fees, give roles. Each such call must then be scheduled with the AccessManager. Zero, for
    /// development chains, lets all of it happen at once; pausing and a faucet's minting always do.
    pub admin_delay: Seconds,
}

impl Default for DeployConfig {
    fn default() -> Self {
        Self {
            fee: rules::FEE_DEFAULT,
            token: None,
            mint: Vec::new(),
            oracles: Vec::new(),
            watchers: Vec::new(),
            guardians: Vec::new(),
            judges: Vec::new(),
            prosecutors: Vec::new(),
            reporters: Vec::new(),
            treasury: None,
            fee_payee: None,
            version: "1".to_owned(),
            operators: Vec::new(),
            admin_delay: Seconds(0),
        }
    }
}
