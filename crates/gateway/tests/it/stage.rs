//! A chain, a market, its index in a database, a gateway; providers and jobs at will.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, U256};
use chain::{Account, Deposits, Erc20, Listing, Market, Teller, Wallet};
use content::{BlockStore, StoreConfig};
use gateway::{
    Funding, GasCaps, Gateway, GatewayConfig, GatewayError, GatewayKeys, HttpPayments, MarketWallet, WalletAsset,
};
use indexer::{Indexer, IndexerConfig, Progress};
use market::{Amount, Hardware, JobId, Mebibytes, PerHour, ResourceId};
use payments::{
    accounts::Accounts,
    exact::Exact,
    facilitator::{FollowConfig, Limits, Sender},
    ledger::{Ledger, LedgerConfig},
};
use store::{AssetId, AssetRow, Store};
use testkit::{TestDatabase, TestMarket, eventually};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::{Domain, Terms, TermsJson, http::Problem, link::Announced};

/// Longer than anything here takes on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway that serves a market of its own.
pub(crate) struct Stage {
    pub(crate) town: TestMarket,
    pub(crate) market: Market,
    pub(crate) blocks: Arc<BlockStore>,
    pub(crate) store: Store,
    /// Writes the market wallet that the gateway keeps.
    pub(crate) ledger: Ledger,
    pub(crate) index: watch::Receiver<Progress>,
    pub(crate) host: String,
    pub(crate) shutdown: CancellationToken,
    /// Stops the gateway alone; the index goes on.
    pub(crate) gateway_stops: CancellationToken,
    pub(crate) served: JoinHandle<Result<(), GatewayError>>,
    http: reqwest::Client,
    _stops: DropGuard,
    _folder: tempfile::TempDir,
    _database: TestDatabase,
}

impl Stage {
    pub(crate) async fn new(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::watched(false, change).await
    }

    /// With the market's watcher as the gateway's own key, or without one.
    pub(crate) async fn watched(watches: bool, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Box::pin(Self::with(watches, CancellationToken::new(), change)).await
    }

    /// With an index that goes no further than the market's beginning.
    pub(crate) async fn halted(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let halts = CancellationToken::new();
        let stage = Box::pin(Self::with(false, halts.clone(), change)).await;
        halts.cancel();
        stage
    }

    async fn with(watches: bool, halts: CancellationToken, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let town = TestMarket::start().await.unwrap();
        let market = town.market.clone();
        let folder = tempfile::tempdir().unwrap();
        let blocks = Arc::new(BlockStore::open(folder.path(), StoreConfig::default()).unwrap());
        let database = TestDatabase::sqlite();
        let store = Store::open(&store::StoreConfig::new(database.url())).await.unwrap();
        let shutdown = CancellationToken::new();
        let _stops = shutdown.clone().drop_guard();
        let indexing = IndexerConfig::new(town.deployment.block, "test".into());
        let indexer = Indexer::new(indexing, market.clone(), store.clone());
        let index = indexer.progress();
        let ends = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = indexer.run(ends) => ended.unwrap(),
                () = halts.cancelled() => {}
            }
        });
        let mut config = GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), ..GatewayConfig::default() };
        config.register = Some(town.deployment.register);
        config.recorder = Some(town.recorder.address());
        config.from_block = town.deployment.block;
        let ledger = Ledger::start(store.clone(), LedgerConfig::default());
        let x402 = http_payments(&town, &store).await;
        config.wallet = Some(wallet(&market, &store, ledger.clone(), x402.sender.clone()).await);
        config.x402 = Some(x402);
        change(&mut config);
        let keys = GatewayKeys { watcher: watches.then(|| town.watcher.clone()) };
        let gateway =
            Gateway::bind(config, market.clone(), blocks.clone(), store.clone(), index.clone(), keys).await.unwrap();
        let host = gateway.local_addr().to_string();
        let gateway_stops = shutdown.child_token();
        let served = tokio::spawn(gateway.serve(gateway_stops.clone()));
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let stage = Self {
            town,
            market,
            blocks,
            store,
            ledger,
            index,
            host,
            shutdown,
            gateway_stops,
            served,
            http,
            _stops,
            _folder: folder,
            _database: database,
        };
        stage.indexed().await;
        stage
    }

    /// Waits until what the chain has now can be read here.
    pub(crate) async fn indexed(&self) {
        let head = self.town.chain.head().await.unwrap().number;
        let mut index = self.index.clone();
        let there = index.wait_for(|progress| progress.head.is_some_and(|at| at.number >= head));
        tokio::time::timeout(PATIENCE, there).await.unwrap().unwrap();
        // The board follows the index, as everybody does who only reads.
        let listed = self.store.resources_changed(0).await.unwrap();
        until(async || {
            let mut shown = Vec::new();
            let mut path = "/api/v1/gpus".to_owned();
            loop {
                let answer = self.get(&path).await;
                if answer.status != 200 {
                    // Some stages are not to be asked much.
                    return true;
                }
                let page: wire::http::Page<wire::http::GpuJson> = answer.json();
                shown.extend(page.items);
                match page.next_cursor {
                    Some(cursor) => path = format!("/api/v1/gpus?cursor={cursor}"),
                    None => break,
                }
            }
            let same = |row: &store::ResourceRow, gpu: &wire::http::GpuJson| {
                row.id.0 == gpu.id.0
                    && row.price.0.to_string() == gpu.price_per_hour.amount
                    && row.available == gpu.available
                    && row.held_by.is_some() == gpu.busy
            };
            listed.len() == shown.len() && listed.iter().all(|(row, _)| shown.iter().any(|gpu| same(row, gpu)))
        })
        .await;
    }

    pub(crate) fn domain(&self) -> Domain {
        self.market.domain()
    }

    /// A provider with an agent and `count` listed resources.
    pub(crate) async fn provider(&self, count: u8) -> Provider {
        let (account, agent) = (self.town.newcomer().await.unwrap(), Wallet::random());
        account.register_provider(agent.address(), Address::repeat_byte(0xee)).await.unwrap();
        let mut gpus = Vec::new();
        for number in 0..count {
            let hardware = Hardware {
                model: format!("Test {number}"),
                gpus: 1,
                vram: Mebibytes(1024),
                cpus: 2,
                memory: Mebibytes(512),
                disk: Mebibytes(2048),
                simulated: true,
            };
            let price = PerHour(3600 + u128::from(number));
            let details = format!("region=eu-{number}");
            let listing = Listing { key: B256::repeat_byte(number), price, hardware, details };
            let id = account.register_resource(&listing).await.unwrap();
            gpus.push(Announced { id: B256::from(id.0), hardware: (&listing.hardware).into() });
        }
        self.indexed().await;
        Provider { account, agent, gpus }
    }

    /// A job on the first resource of `provider`; each has an id of its own.
    pub(crate) fn job(&self, provider: &Provider, salt: u64) -> Job {
        self.job_on(provider.gpus[0].id, salt)
    }

    pub(crate) fn job_on(&self, resource: B256, salt: u64) -> Job {
        let (renter, controller) = (Wallet::random(), Wallet::random());
        let terms = TermsJson {
            renter: renter.address(),
            controller: controller.address(),
            resource_id: resource,
            price_per_hour: 3600,
            min_charge: 0,
            max_duration: 600,
            not_before: 0,
            cancel_fee_bps: 0,
            spec_digest: B256::repeat_byte(1),
            flags: 0,
            salt,
            extra: B256::ZERO,
        };
        let domain = self.domain();
        let id = Terms::try_from(&terms).unwrap().job_id(domain.chain_id, domain.market);
        Job { id, terms, renter, controller }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.url(path)).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.http.post(self.url(path)).body(body).send().await.unwrap()).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }
}

/// A wallet for the market's own token, whose treasury and till are anybody's.
async fn wallet(market: &Market, store: &Store, ledger: Ledger, sender: Sender) -> MarketWallet {
    let (chain_id, token) = (market.domain().chain_id, market.token());
    let row = AssetRow {
        asset: AssetId(0),
        chain_id,
        token,
        symbol: market.symbol().to_owned(),
        decimals: market.decimals(),
        testnet: true,
        totals: Default::default(),
        scanned: 0,
    };
    store.put_asset(&row).await.unwrap();
    let signer = Wallet::random();
    let asset = WalletAsset {
        chain_id,
        token,
        treasury: signer.address(),
        till: Some(Address::repeat_byte(0x71)),
        confirmations: 2,
        least_out: Amount(1000),
        most_out: Amount(100_000_000),
    };
    let accounts = Accounts::new(ledger.clone()).await.unwrap();
    MarketWallet { ledger, accounts, assets: vec![asset], funding: Some(Funding { signer, sender }) }
}

/// Takes payments with a gas wallet of its own.
async fn http_payments(town: &TestMarket, store: &Store) -> HttpPayments {
    let gas = Wallet::random();
    town.dev.fund(gas.address(), U256::from(10_u64).pow(U256::from(20))).await.unwrap();
    let sender = Sender::new(Teller::new(town.chain.clone(), gas), store.clone(), FollowConfig::default());
    let token = Erc20::open(town.chain.clone(), town.market.token()).await.unwrap();
    let exact = Exact::new(token, sender.clone(), store.clone()).unwrap();
    let deposits = Deposits::open(town.chain.clone(), town.deployment.deposits).await.unwrap();
    HttpPayments { exact, deposits, sender, facilitator: None, gas: GasCaps::default(), limits: Limits::default() }
}

/// Waits until `happened`, with a limit.
pub(crate) async fn until(mut happened: impl AsyncFnMut() -> bool) {
    eventually(PATIENCE, async || happened().await.then_some(())).await;
}

pub(crate) struct Provider {
    pub(crate) account: Account,
    pub(crate) agent: Wallet,
    /// As the agent announces them.
    pub(crate) gpus: Vec<Announced>,
}

impl Provider {
    pub(crate) fn resource(&self, number: usize) -> ResourceId {
        ResourceId(self.gpus[number].id.0)
    }
}

pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) terms: TermsJson,
    pub(crate) renter: Wallet,
    pub(crate) controller: Wallet,
}

impl Job {
    pub(crate) fn hash(&self) -> B256 {
        B256::from(self.id.0)
    }
}

/// What the gateway answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        Self { status, kind, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Checks that it is a problem with this status whose detail contains `words`.
    pub(crate) fn is_problem(&self, status: u16, words: &str) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!((self.status, self.kind.as_str()), (status, "application/problem+json"), "{text}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, status);
        assert!(problem.detail.contains(words), "{text} should contain {words:?}");
        problem
    }
}
