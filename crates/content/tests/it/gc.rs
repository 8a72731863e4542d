//! Garbage collection: what goes, what stays, and what a death in the middle leaves behind.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use content::{
    Block, BlockStore, Cid, CollectConfig, CollectStep, Collected, ImportConfig, RAW, StoreConfig, add_bytes, blocks_of,
};

use crate::fixture::{self, Keystream};

const CHUNK: usize = 4 << 10;

/// Where the child finds its store.
const DIR: &str = "CONTENT_TEST_GC_DIR";

fn config() -> StoreConfig {
    StoreConfig { segment_bytes: 100 << 10, young: Duration::ZERO, ..StoreConfig::default() }
}

fn open(dir: &Path) -> BlockStore {
    BlockStore::open(dir, config()).unwrap()
}

fn add(store: &BlockStore, seed: &str, chunks: usize) -> Cid {
    let bytes = Keystream::bytes(seed, (chunks * CHUNK) as u64);
    let chunks = ImportConfig { chunk_bytes: CHUNK, ..ImportConfig::default() };
    add_bytes(store, &bytes, &chunks).unwrap().cid
}

/// Small files, the even ones pinned, in many segments; a file that fills some segments alone and is not pinned.
fn half_dead(store: &BlockStore) -> (Vec<Cid>, Vec<Cid>) {
    let (mut live, mut dead) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let root = add(store, &format!("small {number}"), 5);
        if number % 2 == 0 {
            store.pin("me", &root).unwrap();
            live.extend(blocks_of(store, &root).unwrap());
        } else {
            dead.extend(blocks_of(store, &root).unwrap());
        }
    }
    for part in 0..6 {
        dead.extend(blocks_of(store, &add(store, &format!("large {part}"), 20)).unwrap());
    }
    (live, dead)
}

fn collect(store: &BlockStore) -> Collected {
    store.collect(&CollectConfig::default(), &mut |_| {}).unwrap()
}

#[track_caller]
fn assert_all_there(store: &BlockStore, cids: &[Cid]) {
    for cid in cids {
        assert!(store.get(cid).unwrap().is_some(), "{cid} is lost");
    }
}

fn bytes_in(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let segments = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "segment"));
    segments.map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn what_no_pin_reaches_is_freed_and_the_rest_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (live, dead) = half_dead(&store);
    let before = store.bytes_on_disk();
    assert_eq!(before, bytes_in(dir.path()));
    let everything = CollectConfig { live_percent_min: 100, ..CollectConfig::default() };
    let done = store.collect(&everything, &mut |_| {}).unwrap();
    assert_eq!((done.blocks, done.left, done.lacks_room), (dead.len() as u64, 0, false), "{done:?}");
    assert_eq!(store.bytes_on_disk(), bytes_in(dir.path()));
    assert_eq!(before - store.bytes_on_disk(), done.bytes);
    assert_all_there(&store, &live);
    assert!(dead.iter().all(|cid| !store.has(cid) && store.get(cid).unwrap().is_none()));
    assert_eq!(store.len(), live.len());
    let again = store.collect(&everything, &mut |_| {}).unwrap();
    assert_eq!(again, Collected::default(), "nothing is left to do");
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.len(), live.len(), "and nothing comes back");
    assert_all_there(&store, &live);
    for pin in store.pins() {
        store.unpin(&pin.name, &pin.root).unwrap();
    }
    assert_eq!(collect(&store).blocks, live.len() as u64);
    assert_eq!((store.len(), store.bytes_on_disk()), (0, 8));
}

#[test]
fn a_segment_with_enough_life_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let root = add(&store, "live", 20);
    store.pin("me", &root).unwrap();
    let dead = Block::new(RAW, vec![1; 100]).unwrap();
    store.put(dead.clone()).unwrap();
    let done = collect(&store);
    assert_eq!((done.blocks, done.left), (0, 144));
    assert!(store.has(dead.cid()));
    let tight = CollectConfig { live_percent_min: 100, reserve_bytes: 1000 };
    let done = store.collect(&tight, &mut |_| {}).unwrap();
    assert_eq!((done.blocks, done.lacks_room), (0, true), "its living blocks need more than the reserve");
    let done = store.collect(&CollectConfig { live_percent_min: 100, ..CollectConfig::default() }, &mut |_| {});
    assert_eq!(done.unwrap().blocks, 1);
}

#[test]
fn what_was_put_lately_or_under_a_hold_is_no_garbage() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let old = Block::new(RAW, vec![1; 100]).unwrap();
    let put_again = Block::new(RAW, vec![2; 100]).unwrap();
    store.put_many(&[old.clone(), put_again.clone()]).unwrap();
    let hold = store.hold();
    let new = Block::new(RAW, vec![3; 100]).unwrap();
    store.put(new.clone()).unwrap();
    store.put(put_again.clone()).unwrap();
    assert_eq!(collect(&store).blocks, 1);
    let has = |block: &Block| store.get(block.cid()).unwrap().is_some();
    assert_eq!((has(&old), has(&put_again), has(&new)), (false, true, true));
    drop(hold);
    store.pin("me", new.cid()).unwrap();
    assert_eq!(collect(&store).blocks, 1);
    assert_eq!((has(&put_again), has(&new)), (false, true));

    let patient = BlockStore::open(dir.path().join("patient"), StoreConfig::default()).unwrap();
    patient.put(old.clone()).unwrap();
    assert_eq!(collect(&patient).blocks, 0, "its root may be pinned any moment");
}

#[test]
fn what_is_pinned_while_it_runs_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (live, _) = half_dead(&store);
    let late = add(&store, "late", 30);
    let late_blocks = blocks_of(&store, &late).unwrap();
    let mut is_pinned = false;
    let done = store.collect(&CollectConfig::default(), &mut |_| {
        if !is_pinned && late_blocks.iter().all(|cid| store.has(cid)) {
            store.pin("late", &late).unwrap();
            is_pinned = true;
        }
    });
    assert!(done.unwrap().blocks > 0 && is_pinned);
    assert_all_there(&store, &late_blocks);
    assert_all_there(&store, &live);
}

#[test]
fn what_is_pinned_at_the_last_moment_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (live, late) = (add(&store, "live", 3), add(&store, "late", 6));
    store.pin("me", &live).unwrap();
    let mut moved = 0;
    let done = store.collect(&CollectConfig::default(), &mut |step| {
        if matches!(step, CollectStep::Moved(_)) {
            moved += 1;
            // All that lived was moved; what is left of the segment was about to go.
            store.pin("late", &late).unwrap();
        }
    });
    assert_eq!((done.unwrap().blocks, moved), (0, 2));
    for root in [live, late] {
        assert_all_there(&store, &blocks_of(&store, &root).unwrap());
    }
}

#[test]
fn readers_and_writers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (live, _) = half_dead(&store);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::Acquire) || rounds == 0 {
                assert_all_there(&store, &live);
                rounds += 1;
            }
        });
        let writer = scope.spawn(|| {
            let mut written = Vec::new();
            for number in 0..30 {
                let root = add(&store, &format!("written {number}"), 6);
                store.pin("writer", &root).unwrap();
                written.extend(blocks_of(&store, &root).unwrap());
                let gone = add(&store, &format!("garbage {number}"), 6);
                store.pin("writer", &gone).unwrap();
                store.unpin("writer", &gone).unwrap();
            }
            written
        });
        let mut freed = 0;
        while !writer.is_finished() {
            freed += collect(&store).blocks;
        }
        let written = writer.join().unwrap();
        freed += collect(&store).blocks;
        done.store(true, Ordering::Release);
        reader.join().unwrap();
        assert!(freed >= 200, "{freed}");
        assert_all_there(&store, &written);
        assert_eq!(store.bytes_on_disk(), bytes_in(dir.path()));
    });
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// As a power cut may leave it: the last segment has lost `torn` of its bytes.
fn tear(dir: &Path, torn: u64) {
    let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    let file = std::fs::OpenOptions::new().write(true).open(names.iter().max().unwrap()).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - torn.min(length)).unwrap();
}

#[test]
fn a_death_at_any_step_loses_nothing_and_revives_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let images = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (live, _) = half_dead(&store);
    let all: Vec<Cid> = live.clone();
    let mut steps = Vec::new();
    let mut gone: Vec<(usize, usize)> = Vec::new();
    store
        .collect(&CollectConfig::default(), &mut |step| {
            copy(dir.path(), &images.path().join(steps.len().to_string()));
            gone.push((store.len(), steps.len()));
            steps.push(step);
        })
        .unwrap();
    let kinds = |wanted: fn(&CollectStep) -> bool| steps.iter().filter(|step| wanted(step)).count();
    assert!(kinds(|step| matches!(step, CollectStep::Moved(_))) > 3, "{steps:?}");
    assert_eq!(
        kinds(|step| matches!(step, CollectStep::Forgotten(_))),
        kinds(|step| matches!(step, CollectStep::Deleted(_)))
    );
    for (number, step) in steps.iter().enumerate() {
        let image = images.path().join(number.to_string());
        // The next batch was being written when the power went.
        let next = Block::new(RAW, vec![9; 5000]).unwrap();
        let half = tempfile::tempdir().unwrap();
        copy(&image, half.path());
        let torn = open(half.path());
        torn.put(next.clone()).unwrap();
        drop(torn);
        tear(half.path(), 77);
        for image in [image.as_path(), half.path()] {
            let store = open(image);
            assert_all_there(&store, &all);
            assert!(!store.has(next.cid()), "{step:?}");
            if matches!(step, CollectStep::Deleted(_)) && image != half.path() {
                assert_eq!(store.len(), gone[number].0, "{step:?}: what was freed stays freed");
            }
            collect(&store);
            assert_all_there(&store, &all);
            drop(store);
            assert_all_there(&open(image), &all);
        }
    }
}

/// Not a test but the process that is killed: it adds, unpins and collects until then.
#[test]
#[ignore = "run by another test, as a process of its own"]
fn the_victim() {
    let dir = std::env::var(DIR).unwrap();
    let store = open(Path::new(&dir));
    let first = store.pins().len();
    for round in first.. {
        add(&store, &format!("garbage {round}"), 9);
        let root = add(&store, &format!("kept {round}"), 9);
        store.pin(&format!("kept {round:06}"), &root).unwrap();
        collect(&store);
    }
}

fn victim(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "gc::the_victim", "--ignored", "--nocapture"]).env(DIR, dir);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn killed_at_any_moment_it_keeps_what_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let mut pins = 0;
    for death in 0..12u64 {
        let mut child = victim(dir.path());
        let log = dir.path().join("pins");
        let before = std::fs::metadata(&log).map_or(0, |data| data.len());
        let limit = std::time::Instant::now() + Duration::from_secs(60);
        while std::fs::metadata(&log).map_or(0, |data| data.len()) <= before {
            assert!(std::time::Instant::now() < limit, "the victim does nothing");
            std::thread::yield_now();
        }
        // Somewhere in the collection that follows.
        std::thread::sleep(Duration::from_micros(death * 700));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(dir.path());
        assert!(store.pins().len() > pins, "death {death}");
        pins = store.pins().len();
        for pin in store.pins() {
            assert_all_there(&store, &blocks_of(&store, &pin.root).unwrap());
            content::read_file(&store, &pin.root, 0..u64::MAX, |_| Ok(())).unwrap();
        }
    }
}

#[test]
fn a_full_disk_gets_room_again() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_mounted) = fixture::small_disk(dir.path(), "4m") else {
        fixture::skip("a full disk: mounting a small one is not allowed here");
        return;
    };
    let path = dir.path().join("store");
    let config = StoreConfig { segment_bytes: 1 << 20, young: Duration::ZERO, ..StoreConfig::default() };
    let store = BlockStore::open(&path, config).unwrap();
    let block = |number: u32| Block::new(RAW, Keystream::bytes(&number.to_string(), 100_000)).unwrap();
    // Every second block of the first segment, and the whole second one, are wanted; the rest is dead.
    let wanted: Vec<Block> = (0..11).step_by(2).chain(11..22).map(block).collect();
    for block in &wanted {
        store.pin("me", block.cid()).unwrap();
    }
    let written = (0..).take_while(|number| store.put(block(*number)).is_ok()).count();
    assert!(written > 30);
    fixture::fill(dir.path());
    assert!(matches!(store.put(block(9999)), Err(content::Error::DiskFull { .. })));
    let mut steps = Vec::new();
    let done = store.collect(&CollectConfig::default(), &mut |step| steps.push(step)).unwrap();
    assert!(matches!(steps[..2], [CollectStep::Forgotten(_), CollectStep::Deleted(_)]), "{steps:?}");
    assert!(done.segments >= 2 && !done.lacks_room, "{done:?} {steps:?}");
    for block in &wanted {
        assert_eq!(store.get(block.cid()).unwrap().as_ref(), Some(block.data()));
    }
    assert_eq!(store.len(), wanted.len());
    store.put(block(9999)).unwrap();
}

#[test]
fn a_full_disk_gets_room_again_with_one_segment_only() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_mounted) = fixture::small_disk(dir.path(), "1m") else {
        fixture::skip("a full disk: mounting a small one is not allowed here");
        return;
    };
    let path = dir.path().join("store");
    let config = StoreConfig { young: Duration::ZERO, ..StoreConfig::default() };
    let store = BlockStore::open(&path, config.clone()).unwrap();
    store.put(Block::new(RAW, vec![1; 500_000]).unwrap()).unwrap();
    fixture::fill(dir.path());
    let done = collect(&store);
    assert_eq!((done.blocks, store.len(), store.bytes_on_disk()), (1, 0, 8), "{done:?}");
    let next = Block::new(RAW, vec![2; 400_000]).unwrap();
    store.put(next.clone()).unwrap();
    assert_eq!(store.get(next.cid()).unwrap().as_ref(), Some(next.data()));
    drop(store);
    assert_eq!(BlockStore::open(&path, config).unwrap().len(), 1);
}
