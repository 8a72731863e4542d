//! How fast blocks go from one node to another: `bench: name=value unit` lines on standard output.
//!
//! Over TCP on this machine, encrypted, each block checked, and with us durable on disk at both ends; Helia keeps its
//! blocks in memory. Everything is measured here and now, in turns; the median counts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a measure that cannot be taken ends the program with the reason"
)]

#[path = "../../tests/it/helia.rs"]
mod helia;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use content::{BlockStore, Cid, ImportConfig, StoreConfig, add_file};
use exchange::{Node, NodeConfig};
use serde_json::json;
use tokio::runtime::Runtime;

use helia::Helia;

/// Bytes that go from node to node.
const BYTES: usize = 256 << 20;
/// Runs of each; the median counts.
const ROUNDS: usize = 3;

fn bench(name: &str, value: f64) {
    writeln!(std::io::stdout().lock(), "bench: {name}={value:.1} MB/s").ok();
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn megabytes_per_s(seconds: f64) -> f64 {
    BYTES as f64 / 1e6 / seconds
}

/// A store in its own folder.
fn store(dir: &Path, name: &str) -> Arc<BlockStore> {
    Arc::new(BlockStore::open(dir.join(name), StoreConfig::default()).unwrap())
}

fn start(runtime: &Runtime, store: &Arc<BlockStore>) -> Node {
    let config = NodeConfig { listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()], ..NodeConfig::default() };
    runtime.block_on(Node::start(config, store.clone())).unwrap()
}

/// A node of ours fetches from another; each has threads of its own.
fn ours(dir: &Path, round: usize, from: &Node, cid: &Cid) -> f64 {
    let runtime = Runtime::new().unwrap();
    let store = store(dir, &format!("to {round}"));
    let to = start(&runtime, &store);
    let source = from.addresses();
    let began = Instant::now();
    let fetched = runtime.block_on(to.fetch(cid, &source)).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(fetched.bytes as usize > BYTES);
    std::fs::remove_dir_all(store.dir()).unwrap();
    megabytes_per_s(seconds)
}

/// A Helia fetches from whoever is at an address.
async fn theirs(address: &str, cid: &str) -> Option<f64> {
    let mut to = Helia::start(None).await?;
    to.connect(address).await;
    let got = to.ask(json!({"verb": "get", "cid": cid})).await;
    assert_eq!(got["bytes"].as_u64(), Some(BYTES as u64), "{got}");
    got["seconds"].as_f64().map(megabytes_per_s)
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    std::fs::write(&file, words.take(BYTES / 8).flatten().collect::<Vec<u8>>()).unwrap();

    let runtime = Runtime::new().unwrap();
    let held = store(dir.path(), "from");
    let cid = add_file(&held, &file, &ImportConfig::default()).unwrap().cid;
    held.pin("bench", &cid).unwrap();
    let from = start(&runtime, &held);
    let address = from.addresses()[0].to_string();
    let mut helia = runtime.block_on(Helia::start(None));
    let (mut own, mut helias, mut served, mut fetched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        own.push(ours(dir.path(), round, &from, &cid));
        let Some(helia) = &mut helia else { continue };
        let theirs_cid = runtime.block_on(helia.add(&file));
        assert_eq!(theirs_cid, cid.to_string());
        helias.extend(runtime.block_on(theirs(&helia.address, &theirs_cid)));
        served.extend(runtime.block_on(theirs(&address, &theirs_cid)));
        fetched.push(from_helia(dir.path(), round, &helia.address, &cid));
    }
    eprintln!("note: ours {own:.0?}, Helia {helias:.0?}, Helia from us {served:.0?}, we from Helia {fetched:.0?}");
    bench("content.bitswap_mb_s", median(own));
    for (name, figures) in [
        ("content.helia_bitswap_mb_s", helias),
        ("content.bitswap_to_helia_mb_s", served),
        ("content.bitswap_from_helia_mb_s", fetched),
    ] {
        if !figures.is_empty() {
            bench(name, median(figures));
        }
    }
}

/// A node of ours fetches from Helia.
fn from_helia(dir: &Path, round: usize, address: &str, cid: &Cid) -> f64 {
    let runtime = Runtime::new().unwrap();
    let store = store(dir, &format!("from helia {round}"));
    let to = start(&runtime, &store);
    let began = Instant::now();
    runtime.block_on(to.fetch(cid, &[address.parse().unwrap()])).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_dir_all(store.dir()).unwrap();
    megabytes_per_s(seconds)
}
