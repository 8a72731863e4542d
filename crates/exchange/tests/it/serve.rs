//! What a peer gets that asks us.

use std::collections::HashSet;

use bytes::Bytes;
use content::{Block, Cid, RAW};
use exchange::bitswap::{Message, Payload, Presence, Want};

use crate::fixture::{Peer, bytes};
use crate::puppet::Puppet;

fn wants(wants: Vec<Want>) -> Message {
    Message { wants, ..Message::default() }
}

/// Puts a block into a node's store without a pin.
fn put(node: &Peer, data: Vec<u8>) -> Cid {
    let block = Block::new(RAW, data).unwrap();
    node.store.put(block.clone()).unwrap();
    *block.cid()
}

fn payload(node: &Peer, cid: &Cid) -> Payload {
    Payload::new(cid, node.store.require(cid).unwrap())
}

#[tokio::test]
async fn questions_and_wishes_are_answered_by_kind() {
    let node = Peer::start().await;
    let mut puppet = Puppet::start(Some(node.address())).await;
    let us = node.node.peer_id();
    let (large, small) = (node.hold(&bytes(1, 2000)), node.hold(&bytes(2, 1000)));
    let (hidden, absent) = (put(&node, bytes(3, 10)), *Block::new(RAW, "absent").unwrap().cid());
    let presence = |cid, is_here| Message { presences: vec![Presence { cid, is_here }], ..Message::default() };
    let block = |cid| Message { blocks: vec![payload(&node, &cid)], ..Message::default() };
    for (want, expected) in [
        (Want::have(large), presence(large, true)),
        (Want::have(small), block(small)),
        (Want::have(absent), presence(absent, false)),
        (Want::have(hidden), presence(hidden, false)),
        (Want::block(large), block(large)),
        (Want::block(absent), presence(absent, false)),
        (Want::block(hidden), presence(hidden, false)),
    ] {
        puppet.say(us, wants(vec![want.clone()]));
        assert_eq!(puppet.hear().await, expected, "{want:?}");
    }
    // Who does not want to hear of absence hears of what comes next.
    let quiet = Want { send_dont_have: false, ..Want::block(absent) };
    puppet.say(us, wants(vec![quiet]));
    puppet.say(us, wants(vec![Want::have(absent)]));
    assert_eq!(puppet.hear().await, presence(absent, false));
    assert_eq!(puppet.unheard(), []);
    assert_eq!(node.counted(puppet.peer).refused, 5);
}

#[tokio::test]
async fn a_wantlist_beyond_the_limit_is_answered_and_not_kept() {
    let node = Peer::start().await;
    let mut puppet = Puppet::start(Some(node.address())).await;
    let absent = |number: u32| *Block::new(RAW, Bytes::from(number.to_le_bytes().to_vec())).unwrap().cid();
    let cids: HashSet<Cid> = (0..3000).map(absent).collect();
    puppet.say(node.node.peer_id(), wants(cids.iter().copied().map(Want::block).collect()));
    let mut refused = HashSet::new();
    while refused.len() < cids.len() {
        refused.extend(puppet.hear().await.presences.into_iter().filter(|it| !it.is_here).map(|it| it.cid));
    }
    assert_eq!(refused, cids);
}

#[tokio::test]
async fn large_blocks_come_one_by_one_and_a_repeated_wish_brings_no_second_copy() {
    let node = Peer::start().await;
    let mut puppet = Puppet::start(Some(node.address())).await;
    let us = node.node.peer_id();
    let root = node.hold(&bytes(4, 6 << 20));
    let leaves: Vec<Cid> = content::blocks_of(&node.store, &root).unwrap().split_off(1);
    let ask: Vec<Want> = leaves.iter().copied().map(Want::block).collect();
    puppet.say(us, wants(ask.clone()));
    puppet.say(us, wants(ask));
    puppet.say(us, wants(vec![Want::block(root)]));
    let mut came = Vec::new();
    while came.len() < leaves.len() + 1 {
        let message = puppet.hear().await;
        let sizes: usize = message.blocks.iter().map(|block| block.data.len()).sum();
        assert!(message.blocks.len() == 1 || sizes <= 1 << 20, "{sizes} bytes in {}", message.blocks.len());
        came.extend(message.blocks.into_iter().map(|block| *Block::new(RAW, block.data).unwrap().cid().hash()));
    }
    let different: HashSet<_> = came.iter().collect();
    assert_eq!(different.len(), leaves.len() + 1);
    assert_eq!(node.counted(puppet.peer).blocks_sent, came.len() as u64);
}
