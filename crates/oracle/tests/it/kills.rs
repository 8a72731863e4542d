//! A process that is killed, truly, at any moment: nothing is committed twice.

use std::{
    env,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::U256;
use chain::{Chain, ChainConfig, Market, Recorder, Register, Wallet};
use content::BlockStore;
use oracle::{ReceiptsConfig, receipts::run};
use store::{ReceiptState, Store, StoreConfig};
use testkit::{Rng, TestDatabase, TestMarket, eventually, rng};
use tokio_util::sync::CancellationToken;

use crate::stage::{LIMIT, Stage};

/// The recorder's key, known to both processes.
const KEY: [u8; 32] = [0x21; 32];
/// Endpoint, database, folder of blocks, market, register, and the market's first block, a line each.
const PLACES: &str = "BOURSE_TEST_PLACES";

/// Not a test but the process that is killed: it writes receipts until then.
#[tokio::test]
#[ignore = "run by another test, as a process of its own"]
async fn the_victim() {
    let places = env::var(PLACES).unwrap();
    let [rpc, database, blocks, market, register, from] = places.lines().collect::<Vec<_>>().try_into().unwrap();
    let chain = Chain::connect(ChainConfig::local(rpc.parse().unwrap())).await.unwrap();
    let market = Market::open(chain.clone(), market.parse().unwrap()).await.unwrap();
    let register = Register::open(chain, register.parse().unwrap()).await.unwrap();
    let store = Store::open(&StoreConfig::new(database.parse().unwrap())).await.unwrap();
    let blocks = Arc::new(BlockStore::open(blocks, content::StoreConfig::default()).unwrap());
    let config =
        ReceiptsConfig { poll: Duration::from_millis(2), ..ReceiptsConfig::new(from.parse().unwrap(), "test") };
    let recorder = Recorder::new(register, Wallet::from_bytes(&KEY).unwrap());
    run(config, market, recorder, store, blocks, CancellationToken::new()).await.unwrap();
}

fn victim(places: &str) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "kills::the_victim", "--ignored", "--nocapture"]);
    command.env(PLACES, places).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[tokio::test]
async fn killed_at_any_moment_it_commits_nothing_twice() {
    for database in TestDatabase::engines() {
        let mut t = TestMarket::start().await.unwrap();
        t.recorder = Wallet::from_bytes(&KEY).unwrap();
        t.dev.fund(t.recorder.address(), U256::from(10_u64.pow(18))).await.unwrap();
        let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let blocks = folder.path().join("victims");
        let (rpc, url, from) = (t.dev.rpc(), database.url(), t.deployment.block);
        let (market, register) = (t.market.address(), t.register.address());
        let places = format!("{rpc}\n{url}\n{}\n{market}\n{register}\n{from}", blocks.display());
        let mut stage = Stage::on(t, store, folder).await;
        let mut rng = rng(9);
        for _ in 0..8 {
            stage.order().await;
            stage.index().await;
            let before = moved(&stage).await;
            let mut child = victim(&places);
            // Killed once it has done something, or soon after.
            eventually(LIMIT, async || (moved(&stage).await != before).then_some(())).await;
            tokio::time::sleep(Duration::from_micros(rng.next_u64() % 15_000)).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let running = stage.receipts();
        let rows = stage.committed(8).await;
        running.end().await;
        stage.assert_each_once(&rows).await;
    }
}

/// How far all receipts are.
async fn moved(stage: &Stage) -> Vec<(String, ReceiptState)> {
    stage.rows().await.into_iter().map(|row| (row.nid, row.state)).collect()
}
