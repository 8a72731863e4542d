//! What a market's operator runs in one process: index, gateway with its watcher, receipts, and the treasury.

mod money;
pub(crate) use money::MoneyArgs;

use std::{
    fs::File,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::Address;
use chain::{Account, Market, Recorder, Register, SendConfig, X402};
use content::BlockStore;
use gateway::{Gateway, GatewayConfig, GatewayKeys};
use indexer::{Indexer, IndexerConfig};
use oracle::{ReceiptsConfig, receipts};
use store::{Store, StoreConfig};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::MarketFile;

use crate::{failure::Failure, keys::OperatorKeys};
use money::Money;

/// The database of an operator who names none.
const DATABASE_FILE: &str = "index.sqlite";

/// Where an operator keeps rows.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Database {
    /// Database of index, sessions and receipts: postgres://… or sqlite:///… [default: index.sqlite in the home folder].
    /// Its chain part can be deleted and made again.
    #[arg(long, value_name = "URL", env = "BOURSE_DATABASE", hide_env_values = true)]
    database: Option<Url>,
}

impl Database {
    pub(crate) async fn open(&self, home: &Path) -> Result<Store, Failure> {
        let config = match &self.database {
            Some(url) => StoreConfig::new(url.clone()),
            None => StoreConfig::sqlite(&home.join(DATABASE_FILE))?,
        };
        Ok(Store::open(&config).await?)
    }
}

/// How an operator serves.
pub(crate) struct OperatorConfig {
    pub(crate) home: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: Option<Url>,
    /// How often agents beat, where it is not the market's usual.
    pub(crate) heartbeat: Option<Duration>,
    /// Whose word about clients' addresses is taken.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Wallets that see all disputes and prepare verdicts.
    pub(crate) operators: Vec<Address>,
    /// This machine's programs are not limited.
    pub(crate) spare_loopback: bool,
    /// Commits receipts.
    pub(crate) receipts: bool,
    /// How money is taken and kept.
    pub(crate) money: MoneyArgs,
}

/// Everything bound and opened, not yet running.
pub(crate) struct Operator {
    gateway: Gateway,
    indexer: Indexer,
    receipts: Option<(ReceiptsConfig, Recorder)>,
    money: Money,
    market: Market,
    store: Store,
    blocks: Arc<BlockStore>,
    /// Held as long as this process serves from its folder.
    _only_one: File,
}

impl Operator {
    /// Takes the address, the folder and the database.
    pub(crate) async fn bind(
        config: OperatorConfig,
        (file, market): (&MarketFile, &Market),
        store: Store,
        keys: OperatorKeys,
    ) -> Result<Self, Failure> {
        let folder = config.home.join("gateway");
        std::fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
        let only_one = lock(&folder)?;
        let blocks = Arc::new(BlockStore::open(folder.join("content"), content::StoreConfig::default())?);
        let indexer =
            Indexer::new(IndexerConfig::new(file.deployed_at, holder(&folder)?), market.clone(), store.clone());
        let recorder = match file.register.filter(|_| config.receipts) {
            Some(register) => {
                let register = Register::open(market.chain().clone(), register).await?;
                Some(Recorder::new(register, keys.recorder.clone()))
            }
            None => None,
        };
        let mut defaults = GatewayConfig::default();
        defaults.limits.rates.spare_loopback = config.spare_loopback;
        let money = Money::open(&config.money, (file, market), &store, &keys, &holder(&folder)?).await?;
        let served = GatewayConfig {
            listen: config.listen,
            public_url: config.public_url.clone(),
            from_block: file.deployed_at,
            trusted_proxies: config.trusted_proxies,
            register: file.register,
            channels: X402::on(market.chain()).await?,
            tills: file.contracts.map(|contracts| contracts.tills),
            recorder: recorder.as_ref().map(Recorder::address),
            heartbeat: config.heartbeat.unwrap_or(defaults.heartbeat),
            operators: config.operators,
            x402: money.x402.clone(),
            wallet: money.wallet.clone(),
            ..defaults
        };
        let watcher = Account::new(market.clone(), keys.watcher, SendConfig::default());
        let keys = GatewayKeys { watcher: Some(watcher) };
        let gateway =
            Gateway::bind(served, market.clone(), blocks.clone(), store.clone(), indexer.progress(), keys).await?;
        let receipts = match recorder {
            Some(recorder) => Some((ReceiptsConfig::new(file.deployed_at, holder(&folder)?), recorder)),
            None => None,
        };
        Ok(Self { gateway, indexer, receipts, money, market: market.clone(), store, blocks, _only_one: only_one })
    }

    /// Where the gateway listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.gateway.local_addr())
    }

    /// Runs everything until `shutdown`; the first part that fails ends its task with the reason.
    pub(crate) fn start(self, tasks: &mut JoinSet<Result<(), Failure>>, shutdown: &CancellationToken) {
        let Self { gateway, indexer, receipts, money, market, store, blocks, _only_one: only_one } = self;
        let stop = shutdown.clone();
        tasks.spawn(async move { indexer.run(stop).await.map_err(Failure::from) });
        if let Some((config, recorder)) = receipts {
            let stop = shutdown.clone();
            tasks.spawn(async move {
                receipts::run(config, market, recorder, store, blocks, stop).await.map_err(Failure::from)
            });
        }
        let stop = shutdown.clone();
        tasks.spawn(async move {
            money.run(stop.clone()).await;
            // What is done about money may end early; the market goes on until it is told to stop.
            stop.cancelled().await;
            Ok(())
        });
        let stop = shutdown.clone();
        tasks.spawn(async move {
            let served = gateway.serve(stop).await.map_err(Failure::from);
            drop(only_one);
            served
        });
    }
}

/// What ended although nobody asked for it.
pub(crate) fn ended_early(
    ended: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<std::process::ExitCode, Failure> {
    match ended {
        Some(Ok(Err(failure))) => Err(failure),
        Some(Err(panic)) => Err(Failure::Io(std::io::Error::other(panic))),
        Some(Ok(Ok(()))) | None => Ok(std::process::ExitCode::SUCCESS),
    }
}

fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Failure::file(&path))?;
    file.try_lock().map_err(|_| {
        Failure::Usage(format!("a gateway serves from {} already: stop it, or name another --home", folder.display()))
    })?;
    Ok(file)
}

/// The name of this folder's gateway among those that share a database: made once, the same after a restart.
fn holder(folder: &Path) -> Result<String, Failure> {
    let path = folder.join("name");
    if let Ok(name) = std::fs::read_to_string(&path) {
        return Ok(name.trim().to_owned());
    }
    let name = format!("gateway-{:016x}", rand::random::<u64>());
    std::fs::write(&path, &name).map_err(Failure::file(&path))?;
    Ok(name)
}
