//! Last use, popularity, pins that lapse, and a full store that lets go of what nobody used.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use content::{
    Block, BlockStore, Cid, CollectConfig, Error, GatewayConfig, ImportConfig, POPULARITY_HALF_LIFE, Pin, RAW,
    StoreConfig, UNUSED_AFTER, add_bytes, gateway, serves_pinned,
};

use crate::fixture::{self, Keystream, serve, store};

fn open(dir: &Path) -> BlockStore {
    BlockStore::open(dir, StoreConfig::default()).unwrap()
}

fn root(number: u8) -> Cid {
    *Block::new(RAW, vec![number; 9]).unwrap().cid()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

#[test]
fn the_most_popular_come_first_and_fade() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for number in 1..=3 {
        store.pin("me", &root(number)).unwrap();
    }
    let uses = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 3), (3, 3), (9, 3)];
    uses.iter().for_each(|(number, seconds)| store.used(&root(*number), at(*seconds)));
    let popular = |store: &BlockStore, most, now: SystemTime| -> Vec<(Cid, i64)> {
        store.popular(most, now).iter().map(|used| (used.root, (used.uses * 10.0).round() as i64)).collect()
    };
    assert_eq!(
        popular(&store, 10, at(3)),
        [(root(1), 30), (root(2), 20), (root(3), 10)],
        "nothing of what is not pinned"
    );
    assert_eq!(popular(&store, 1, at(3) + POPULARITY_HALF_LIFE), [(root(1), 15)]);
    (0..3).for_each(|_| store.used(&root(3), at(3) + POPULARITY_HALF_LIFE));
    let expected = [(root(3), 35), (root(1), 15), (root(2), 10)];
    let later = at(3) + POPULARITY_HALF_LIFE;
    assert_eq!(popular(&store, 10, later), expected);
    assert_eq!(store.last_use(&root(2)), Some(at(3)));
    drop(store);

    let store = open(dir.path());
    assert_eq!(popular(&store, 10, later), expected, "after a restart");
    store.used(&root(2), later);
    store.flush_uses().unwrap();
    store.unpin("me", &root(1)).unwrap();
    assert_eq!(popular(&store, 10, later), [(root(3), 35), (root(2), 20)]);
    drop(store);
    let log = dir.path().join("uses");
    let text = std::fs::read(&log).unwrap();
    std::fs::write(&log, &text[..text.len() - 5]).unwrap();
    let store = open(dir.path());
    assert_eq!(popular(&store, 10, later), [(root(3), 35), (root(2), 10)], "a torn line costs only itself");
    for _ in 0..3000 {
        store.used(&root(3), later);
        store.flush_uses().unwrap();
    }
    assert!(std::fs::read_to_string(&log).unwrap().lines().count() < 1100, "the log is shortened");
    assert_eq!(popular(&store, 1, later), [(root(3), 30035)]);
}

#[test]
fn pins_lapse_after_thirty_days_without_use_and_others_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.pin("for good", &root(1)).unwrap();
    store.pin_while_used("cache", &root(1), at(0)).unwrap();
    store.pin_while_used("for good", &root(1), at(0)).unwrap();
    store.pin_while_used("cache", &root(2), at(0)).unwrap();
    store.pin_while_used("cache", &root(3), at(0)).unwrap();
    store.pin_while_used("cache", &root(4), at(0)).unwrap();
    store.pin("cache", &root(4)).unwrap();
    store.used(&root(2), at(5));
    drop(store);
    let store = open(dir.path());
    let lapse = |now| -> Vec<(String, Cid)> {
        let mut lapsed: Vec<Pin> = store.lapse(now).unwrap();
        lapsed.sort();
        lapsed.into_iter().map(|pin| (pin.name, pin.root)).collect()
    };
    assert_eq!(lapse(at(0) + UNUSED_AFTER - Duration::from_secs(1)), []);
    let mut expected = vec![("cache".to_owned(), root(1)), ("cache".to_owned(), root(3))];
    expected.sort();
    assert_eq!(lapse(at(0) + UNUSED_AFTER), expected);
    assert_eq!(lapse(at(5) + UNUSED_AFTER), [("cache".to_owned(), root(2))]);
    let mut left = vec![("cache".to_owned(), root(4)), ("for good".to_owned(), root(1))];
    left.sort();
    let pins: Vec<_> = store.pins().into_iter().map(|pin| (pin.name, pin.root)).collect();
    assert_eq!(pins, left);
    assert_eq!(lapse(at(0) + UNUSED_AFTER * 9), []);
    drop(store);
    assert_eq!(open(dir.path()).pins().len(), 2);
}

#[test]
fn a_full_store_lets_go_of_what_was_not_used_for_longest_before_it_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let config =
        StoreConfig { bytes_max: 1_000_000, segment_bytes: 150_000, young: Duration::ZERO, ..Default::default() };
    let store = BlockStore::open(dir.path(), config).unwrap();
    let chunks = ImportConfig { chunk_bytes: 10_000, ..ImportConfig::default() };
    let add = |seed: &str| add_bytes(&store, &Keystream::bytes(seed, 180_000), &chunks).map(|added| added.cid);
    let kept = add("kept").unwrap();
    store.pin("me", &kept).unwrap();
    let mut cached = Vec::new();
    for number in 0..4u64 {
        cached.push(add(&format!("cached {number}")).unwrap());
        store.pin_while_used("cache", &cached[number as usize], at(number)).unwrap();
    }
    store.used(&cached[0], at(100));
    let is_whole = |root: &Cid| content::missing(&store, root, 1).unwrap().is_empty();
    // 0.9 of 1 MB are taken; the second oldest was used last.
    let hold = store.hold();
    let next = add("next").unwrap();
    assert!(store.bytes_on_disk() <= 1_000_000);
    let whole: Vec<bool> = cached.iter().map(is_whole).collect();
    assert_eq!(whole, [true, false, true, true]);
    assert!(is_whole(&kept) && is_whole(&next));
    store.pin("me", &next).unwrap();
    drop(hold);
    for number in 0..3 {
        let more = add(&format!("more {number}")).unwrap();
        store.pin("me", &more).unwrap();
    }
    assert_eq!(store.pinned_by("cache"), [], "the last of the cache went");
    let refused = add("too much");
    assert!(matches!(refused, Err(Error::StoreFull { .. })), "{refused:?}");
    assert!(is_whole(&kept) && is_whole(&next), "what is kept for good stays");
    store.unpin("me", &next).unwrap();
    assert!(add("fits now").is_ok());
    assert!(!is_whole(&next) && is_whole(&kept));
}

#[tokio::test]
async fn what_the_gateway_hands_out_counts_as_used() {
    let store = store();
    let root = add_bytes(&store, b"popular", &ImportConfig::default()).unwrap().cid;
    store.pin("me", &root).unwrap();
    let serves = Some(serves_pinned(&store));
    let url = serve(gateway::router(store.store.clone(), GatewayConfig { serves, ..GatewayConfig::default() })).await;
    let url = url.join(&format!("/ipfs/{root}")).unwrap();
    reqwest::Client::new().head(url.clone()).send().await.unwrap();
    assert_eq!(store.popular(10, SystemTime::now()), []);
    let before = SystemTime::now() - Duration::from_secs(1);
    assert_eq!(reqwest::get(url).await.unwrap().bytes().await.unwrap(), "popular");
    let popular = store.popular(10, SystemTime::now());
    assert_eq!((popular.len(), popular[0].root), (1, root));
    assert!(popular[0].last >= before);
}

#[test]
fn a_full_disk_can_be_unpinned_from() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_mounted) = fixture::small_disk(dir.path(), "1m") else {
        fixture::skip("a full disk: mounting a small one is not allowed here");
        return;
    };
    let path = dir.path().join("store");
    let config = StoreConfig { young: Duration::ZERO, ..StoreConfig::default() };
    let store = BlockStore::open(&path, config.clone()).unwrap();
    let block = Block::new(RAW, vec![1; 500_000]).unwrap();
    store.put(block.clone()).unwrap();
    store.pin("me", block.cid()).unwrap();
    // The next line of the log needs another page.
    let log = path.join("pins");
    for number in 10.. {
        let length = std::fs::metadata(&log).unwrap().len();
        if length % 4096 > 4096 - 60 {
            break;
        }
        store.pin(&format!("p{number}"), &root(1)).unwrap();
        let rest = 4096 - std::fs::metadata(&log).unwrap().len() % 4096;
        if rest < 220 {
            // A name that fills the page but for a few bytes.
            store.pin(&"x".repeat(usize::try_from(rest - 100).unwrap()), &root(2)).unwrap();
        }
    }
    fixture::fill(dir.path());
    assert!(matches!(store.pin("another name", &root(3)), Err(Error::DiskFull { .. })));
    assert!(store.unpin("me", block.cid()).unwrap());
    assert_eq!(store.collect(&CollectConfig::default(), &mut |_| {}).unwrap().blocks, 1);
    let pins = store.pins();
    assert!(!pins.iter().any(|pin| pin.root == *block.cid()));
    drop(store);
    assert_eq!(BlockStore::open(&path, config).unwrap().pins(), pins, "it was written down");
}
