//! Two nodes of ours, and what happens when one of them cannot help.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use content::{BlockStore, Cid};
use exchange::bitswap::{Message, Payload};
use exchange::{Error, PeerCounters};

use crate::fixture::{Peer, bytes, generous, hasty, within};
use crate::puppet::Puppet;

#[tokio::test]
async fn a_file_arrives_whole_and_is_counted_on_both_sides() {
    let (from, to) = (Peer::start().await, Peer::start().await);
    let file = bytes(1, (20 << 20) + 12_345);
    let cid = from.hold(&file);
    let fetched = within(to.node.fetch(&cid, &[from.address()])).await.unwrap();
    assert_eq!(to.file(&cid), file);
    assert_eq!((fetched.blocks, fetched.blocks_before), (22, 0), "21 leaves and their root");
    assert!(fetched.bytes > file.len() as u64);
    let expected = PeerCounters { blocks_sent: 22, bytes_sent: fetched.bytes, ..PeerCounters::default() };
    assert_eq!(from.counted(to.node.peer_id()), expected);
    let expected = PeerCounters { blocks_received: 22, bytes_received: fetched.bytes, ..PeerCounters::default() };
    assert_eq!(to.counted(from.node.peer_id()), expected);
    assert_eq!(to.node.peers(), [from.node.peer_id()]);

    let again = within(to.node.fetch(&cid, &[])).await.unwrap();
    assert_eq!((again.blocks, again.blocks_before), (0, 22), "what is here is not asked for");
}

#[tokio::test]
async fn what_is_here_already_is_not_fetched_again() {
    let (from, to) = (Peer::start().await, Peer::start().await);
    let file = bytes(2, 10 << 20);
    let cid = from.hold(&file);
    let some: Vec<Cid> = content::blocks_of(&from.store, &cid).unwrap().into_iter().skip(3).step_by(2).collect();
    for cid in &some {
        to.store.put(content::Block::verified(*cid, from.store.require(cid).unwrap()).unwrap()).unwrap();
    }
    let fetched = within(to.node.fetch(&cid, &[from.address()])).await.unwrap();
    assert_eq!((fetched.blocks, fetched.blocks_before), (11 - some.len() as u64, some.len() as u64));
    assert_eq!(to.file(&cid), file);
}

#[tokio::test]
async fn a_block_that_nobody_has_ends_the_fetch_at_once() {
    let (from, to) = (Peer::with(generous()).await, Peer::start().await);
    let other = Peer::start().await;
    let cid = other.hold(&bytes(3, 3 << 20));
    let began = Instant::now();
    let failed = within(to.node.fetch(&cid, &[from.address()])).await.unwrap_err();
    assert!(matches!(failed, Error::NotFound { cid: missing } if missing == cid), "{failed}");
    // The root alone: what is missing now is a leaf.
    copy(&other.store, &from.store, &cid);
    let failed = within(to.node.fetch(&cid, &[from.address()])).await.unwrap_err();
    assert!(matches!(failed, Error::NotFound { cid: missing } if missing != cid), "{failed}");
    assert!(began.elapsed() < Duration::from_secs(10), "no deadline was waited for");
    assert!(to.store.has(&cid), "what came is kept");
    let nobody = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
    let failed = within(to.node.fetch(&cid, &[nobody])).await.unwrap_err();
    assert!(matches!(failed, Error::NoPeers { .. }), "{failed}");
}

fn copy(from: &BlockStore, to: &BlockStore, cid: &Cid) {
    to.put(content::Block::verified(*cid, from.require(cid).unwrap()).unwrap()).unwrap();
}

/// The blocks that a message asks for, each in a message of its own.
fn blocks(store: &BlockStore, message: &Message) -> Vec<Message> {
    let wants = message.wants.iter().filter(|want| !want.cancel);
    let block = |cid: &Cid| Payload::new(cid, store.require(cid).unwrap());
    wants.map(|want| Message { blocks: vec![block(&want.cid)], ..Message::default() }).collect()
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_replaced() {
    let (honest, to) = (Peer::start().await, Peer::with(hasty()).await);
    let file = bytes(4, 30 << 20);
    let cid = honest.hold(&file);
    let (store, answered) = (honest.store.clone(), Arc::new(AtomicUsize::new(0)));
    let count = answered.clone();
    let puppet = Puppet::start(None).await;
    let silent = puppet.peer;
    let address = puppet.answering(move |message| {
        let mut answers = blocks(&store, &message);
        answers.retain(|_| count.fetch_add(1, Ordering::Relaxed) < 5);
        answers
    });
    to.node.connect(address.clone()).await.unwrap();
    within(to.node.fetch(&cid, &[address, honest.address()])).await.unwrap();
    assert_eq!(to.file(&cid), file);
    assert!(answered.load(Ordering::Relaxed) > 5, "it was asked for more than it gave");
    assert_eq!(to.counted(silent).blocks_received, 5);
    assert_eq!(to.counted(honest.node.peer_id()).blocks_received, 31 - 5);
}

#[tokio::test]
async fn a_fetch_from_a_silent_peer_ends_in_its_time() {
    let (other, to) = (Peer::start().await, Peer::with(hasty()).await);
    let cid = other.hold(&bytes(5, 100));
    let address = Puppet::start(None).await.answering(|_| Vec::new());
    let began = Instant::now();
    let failed = within(to.node.fetch(&cid, &[address])).await.unwrap_err();
    assert!(matches!(failed, Error::NoPeers { .. }), "{failed}");
    let deadlines = Duration::from_secs(3);
    assert!(began.elapsed() >= deadlines && began.elapsed() < 4 * deadlines, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_lying_peer_is_not_asked_again() {
    let (honest, to) = (Peer::start().await, Peer::with(hasty()).await);
    let file = bytes(6, 8 << 20);
    let cid = honest.hold(&file);
    let (store, asked) = (honest.store.clone(), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    let puppet = Puppet::start(None).await;
    let liar = puppet.peer;
    let address = puppet.answering(move |message| {
        count.fetch_add(1, Ordering::Relaxed);
        let mut answers = blocks(&store, &message);
        for block in answers.iter_mut().flat_map(|answer| &mut answer.blocks) {
            let mut altered = block.data.to_vec();
            altered[0] ^= 1;
            block.data = altered.into();
        }
        answers
    });
    let sources = [address, honest.address()];
    let failed = within(to.node.fetch(&cid, &sources[..1])).await.unwrap_err();
    assert!(matches!(failed, Error::NoPeers { .. }), "{failed}");
    assert_eq!((to.counted(liar).lies, to.counted(liar).blocks_received), (1, 0));
    let before = asked.load(Ordering::Relaxed);
    within(to.node.fetch(&cid, &sources)).await.unwrap();
    assert_eq!(to.file(&cid), file);
    assert_eq!(asked.load(Ordering::Relaxed), before);
    assert!(matches!(to.node.connect(sources[0].clone()).await, Err(Error::Unreachable { .. })));
}

#[tokio::test]
async fn several_fetches_share_what_comes() {
    let (from, to) = (Peer::start().await, Peer::start().await);
    let file = bytes(7, 6 << 20);
    let cid = from.hold(&file);
    let sources = [from.address()];
    let fetch = || to.node.fetch(&cid, &sources);
    let (one, two, three) = within(async { tokio::join!(fetch(), fetch(), fetch()) }).await;
    assert!([one, two, three].iter().all(Result::is_ok));
    assert_eq!(to.file(&cid), file);
    assert!(from.counted(to.node.peer_id()).blocks_sent <= 2 * 7, "they do not fetch three times");
}
