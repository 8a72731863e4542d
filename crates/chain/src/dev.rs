//! A development chain: `anvil` as a child process.

use std::{
    fs::File,
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    providers::{Provider, ext::AnvilApi},
    rpc::types::anvil::ReorgOptions,
};
use market::Seconds;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use url::Url;

use crate::{
    Chain, ChainConfig, ChainError, DevChainConfig,
    bindings::{batch, collectors, dollar, multicall},
    canonical, usdc,
};

/// A chain answers within a fraction of this; loading a large state takes some seconds.
const START_WITHIN: Duration = Duration::from_secs(30);
/// Writing a large state takes some seconds.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks whether it answers.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Another program may take a free port before the chain does.
const PORT_TRIES: u32 = 5;
/// Ports that systems do not give to outgoing connections by themselves: one of those could be taken by the very
/// connection that asks whether the chain answers yet.
const PORTS: Range<u16> = 20_000..32_000;
/// So many of them are tried.
const PORT_DRAWS: usize = 16;

/// A running development chain. It is killed when this is dropped; [`stop`](Self::stop) lets it write its state.
pub struct DevChain {
    child: Child,
    chain: Chain,
    rpc: Url,
}

impl std::fmt::Debug for DevChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DevChain({})", self.rpc)
    }
}

impl DevChain {
    /// Starts it and waits until it answers. A chain on the same state file that a killed program left behind is ended
    /// first, so that its state is whole and its port free; whoever shares a state file must see to it that only one
    /// runs at a time.
    pub async fn start(config: DevChainConfig) -> Result<Self, ChainError> {
        if let Some(state) = &config.state {
            end_orphan(state).await?;
        }
        let mut tries = 1;
        loop {
            match Self::try_start(&config).await {
                Err(error) if config.port == 0 && tries < PORT_TRIES => {
                    tracing::debug!(%error, "starting the development chain on another port");
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_start(config: &DevChainConfig) -> Result<Self, ChainError> {
        let port = free_port(config.port)?;
        let rpc = format!("http://127.0.0.1:{port}/");
        let rpc: Url = rpc.parse().map_err(|_| failed(format!("{rpc} is no address")))?;
        let mut child = spawn(config, port)?;
        if let (Some(state), Some(pid)) = (&config.state, child.id()) {
            let path = pid_path(state);
            std::fs::write(&path, pid.to_string()).map_err(|error| failed(format!("{}: {error}", path.display())))?;
        }
        let settings = ChainConfig { chain_id: Some(config.chain_id), ..ChainConfig::local(rpc.clone()) };
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(failed(format!("{} ended at once ({status}){}", config.anvil.display(), log_hint(config))));
            }
            match Chain::connect(settings.clone()).await {
                Ok(chain) => return Ok(Self { child, chain, rpc }),
                Err(error) if error.is_retryable() && began.elapsed() < START_WITHIN => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => {
                    return Err(failed(format!("does not answer: {error}{}", log_hint(config))));
                }
            }
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn rpc(&self) -> Url {
        self.rpc.clone()
    }

    /// A connection to it.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Gives `account` this much of the chain's own coin, whatever it had.
    pub async fn fund(&self, account: Address, wei: U256) -> Result<(), ChainError> {
        let done = self.chain.provider().anvil_set_balance(account, wei).await;
        done.map_err(|error| self.chain.failed("anvil_setBalance", error))
    }

    /// Mines `blocks`.
    pub async fn mine(&self, blocks: u64) -> Result<(), ChainError> {
        let done = self.chain.provider().anvil_mine(Some(blocks), None).await;
        done.map_err(|error| self.chain.failed("anvil_mine", error))
    }

    /// Moves block time forward and mines a block there.
    pub async fn advance(&self, by: Seconds) -> Result<(), ChainError> {
        let moved = self.chain.provider().anvil_increase_time(by.0).await;
        moved.map_err(|error| self.chain.failed("evm_increaseTime", error))?;
        self.mine(1).await
    }

    /// Replaces the newest `depth` blocks by empty ones.
    pub async fn reorg(&self, depth: u64) -> Result<(), ChainError> {
        let options = ReorgOptions { depth, tx_block_pairs: Vec::new() };
        let done = self.chain.provider().anvil_reorg(options).await;
        done.map_err(|error| self.chain.failed("anvil_reorg", error))
    }

    /// Puts other code at an address and gives what was there.
    pub async fn replace_code(&self, address: Address, code: Bytes) -> Result<Bytes, ChainError> {
        let before = self.chain.provider().get_code_at(address).await;
        let before = before.map_err(|error| self.chain.failed("eth_getCode", error))?;
        let done = self.chain.provider().anvil_set_code(address, code).await;
        done.map_err(|error| self.chain.failed("anvil_setCode", error))?;
        Ok(before)
    }

    /// Puts payment channels, their collectors and a dollar that anybody can mint where clients of x402 look for them: at
    /// the addresses that they have on real networks. Gives the dollar's address. What stands there already keeps its
    /// state. The dollar is that of Base Sepolia, so the chain must have its id ([`usdc::BASE_SEPOLIA`]): signatures made
    /// here are valid on the real network too.
    pub async fn place_x402(&self) -> Result<Address, ChainError> {
        let Some(usdc) = usdc::on(self.chain.id()).filter(|usdc| usdc.testnet) else {
            return Err(failed(format!(
                "chain {} has no test dollar; start one with {}",
                self.chain.id(),
                usdc::BASE_SEPOLIA
            )));
        };
        let placed = [
            (canonical::BATCH_SETTLEMENT, &batch::BatchSettlement::DEPLOYED_BYTECODE),
            (canonical::ERC3009_COLLECTOR, &collectors::ERC3009DepositCollector::DEPLOYED_BYTECODE),
            (canonical::PERMIT2_COLLECTOR, &collectors::Permit2DepositCollector::DEPLOYED_BYTECODE),
            (usdc.address, &dollar::DevUSDC::DEPLOYED_BYTECODE),
            (canonical::MULTICALL3, &multicall::DevMulticall::DEPLOYED_BYTECODE),
        ];
        for (address, code) in placed {
            self.replace_code(address, code.clone()).await?;
        }
        Ok(usdc.address)
    }

    /// Whether each transaction is mined at once.
    pub async fn automine(&self, on: bool) -> Result<(), ChainError> {
        let done = self.chain.provider().anvil_set_auto_mine(on).await;
        done.map_err(|error| self.chain.failed("evm_setAutomine", error))
    }

    /// Whether the node has this transaction, mined or waiting.
    pub async fn has(&self, tx: B256) -> Result<bool, ChainError> {
        let found = self.chain.provider().get_transaction_by_hash(tx).await;
        Ok(found.map_err(|error| self.chain.failed("eth_getTransactionByHash", error))?.is_some())
    }

    /// Throws away every transaction that is not mined.
    pub async fn drop_pending(&self) -> Result<(), ChainError> {
        let done = self.chain.provider().anvil_drop_all_transactions().await;
        done.map_err(|error| self.chain.failed("anvil_dropAllTransactions", error))
    }

    /// Asks it to end, so that it writes its state, and waits.
    pub async fn stop(mut self) -> Result<(), ChainError> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { return Ok(()) };
        kill_process(pid, Signal::INT).map_err(|error| failed(format!("cannot be asked to end: {error}")))?;
        match tokio::time::timeout(STOP_WITHIN, self.child.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(format!("its end cannot be awaited: {error}"))),
            Err(_) => Err(failed(format!("did not end within {} s", STOP_WITHIN.as_secs()))),
        }
    }

    /// Ends it at once, as a crash would.
    pub async fn kill(mut self) -> Result<(), ChainError> {
        self.child.kill().await.map_err(|error| failed(format!("cannot be killed: {error}")))
    }
}

/// Follows the launcher of the npm package to the program that it starts: a launcher that is killed would leave the
/// chain running.
#[must_use]
pub fn native_anvil(anvil: &Path) -> PathBuf {
    native_beside(anvil).unwrap_or_else(|| anvil.to_owned())
}

fn native_beside(anvil: &Path) -> Option<PathBuf> {
    let launcher = anvil.canonicalize().ok()?;
    if launcher.file_name()? != "bin.mjs" {
        return None;
    }
    // …/@foundry-rs/anvil/bin.mjs stands beside …/@foundry-rs/anvil-<platform>/bin/anvil.
    let packages = launcher.parent()?.parent()?;
    let mut beside = packages.read_dir().ok()?.flatten();
    beside.find_map(|package| {
        let platform = package.file_name().to_string_lossy().starts_with("anvil-");
        let program = package.path().join("bin/anvil");
        (platform && program.is_file()).then_some(program)
    })
}

fn spawn(config: &DevChainConfig, port: u16) -> Result<Child, ChainError> {
    let program = native_anvil(&config.anvil);
    let mut command = Command::new(&program);
    command.args(["--silent", "--host", "127.0.0.1"]);
    command.args(["--port", &port.to_string(), "--chain-id", &config.chain_id.to_string()]);
    // An epoch of one block: what is two blocks deep is final.
    command.args(["--slots-in-an-epoch", "1"]);
    if let Some(every) = config.block_time {
        command.args(["--block-time", &every.as_secs_f64().to_string()]);
    }
    if let Some(state) = &config.state {
        command.arg("--state").arg(state);
    }
    if let (Some(_), Some(every)) = (&config.state, config.state_every) {
        command.args(["--state-interval", &every.0.to_string()]);
    }
    let log = match &config.log {
        Some(path) => {
            let file = File::options().create(true).append(true).open(path);
            Stdio::from(file.map_err(|error| failed(format!("log {}: {error}", path.display())))?)
        }
        None => Stdio::null(),
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    command.spawn().map_err(|error| failed(format!("{} cannot be started: {error}", program.display())))
}

/// Where the process of a chain on this state is noted.
fn pid_path(state: &Path) -> PathBuf {
    state.with_extension("pid")
}

/// Ends the process that was noted for this state, if it still is a chain on it, and waits until it is gone.
async fn end_orphan(state: &Path) -> Result<(), ChainError> {
    let noted = std::fs::read_to_string(pid_path(state)).ok().and_then(|text| text.trim().parse().ok());
    let Some(pid) = noted.and_then(Pid::from_raw) else { return Ok(()) };
    let is_there = || {
        let words = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|word| word == state.as_os_str().as_encoded_bytes())
    };
    if !is_there() {
        return Ok(());
    }
    tracing::info!(pid = pid.as_raw_nonzero().get(), "ending a development chain that was left behind");
    kill_process(pid, Signal::INT).map_err(|error| failed(format!("the one left behind cannot be ended: {error}")))?;
    let began = Instant::now();
    while is_there() {
        if began.elapsed() > STOP_WITHIN {
            return Err(failed(format!("the one left behind (process {}) does not end", pid.as_raw_nonzero())));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// The port if nobody listens there, or a free one for 0. Asked before the start: a program that listens there already
/// may answer like a chain and be taken for ours.
fn free_port(wanted: u16) -> Result<u16, ChainError> {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|_| port);
    if wanted != 0 {
        return is_free(wanted).map_err(|error| failed(format!("port {wanted} cannot be used: {error}")));
    }
    // A hasher's keys are drawn at random, which is all that is wanted here.
    let draw = || RandomState::new().build_hasher().finish() % u64::from(PORTS.end - PORTS.start);
    let drawn = std::iter::repeat_with(draw).filter_map(|drawn| PORTS.start.checked_add(u16::try_from(drawn).ok()?));
    let found = drawn.take(PORT_DRAWS).find_map(|port| is_free(port).ok());
    found.ok_or_else(|| failed(format!("no free port was found between {} and {}", PORTS.start, PORTS.end)))
}

fn log_hint(config: &DevChainConfig) -> String {
    config.log.as_ref().map_or_else(String::new, |path| format!("; see {}", path.display()))
}

fn failed(reason: String) -> ChainError {
    ChainError::DevChain { reason }
}
