//! Helia as an unmodified peer, in both directions.

use std::time::{Duration, Instant};

use content::{Block, RAW, hex, parse_cid, sha256};
use exchange::{Error, NodeConfig, Routing, SwarmKey};
use serde_json::json;

use crate::fixture::{Peer, bytes, within};
use crate::helia::Helia;

#[tokio::test]
async fn helia_fetches_a_file_from_us() {
    let Some(mut helia) = Helia::start(None).await else { return };
    let peer = Peer::start().await;
    let file = bytes(1, (24 << 20) + 7);
    let cid = peer.hold(&file);
    helia.connect(&peer.address().to_string()).await;
    let got = helia.ask(json!({"verb": "get", "cid": cid.to_string()})).await;
    assert_eq!((got["bytes"].as_u64(), got["sha256"].as_str()), (Some(file.len() as u64), Some(&*hex(&sha256(&file)))));
    let absent = Block::new(RAW, "absent").unwrap();
    let got = helia.ask(json!({"verb": "get", "cid": absent.cid().to_string(), "within": 3000})).await;
    assert!(got["error"].is_string(), "{got}");
}

#[tokio::test]
async fn we_fetch_a_file_from_helia() {
    let Some(mut helia) = Helia::start(None).await else { return };
    let peer = Peer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    // Helia puts several blocks of a mebibyte into one message, and once the line has proved good as much into one
    // frame of yamux: more than some implementations take.
    let mut file = bytes(2, 1 << 20).repeat(192);
    (0..192_u8).for_each(|number| file[usize::from(number) << 20] = number);
    std::fs::write(&path, &file).unwrap();
    let cid = parse_cid(&helia.add(&path).await).unwrap();
    let source = [helia.address.parse().unwrap()];
    let fetched = within(peer.node.fetch(&cid, &source)).await.unwrap();
    assert_eq!(fetched.blocks, 193);
    assert_eq!(peer.file(&cid), file);

    let absent = Block::new(RAW, "absent").unwrap();
    let began = Instant::now();
    let failed = within(peer.node.fetch(absent.cid(), &source)).await.unwrap_err();
    assert!(matches!(failed, Error::NotFound { .. }), "{failed}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn helia_and_we_find_each_other_by_the_routing_table() {
    let Some(mut helia) = Helia::start(None).await else { return };
    let peer = Peer::with(NodeConfig { routing: Routing::Lan, ..NodeConfig::default() }).await;
    let ours = peer.hold(&bytes(3, 1000));
    let theirs = Block::new(RAW, "theirs").unwrap();
    peer.node.connect(helia.address.parse().unwrap()).await.unwrap();
    let helia_id = peer.node.peers()[0];

    // Each learns from the other's introduction that it keeps the table.
    until_true(async || {
        helia.ask(json!({"verb": "provide", "cid": theirs.cid().to_string()})).await;
        let found = within(peer.node.find_providers(theirs.cid())).await.unwrap();
        found.contains(&helia_id)
    })
    .await;
    until_true(async || {
        within(peer.node.provide(&ours)).await.unwrap();
        let found = helia.ask(json!({"verb": "find", "cid": ours.to_string()})).await;
        found["peers"].as_array().is_some_and(|peers| peers.contains(&json!(peer.node.peer_id().to_string())))
    })
    .await;
}

/// Repeats what takes a while to become true.
async fn until_true(mut ask: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !ask().await {
        assert!(began.elapsed() < crate::fixture::LIMIT, "it did not become true");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn helia_with_the_key_of_a_private_swarm_fetches_from_us() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("swarm.key");
    let text = format!("/key/swarm/psk/1.0.0/\n/base16/\n{}\n", hex(&sha256(b"a swarm of our own")));
    std::fs::write(&path, &text).unwrap();
    let Some(mut helia) = Helia::start(Some(&path)).await else { return };
    let peer =
        Peer::with(NodeConfig { swarm_key: Some(SwarmKey::parse(&text).unwrap()), ..NodeConfig::default() }).await;
    let file = bytes(4, 3 << 20);
    let cid = peer.hold(&file);
    helia.connect(&peer.address().to_string()).await;
    let got = helia.ask(json!({"verb": "get", "cid": cid.to_string()})).await;
    assert_eq!(got["sha256"].as_str(), Some(&*hex(&sha256(&file))), "{got}");
}
