//! The block store against a model, against power cuts and against decay.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use content::{Block, BlockStore, Cid, CollectConfig, Error, Pin, RAW, StoreConfig};
use proptest::prelude::*;

use crate::fixture;

fn block(seed: u16, length: usize) -> Block {
    let mut data = vec![seed as u8; length.max(2)];
    data[..2].copy_from_slice(&seed.to_le_bytes());
    Block::new(RAW, data).unwrap()
}

fn open(dir: &Path, config: StoreConfig) -> BlockStore {
    BlockStore::open(dir, config).unwrap()
}

fn first_segment(dir: &Path) -> PathBuf {
    dir.join("00000001.segment")
}

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<(u16, usize)>),
    Pin(u8, u16),
    Unpin(u8, u16),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec((0u16..40, 0usize..600), 0..8).prop_map(Step::Put),
        1 => (0u8..3, 0u16..40).prop_map(|(name, seed)| Step::Pin(name, seed)),
        1 => (0u8..3, 0u16..40).prop_map(|(name, seed)| Step::Unpin(name, seed)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_map_that_survives_reopening(steps in proptest::collection::vec(step(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig { segment_bytes: 2000, ..StoreConfig::default() };
        let mut store = open(dir.path(), config.clone());
        let mut model: HashMap<Cid, Bytes> = HashMap::new();
        let mut pins: BTreeSet<Pin> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Put(seeds) => {
                    let blocks: Vec<_> = seeds.iter().map(|(seed, length)| block(*seed, *length)).collect();
                    let new: BTreeSet<_> = blocks.iter().map(Block::cid).filter(|cid| !model.contains_key(cid)).collect();
                    prop_assert_eq!(store.put_many(&blocks).unwrap().blocks as usize, new.len());
                    model.extend(blocks.iter().map(|block| (*block.cid(), block.data().clone())));
                }
                Step::Pin(name, seed) => {
                    let pin = Pin { name: format!("who {name}"), root: *block(seed, 9).cid() };
                    store.pin(&pin.name, &pin.root).unwrap();
                    pins.insert(pin);
                }
                Step::Unpin(name, seed) => {
                    let pin = Pin { name: format!("who {name}"), root: *block(seed, 9).cid() };
                    prop_assert_eq!(store.unpin(&pin.name, &pin.root).unwrap(), pins.remove(&pin));
                }
                Step::Reopen => {
                    drop(store);
                    store = open(dir.path(), config.clone());
                }
            }
            prop_assert_eq!(store.len(), model.len());
        }
        for (cid, data) in &model {
            prop_assert_eq!(store.get(cid).unwrap(), Some(data.clone()));
        }
        prop_assert_eq!(store.pins(), pins.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(store.get(block(999, 5).cid()).unwrap(), None);
    }
}

/// Two batches on disk: the store's folder, and how long its segment was after each.
fn two_batches() -> (tempfile::TempDir, Vec<Block>, Vec<Block>, u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (
        (0..3).map(|seed| block(seed, 40)).collect::<Vec<_>>(),
        (3..6).map(|seed| block(seed, 40)).collect::<Vec<_>>(),
    );
    let store = open(dir.path(), StoreConfig::default());
    let length = || std::fs::metadata(first_segment(dir.path())).unwrap().len();
    store.put_many(&first).unwrap();
    let before = length();
    store.put_many(&second).unwrap();
    let after = length();
    drop(store);
    (dir, first, second, before, after)
}

#[test]
fn a_batch_torn_at_any_byte_costs_no_earlier_block() {
    let (dir, first, second, before, after) = two_batches();
    let whole = std::fs::read(first_segment(dir.path())).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for cut in before..=after {
        for tail in ["nothing", "zeros"] {
            let mut torn = whole[..cut as usize].to_vec();
            if tail == "zeros" {
                torn.resize(after as usize, 0);
            }
            std::fs::write(first_segment(copy.path()), torn).unwrap();
            let store = open(copy.path(), StoreConfig::default());
            assert!(
                first.iter().all(|block| store.get(block.cid()).unwrap().as_ref() == Some(block.data())),
                "cut at {cut}"
            );
            let record = (after - before) / 3;
            let expected = ((cut - before) / record) as usize;
            let kept = second.iter().take_while(|block| store.has(block.cid())).count();
            assert!(
                kept >= expected && store.len() == 3 + kept,
                "cut at {cut}, then {tail}: kept {kept} of {expected}"
            );
            store.put_many(&second).unwrap();
            drop(store);
            let store = open(copy.path(), StoreConfig::default());
            assert_eq!(store.len(), 6, "cut at {cut}, then {tail}");
            for block in &second {
                assert_eq!(store.get(block.cid()).unwrap().as_ref(), Some(block.data()));
            }
        }
    }
}

#[test]
fn a_decayed_block_is_noticed_and_can_be_put_again() {
    for at in [0, 3, 20, 43, 44, 60] {
        let (dir, first, second, ..) = two_batches();
        let flip = |store_closed: &Path| {
            let file = std::fs::OpenOptions::new().read(true).write(true).open(first_segment(store_closed)).unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, 8 + at).unwrap();
            file.write_all_at(&[byte[0] ^ 0x10], 8 + at).unwrap();
        };
        flip(dir.path());
        let store = open(dir.path(), StoreConfig::default());
        assert!(!store.has(first[0].cid()), "byte {at}: the damaged block is not offered");
        assert_eq!(store.len(), 5, "byte {at}: the blocks behind it are");
        store.put_many(&first).unwrap();
        assert_eq!(store.get(first[0].cid()).unwrap().as_ref(), Some(first[0].data()));
        drop(store);
        assert_eq!(open(dir.path(), StoreConfig::default()).len(), 6);
        assert_eq!(second.len(), 3);
    }
}

#[test]
fn decay_while_open_is_noticed_on_reading() {
    let dir = tempfile::tempdir().unwrap();
    for verify_reads in [true, false] {
        let path = dir.path().join(verify_reads.to_string());
        let store = open(&path, StoreConfig { verify_reads, ..StoreConfig::default() });
        let good = block(1, 100);
        store.put(good.clone()).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(first_segment(&path)).unwrap();
        file.write_all_at(b"?", 8 + 44 + 50).unwrap();
        if verify_reads {
            assert!(matches!(store.get(good.cid()), Err(Error::Corrupt { .. })));
            assert!(!store.has(good.cid()), "it is forgotten");
            assert_eq!(store.put(good.clone()).unwrap().blocks, 1, "and taken again");
            assert_eq!(store.get(good.cid()).unwrap().as_ref(), Some(good.data()));
        } else {
            assert_ne!(store.get(good.cid()).unwrap().as_ref(), Some(good.data()), "trusted reads believe the disk");
        }
    }
}

#[test]
fn a_collection_does_not_pass_decay_on() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { young: std::time::Duration::ZERO, ..StoreConfig::default() };
    let store = open(dir.path(), config);
    let blocks: Vec<_> = (0..9).map(|seed| block(seed, 100)).collect();
    store.put_many(&blocks).unwrap();
    for kept in &blocks[..5] {
        store.pin("me", kept.cid()).unwrap();
    }
    let file = std::fs::OpenOptions::new().write(true).open(first_segment(dir.path())).unwrap();
    file.write_all_at(b"?", 8 + 44 + 50).unwrap();
    let done = store.collect(&CollectConfig::default(), &mut |_| {}).unwrap();
    assert_eq!((done.moved, done.segments, store.len()), (4, 1, 4), "{done:?}");
    assert!(!store.has(blocks[0].cid()), "it can be fetched again");
    for kept in &blocks[1..5] {
        assert_eq!(store.get(kept.cid()).unwrap().as_ref(), Some(kept.data()));
    }
    store.put(blocks[0].clone()).unwrap();
    assert_eq!(store.get(blocks[0].cid()).unwrap().as_ref(), Some(blocks[0].data()));
}

#[test]
fn sealed_segments_open_from_their_lists_and_without_them() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { segment_bytes: 500, ..StoreConfig::default() };
    let blocks: Vec<_> = (0..20).map(|seed| block(seed, 200)).collect();
    let store = open(dir.path(), config.clone());
    for block in &blocks {
        store.put(block.clone()).unwrap();
    }
    drop(store);
    let lists = || -> Vec<_> {
        let all = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|extension| extension == "list")).collect()
    };
    assert!(lists().len() >= 5);
    for list in lists() {
        let mut bytes = std::fs::read(&list).unwrap();
        bytes[30] ^= 1;
        std::fs::write(&list, bytes).unwrap();
    }
    let check = || {
        let store = open(dir.path(), config.clone());
        assert!(blocks.iter().all(|block| store.get(block.cid()).unwrap().as_ref() == Some(block.data())));
    };
    check();
    lists().iter().for_each(|list| std::fs::remove_file(list).unwrap());
    check();
    assert!(lists().len() >= 5, "they are made anew");
}

#[test]
fn a_batch_above_the_limit_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), StoreConfig { bytes_max: 1000, ..StoreConfig::default() });
    store.put(block(1, 300)).unwrap();
    let before = (store.len(), store.bytes_on_disk());
    let refused = store.put_many(&[block(2, 100), block(3, 600)]);
    assert!(matches!(refused, Err(Error::StoreFull { needed: 788, limit: 1000 })), "{refused:?}");
    assert_eq!((store.len(), store.bytes_on_disk()), before);
    store.put(block(2, 100)).unwrap();
    assert_eq!(store.put(block(1, 300)).unwrap().blocks, 0, "what is there needs no room");
}

#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mount =
        |arguments: &[&str]| std::process::Command::new(arguments[0]).args(&arguments[1..]).arg(dir.path()).status();
    let mounted = mount(&["mount", "-t", "tmpfs", "-o", "size=4m", "none"]);
    if !mounted.is_ok_and(|status| status.success()) {
        fixture::skip("a full disk: mounting a small one is not allowed here");
        return;
    }
    let store = open(&dir.path().join("store"), StoreConfig::default());
    let kept = block(1, 1 << 20);
    store.put(kept.clone()).unwrap();
    let batch: Vec<_> = (2..8).map(|seed| block(seed, 1 << 20)).collect();
    assert!(matches!(store.put_many(&batch), Err(Error::DiskFull { .. })));
    assert_eq!(store.len(), 1);
    assert_eq!(store.get(kept.cid()).unwrap().as_ref(), Some(kept.data()));
    store.put(block(9, 1 << 20)).unwrap();
    store.pin("me", kept.cid()).unwrap();
    drop(store);
    let store = open(&dir.path().join("store"), StoreConfig::default());
    assert_eq!((store.len(), store.pins().len()), (2, 1));
    drop(store);
    assert!(mount(&["umount"]).unwrap().success());
}

#[test]
fn two_processes_cannot_share_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), StoreConfig::default());
    assert!(matches!(BlockStore::open(dir.path(), StoreConfig::default()), Err(Error::StoreLocked { .. })));
    drop(first);
    open(dir.path(), StoreConfig::default());
}

#[test]
fn a_torn_pin_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), StoreConfig::default());
    store.pin("first", block(1, 2).cid()).unwrap();
    store.pin("a name with blanks", block(2, 2).cid()).unwrap();
    drop(store);
    let pins = dir.path().join("pins");
    let text = std::fs::read(&pins).unwrap();
    std::fs::write(&pins, &text[..text.len() - 3]).unwrap();
    let store = open(dir.path(), StoreConfig::default());
    assert_eq!(store.pins(), [Pin { name: "first".to_owned(), root: *block(1, 2).cid() }]);
    assert!(store.pin("line\nbreak", block(3, 2).cid()).is_err());
    store.pin("second", block(3, 2).cid()).unwrap();
    store.pin("third", block(3, 2).cid()).unwrap();
    assert!(store.unpin("third", block(3, 2).cid()).unwrap());
    assert!(store.is_pinned(block(3, 2).cid()), "another name still wants it");
    assert!(!store.is_pinned(block(2, 2).cid()));
    drop(store);
    assert_eq!(open(dir.path(), StoreConfig::default()).pins().len(), 2);
}
