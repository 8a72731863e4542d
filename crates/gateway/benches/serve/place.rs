//! A market with a hundred listings and a gateway that serves it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, U256};
use chain::{Listing, Wallet};
use content::{BlockStore, StoreConfig};
use gateway::{Gateway, GatewayConfig, GatewayKeys, Rate, RateLimits};
use indexer::{Indexer, IndexerConfig};
use market::{Hardware, Mebibytes, PerHour};
use store::Store;
use testkit::{TestDatabase, TestMarket};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::link::Announced;

use crate::Outcome;

/// More requests in a second than anything here makes.
const ENOUGH: u32 = 1_000_000;
/// Listings in the book.
const LISTINGS: u8 = 100;

pub(crate) struct Place {
    pub(crate) host: SocketAddr,
    pub(crate) town: TestMarket,
    /// The provider's number and key, and what its agent announces.
    pub(crate) provider: u32,
    pub(crate) agent: Wallet,
    pub(crate) announced: Vec<Announced>,
    _folder: tempfile::TempDir,
    _database: TestDatabase,
    _stops: DropGuard,
}

impl Place {
    pub(crate) async fn new() -> Outcome<Self> {
        let town = TestMarket::start().await?;
        let (owner, agent) = (town.newcomer().await?, Wallet::random());
        owner.register_provider(agent.address(), Address::ZERO).await?;
        let mut announced = Vec::new();
        for number in 0..LISTINGS {
            let listing = listing(number);
            let id = owner.register_resource(&listing).await?;
            announced.push(Announced { id: B256::from(id.0), hardware: (&listing.hardware).into() });
        }
        announced.truncate(1);
        let provider = town.market.provider_of(owner.address()).await?.ok_or("the provider is registered")?;
        let folder = tempfile::tempdir()?;
        let blocks = Arc::new(BlockStore::open(folder.path(), StoreConfig::default())?);
        let database = TestDatabase::sqlite();
        let store = Store::open(&store::StoreConfig::new(database.url())).await?;
        let shutdown = CancellationToken::new();
        let indexer =
            Indexer::new(IndexerConfig::new(town.deployment.block, "bench".into()), town.market.clone(), store.clone());
        let mut index = indexer.progress();
        tokio::spawn(indexer.run(shutdown.clone()));
        let head = town.chain.head().await?.number;
        index.wait_for(|progress| progress.head.is_some_and(|at| at.number >= head)).await?;
        let mut config = GatewayConfig { listen: ([127, 0, 0, 1], 0).into(), ..GatewayConfig::default() };
        config.from_block = town.deployment.block;
        // Agents measure every ten seconds; here each word counts.
        config.limits.metrics_apart = Duration::ZERO;
        // Everything is counted as everywhere, and there is always budget.
        config.limits.rates = RateLimits { reads: Rate::new(ENOUGH, ENOUGH), ..RateLimits::default() };
        let keys = GatewayKeys::default();
        let gateway = Gateway::bind(config, town.market.clone(), blocks, store, index, keys).await?;
        let host = gateway.local_addr();
        tokio::spawn(gateway.serve(shutdown.clone()));
        let _stops = shutdown.drop_guard();
        Ok(Self { host, town, provider, agent, announced, _folder: folder, _database: database, _stops })
    }
}

fn listing(number: u8) -> Listing {
    let hardware = Hardware {
        model: "NVIDIA H100 80GB HBM3".into(),
        gpus: 8,
        vram: Mebibytes(81_559),
        cpus: 128,
        memory: Mebibytes(1 << 20),
        disk: Mebibytes(4 << 20),
        simulated: true,
    };
    let key = B256::from(U256::from(number));
    Listing { key, price: PerHour(2_500_000 + u128::from(number)), hardware, details: "region=eu-west".into() }
}
