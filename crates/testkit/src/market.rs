//! A market on a chain of its own, with everybody who takes part in one.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use alloy::primitives::{Address, B256, U256};
use chain::{
    Account, Chain, ChainConfig, ChainError, DeployConfig, Deployment, DevChain, DevChainConfig, Listing, Market,
    Mined, Register, SendConfig, Wallet, deploy, usdc,
};
use market::{Amount, BasisPoints, Hardware, Mebibytes, PerHour, ResourceId, Seconds, Timestamp, rules};
use wire::{SignatureBytes, Terms, signed::Ready};

/// Everybody begins with a million whole tokens of six places.
const TOKENS: Amount = Amount(1_000_000_000_000);
/// And with a thousand coins for gas.
const COINS: u128 = 1_000_000_000_000_000_000_000;
/// Short, because tests wait more than they idle.
const POLL: Duration = Duration::from_millis(25);
/// The id of chains for development.
const DEVELOPMENT: u64 = 31337;
/// The duration of [`TestMarket::terms`].
const DURATION: u32 = 3600;

/// How the market of a test differs from others.
#[derive(Clone, Debug)]
pub struct TestMarketConfig {
    /// Time between blocks; without one every transaction is mined at once.
    pub block_time: Option<Duration>,
    /// Keeps the chain in this file while it is stopped.
    pub state: Option<PathBuf>,
    /// The platform's share.
    pub fee: BasisPoints,
    /// How accounts send.
    pub send: SendConfig,
    /// A transaction without a receipt for this long has an unknown outcome.
    pub receipt_timeout: Duration,
    /// The chain has the id of Base Sepolia, payment channels at their canonical addresses, and a market that settles in
    /// the dollar there.
    pub x402: bool,
}

impl Default for TestMarketConfig {
    fn default() -> Self {
        Self {
            block_time: None,
            state: None,
            fee: BasisPoints(200),
            send: SendConfig::default(),
            // Longer than a sender waits before it offers more: a node that forgot to mine is reminded by that.
            receipt_timeout: Duration::from_secs(90),
            x402: false,
        }
    }
}

/// A deployed market and its people, all with tokens and gas.
#[derive(Debug)]
pub struct TestMarket {
    /// The chain's process.
    pub dev: DevChain,
    /// A connection to it.
    pub chain: Chain,
    /// The market.
    pub market: Market,
    /// Where it is.
    pub deployment: Deployment,
    /// Holds every operating role.
    pub deployer: Account,
    /// Has approved the market without limit.
    pub renter: Account,
    /// Owns the provider; gets its money.
    pub owner: Account,
    /// Runs the provider's jobs.
    pub agent: Account,
    /// Takes no part in anything.
    pub stranger: Account,
    /// May report silence in any job, as an oracle, and in those that it controls, as a registered watcher.
    pub watcher: Account,
    /// Decides disputes and contested slashes. Has approved nothing.
    pub judge: Account,
    /// Proposes slashes.
    pub prosecutor: Account,
    /// Reports what scores are reckoned from.
    pub reporter: Account,
    /// Where receipts are committed.
    pub register: Register,
    /// Commits receipts; has gas and sends nothing else.
    pub recorder: Wallet,
    /// Signs `Ready` for the renter's jobs; has neither coin nor token.
    pub controller: Wallet,
    config: TestMarketConfig,
    count: AtomicU64,
}

impl TestMarket {
    /// A market on a chain that mines each transaction at once.
    pub async fn start() -> Result<Self, ChainError> {
        Self::with(TestMarketConfig::default()).await
    }

    /// A market as configured.
    pub async fn with(config: TestMarketConfig) -> Result<Self, ChainError> {
        let dev = DevChain::start(Self::dev_config(&config, 0)).await?;
        let chain = Self::connect(&dev, &config).await?;
        let wallets: [Wallet; 9] = std::array::from_fn(|_| Wallet::random());
        for wallet in &wallets {
            dev.fund(wallet.address(), U256::from(COINS)).await?;
        }
        let [deployer, _, _, _, _, watcher, judge, prosecutor, reporter] = &wallets;
        let settings = DeployConfig {
            fee: config.fee,
            token: if config.x402 { Some(dev.place_x402().await?) } else { None },
            mint: wallets.iter().map(|wallet| (wallet.address(), TOKENS)).collect(),
            oracles: vec![watcher.address()],
            watchers: vec![watcher.address()],
            judges: vec![judge.address()],
            prosecutors: vec![prosecutor.address()],
            reporters: vec![reporter.address()],
            ..DeployConfig::default()
        };
        let deployment = deploy(&chain, deployer, settings).await?;
        let market = Market::open(chain.clone(), deployment.market).await?;
        let register = Register::open(chain.clone(), deployment.register).await?;
        let recorder = Wallet::random();
        dev.fund(recorder.address(), U256::from(COINS)).await?;
        let [deployer, renter, owner, agent, stranger, watcher, judge, prosecutor, reporter] =
            wallets.map(|wallet| Account::new(market.clone(), wallet, config.send));
        let registered = owner.register_provider(agent.address(), Address::ZERO);
        tokio::try_join!(renter.approve(Amount(u128::MAX)), registered)?;
        Ok(Self {
            dev,
            chain,
            market,
            deployment,
            deployer,
            renter,
            owner,
            agent,
            stranger,
            watcher,
            judge,
            prosecutor,
            reporter,
            register,
            recorder,
            controller: Wallet::random(),
            config,
            count: AtomicU64::new(1),
        })
    }

    fn dev_config(config: &TestMarketConfig, port: u16) -> DevChainConfig {
        DevChainConfig {
            port,
            chain_id: if config.x402 { usdc::BASE_SEPOLIA } else { DEVELOPMENT },
            block_time: config.block_time,
            state: config.state.clone(),
            ..DevChainConfig::new(crate::anvil_path())
        }
    }

    async fn connect(dev: &DevChain, config: &TestMarketConfig) -> Result<Chain, ChainError> {
        let receipt_timeout = config.receipt_timeout;
        Chain::connect(ChainConfig { receipt_timeout, poll: POLL, ..ChainConfig::local(dev.rpc()) }).await
    }

    /// A wallet with tokens and gas that is nobody in the market yet.
    pub async fn newcomer(&self) -> Result<Account, ChainError> {
        let account = Account::new(self.market.clone(), Wallet::random(), self.config.send);
        self.dev.fund(account.address(), U256::from(COINS)).await?;
        self.deployer.transfer(account.address(), Amount(TOKENS.0 / 1000)).await?;
        Ok(account)
    }

    /// Lists another small resource of the provider.
    pub async fn list(&self, price: PerHour) -> Result<ResourceId, ChainError> {
        let hardware = Hardware {
            model: "test processor".into(),
            gpus: 0,
            vram: Mebibytes(0),
            cpus: 2,
            memory: Mebibytes(2048),
            disk: Mebibytes(4096),
            simulated: false,
        };
        let key = B256::from(U256::from(self.count.fetch_add(1, Ordering::Relaxed)));
        self.owner.register_resource(&Listing { key, price, hardware, details: String::new() }).await
    }

    /// Terms of the renter for an hour of `resource` at `price`, different each time.
    #[must_use]
    pub fn terms(&self, resource: ResourceId, price: PerHour) -> Terms {
        Terms {
            renter: self.renter.address(),
            controller: self.controller.address(),
            resourceId: resource.0.into(),
            pricePerHour: price.0.try_into().unwrap_or_else(|_| panic!("{price:?} is no price of terms")),
            minCharge: Default::default(),
            maxDuration: DURATION,
            notBefore: Default::default(),
            cancelFeeBps: 0,
            specDigest: B256::repeat_byte(0x5d),
            flags: 0,
            salt: self.count.fetch_add(1, Ordering::Relaxed),
            extra: B256::ZERO,
        }
    }

    /// The controller's consent to start, of now: its time and signature over `ready_record`.
    pub async fn ready(&self, terms: &Terms, ready_record: B256) -> Result<(u64, SignatureBytes), ChainError> {
        let at = self.now().await?;
        let statement = Ready {
            jobId: self.market.job_id(terms).0.into(),
            readyRecord: ready_record,
            at: at.0.try_into().unwrap_or_else(|_| panic!("{at:?} is no block time")),
        };
        Ok((at.0, self.controller.sign(&self.market.domain(), &statement)?))
    }

    /// Starts the clock of a job that was created, as agent with the controller's consent.
    pub async fn start_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        let (at, signature) = self.ready(terms, B256::ZERO).await?;
        self.agent.start_job(terms, B256::ZERO, at, &signature).await
    }

    /// Puts down stake of the provider for a resource.
    pub async fn stake(&self, resource: ResourceId, amount: Amount) -> Result<Mined, ChainError> {
        self.owner.approve(amount).await?;
        self.owner.stake(resource, amount).await
    }

    /// Lets the dispute window of jobs that ended pass and makes them final.
    pub async fn finalize(&self, terms: &[Terms]) -> Result<Mined, ChainError> {
        // The window's last second still belongs to it.
        self.advance(Seconds(rules::DISPUTE_WINDOW.0 + 1)).await?;
        self.stranger.finalize(terms).await
    }

    /// The newest block's time.
    pub async fn now(&self) -> Result<Timestamp, ChainError> {
        Ok(self.chain.head().await?.timestamp)
    }

    /// Moves block time forward.
    pub async fn advance(&self, by: Seconds) -> Result<(), ChainError> {
        self.dev.advance(by).await
    }

    /// Where the chain answers; it stays the same over a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.dev.rpc().port().unwrap_or_default()
    }

    /// Stops the chain, lets `while_down` happen, and starts it again with its state at the same place.
    pub async fn restart(mut self, while_down: impl Future<Output = ()>) -> Result<Self, ChainError> {
        if self.config.state.is_none() {
            panic!("a market without a state file cannot be restarted");
        }
        let port = self.port();
        self.dev.stop().await?;
        while_down.await;
        self.dev = DevChain::start(Self::dev_config(&self.config, port)).await?;
        Ok(self)
    }
}
