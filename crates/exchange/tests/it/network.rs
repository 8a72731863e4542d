//! Transports, private swarms and the routing table between nodes of ours.

use content::{Block, RAW};
use exchange::{Error, NodeConfig, Patience, Routing, SwarmKey};

use crate::fixture::{Peer, bytes, within};

fn private(key: u8) -> NodeConfig {
    let patience = Patience { connect: std::time::Duration::from_secs(3), ..Patience::default() };
    NodeConfig { swarm_key: Some(SwarmKey::new([key; 32])), patience, ..NodeConfig::default() }
}

#[tokio::test]
async fn who_lacks_the_key_cannot_connect_to_a_private_swarm() {
    let (one, two) = (Peer::with(private(1)).await, Peer::with(private(1)).await);
    let cid = one.hold(&bytes(1, 3 << 20));
    within(two.node.fetch(&cid, &[one.address()])).await.unwrap();
    let open = NodeConfig { swarm_key: None, ..private(1) };
    for config in [open, private(2)] {
        let stranger = Peer::with(config).await;
        let failed = within(stranger.node.connect(one.address())).await.unwrap_err();
        assert!(matches!(failed, Error::Unreachable { .. }), "{failed}");
        assert!(within(one.node.connect(stranger.address())).await.is_err());
        assert_eq!(one.node.peers(), [two.node.peer_id()]);
    }
}

#[tokio::test]
async fn blocks_go_over_quic() {
    let quic = || NodeConfig { listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()], ..NodeConfig::default() };
    let (from, to) = (Peer::with(quic()).await, Peer::with(quic()).await);
    let file = bytes(2, 5 << 20);
    let cid = from.hold(&file);
    assert!(from.address().to_string().contains("/quic-v1/"));
    within(to.node.fetch(&cid, &[from.address()])).await.unwrap();
    assert_eq!(to.file(&cid), file);
}

#[tokio::test]
async fn a_node_finds_a_provider_that_only_a_third_one_knows_and_fetches_from_it() {
    let lan = || NodeConfig { routing: Routing::Lan, ..NodeConfig::default() };
    let (holder, middle, seeker) = (Peer::with(lan()).await, Peer::with(lan()).await, Peer::with(lan()).await);
    let file = bytes(3, 3 << 20);
    let cid = holder.hold(&file);
    holder.node.connect(middle.address()).await.unwrap();
    seeker.node.connect(middle.address()).await.unwrap();
    // Until nodes have introduced themselves to each other the table is empty.
    let known = async {
        loop {
            within(holder.node.provide(&cid)).await.unwrap();
            let found = within(seeker.node.find_providers(&cid)).await.unwrap();
            if found == [holder.node.peer_id()] {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    within(known).await;
    within(seeker.node.fetch(&cid, &[])).await.unwrap();
    assert_eq!(seeker.file(&cid), file);
    assert_eq!(seeker.counted(middle.node.peer_id()).blocks_received, 0);

    let absent = Block::new(RAW, "absent").unwrap();
    assert_eq!(within(seeker.node.find_providers(absent.cid())).await.unwrap(), []);
    let failed = within(seeker.node.fetch(absent.cid(), &[])).await.unwrap_err();
    assert!(matches!(failed, Error::NotFound { .. }), "{failed}");
    let alone = Peer::start().await;
    assert!(matches!(alone.node.provide(&cid).await, Err(Error::Routing { .. })));
}

#[tokio::test]
async fn a_node_that_is_dropped_hangs_up() {
    let (from, to) = (Peer::start().await, Peer::start().await);
    to.node.connect(from.address()).await.unwrap();
    while from.node.peers().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(to);
    let gone = async {
        while !from.node.peers().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    within(gone).await;
}
