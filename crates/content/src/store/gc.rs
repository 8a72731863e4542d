//! Garbage collection: blocks that nobody wants any more, and the room they take.
//!
//! Segments with nothing alive are deleted first, which writes nothing and so works on a full disk. Then those that
//! are mostly dead are emptied, the cheapest first: what lives in one is written behind the newest segment and synced,
//! and only then is the old file deleted. Readers and writers go on meanwhile. Whenever the process dies, each living
//! block lies in the old place or in the new one or in both. What shares a segment with enough living blocks stays
//! where it is, and stays in the store.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Instant;

use bytes::Bytes;

use super::segment::{self, Entry, RECORD_HEADER, Segment};
use super::{BlockStore, Place, Writer, guard};
use crate::block::{Digest, sha256};
use crate::blocking;
use crate::error::{Error, Result};

/// Blocks are moved in batches of this size, with one sync each; writers get their turn in between.
const MOVE_BYTES: usize = 16 << 20;
/// How often a segment is looked at again because something in it was pinned or put at the last moment.
const ROUNDS_MAX: usize = 8;

/// How thoroughly garbage is collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectConfig {
    /// A segment of which less than so many hundredths live is rewritten; 100 frees every dead block.
    pub live_percent_min: u64,
    /// Most bytes that are used, above what is used before, at any moment. A segment that needs more is left.
    pub reserve_bytes: u64,
}

impl Default for CollectConfig {
    fn default() -> Self {
        // A fifth dead: four bytes are written to free one at worst. The reserve is one full segment.
        Self { live_percent_min: 80, reserve_bytes: 256 << 20 }
    }
}

/// What a collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blocks that are gone.
    pub blocks: u64,
    /// Bytes by which the segments on disk shrank.
    pub bytes: u64,
    /// Segments that were deleted.
    pub segments: u64,
    /// Living blocks that were written anew.
    pub moved: u64,
    /// Bytes of segments that hold garbage still: too much in them lives, or room was lacking to rewrite them.
    pub left: u64,
    /// Whether rewriting ended early because the disk or the reserve was too small.
    pub lacks_room: bool,
}

/// What has just happened; told in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectStep {
    /// The active segment was sealed, so that it can be rewritten.
    Sealed,
    /// Living blocks of this segment were written and synced elsewhere.
    Moved(u32),
    /// Nothing in this segment is looked for any more; its file is about to be deleted.
    Forgotten(u32),
    /// The file is gone.
    Deleted(u32),
}

/// Something outside the store that uses blocks which lie under no pin.
pub(crate) trait InUse: Send + Sync {
    /// A collection begins: what was given up may be forgotten.
    fn begin(&self);
    /// Whether the block must stay.
    fn uses(&self, digest: &Digest) -> bool;
}

/// A sealed segment and how much of it lives.
struct Tally {
    number: u32,
    length: u64,
    live: u64,
}

impl Tally {
    fn is_sparse(&self, percent: u64) -> bool {
        u128::from(self.live) * 100 < u128::from(self.length.saturating_sub(8)) * u128::from(percent)
    }
}

impl BlockStore {
    /// Frees blocks that lie under no pin, were not put lately or under a [`Hold`](super::Hold), and belong to no
    /// unfinished upload. One at a time; a second call waits. On failure some may have been freed, and nothing is lost.
    pub fn collect(&self, config: &CollectConfig, on_step: &mut dyn FnMut(CollectStep)) -> Result<Collected> {
        let _one = guard(&self.collecting);
        self.keepers(|keeper| keeper.begin());
        guard(&self.young).grow_up(Instant::now());
        self.kept.refresh(self);
        if let Some(cid) = self.kept.unreadable(self) {
            let source = std::io::Error::other(format!("pinned block {cid} cannot be read, so nothing is freed"));
            return Err(Error::Io { path: self.dir.clone(), source });
        }
        let mut run = Run { store: self, done: Collected::default(), grown: 0, shrunk: 0, on_step };
        let mut sparse = Vec::new();
        for tally in run.tallies()? {
            if tally.live == 0 {
                run.empty(&tally)?;
            } else if tally.length > tally.live + 8 {
                sparse.push(tally);
            }
        }
        run.seal(config)?.into_iter().for_each(|tally| sparse.push(tally));
        sparse.sort_by_key(|tally| tally.live);
        for tally in &sparse {
            if !tally.is_sparse(config.live_percent_min) {
                run.done.left += tally.length - tally.live;
            } else if run.done.lacks_room || tally.live > config.reserve_bytes {
                run.done.lacks_room = true;
                run.done.left += tally.length - tally.live;
            } else if let Err(error) = run.empty(tally) {
                // One bad sector is not to keep all other garbage here.
                tracing::warn!(segment = tally.number, %error, "a segment could not be rewritten");
                run.done.lacks_room |= matches!(error, Error::DiskFull { .. });
                run.done.left += tally.length - tally.live;
            }
        }
        if let Err(error) = guard(&self.pins).settle().and_then(|()| self.flush_uses()) {
            tracing::warn!(%error, "what was unpinned and used lately could not be written down");
        }
        run.done.bytes = run.shrunk.saturating_sub(run.grown);
        tracing::debug!(freed = run.done.blocks, bytes = run.done.bytes, moved = run.done.moved, "collected garbage");
        Ok(run.done)
    }

    /// [`collect`](Self::collect) for async callers.
    pub async fn collect_async(self: &Arc<Self>, config: CollectConfig) -> Result<Collected> {
        let store = self.clone();
        blocking::run(move || store.collect(&config, &mut |_| {})).await
    }

    /// Blocks that `keeper` uses stay for as long as it exists.
    pub(crate) fn protect(&self, keeper: Weak<dyn InUse>) {
        guard(&self.keepers.0).push(keeper);
    }

    fn keepers(&self, mut each: impl FnMut(&dyn InUse)) {
        let mut all = guard(&self.keepers.0);
        all.retain(|keeper| keeper.upgrade().map(|keeper| each(keeper.as_ref())).is_some());
    }

    fn lives(&self, digest: &Digest, place: &Place) -> bool {
        let is_used = || {
            let mut is_used = false;
            self.keepers(|keeper| is_used |= keeper.uses(digest));
            is_used
        };
        self.kept.has_digest(digest) || guard(&self.young).has(digest, place) || is_used()
    }

    /// Whether this record is the one that is read for its digest.
    fn is_current(&self, number: u32, entry: &Entry) -> Option<Place> {
        let place = Place { segment: number, offset: entry.offset, length: entry.length };
        (self.read_index().get(&entry.digest) == Some(&place)).then_some(place)
    }

    fn live_among(&self, number: u32, entries: &[Entry]) -> Vec<Entry> {
        let lives =
            |entry: &&Entry| self.is_current(number, entry).is_some_and(|place| self.lives(&entry.digest, &place));
        entries.iter().filter(lives).copied().collect()
    }
}

fn record_bytes(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| RECORD_HEADER + u64::from(entry.length)).sum()
}

/// One collection.
struct Run<'a> {
    store: &'a BlockStore,
    done: Collected,
    /// Bytes that were written, and bytes of what was deleted.
    grown: u64,
    shrunk: u64,
    on_step: &'a mut dyn FnMut(CollectStep),
}

impl Run<'_> {
    /// Every sealed segment.
    fn tallies(&self) -> Result<Vec<Tally>> {
        let active = guard(&self.store.writer).active.number;
        let segments = self.store.segments.read().unwrap_or_else(PoisonError::into_inner);
        let mut numbers: Vec<u32> = segments.keys().copied().filter(|number| *number != active).collect();
        drop(segments);
        numbers.sort_unstable();
        let tally = |number| {
            let (entries, length) = Segment::contents(&self.store.dir, number)?;
            Ok(Tally { number, length, live: record_bytes(&self.store.live_among(number, &entries)) })
        };
        numbers.into_iter().map(tally).collect()
    }

    /// Seals the active segment where it is to be rewritten, or clears it where nothing in it lives and the disk has no
    /// room even for the next one.
    fn seal(&mut self, config: &CollectConfig) -> Result<Option<Tally>> {
        let mut writer = guard(&self.store.writer);
        let (number, length) = (writer.active.number, writer.active.length);
        let live = record_bytes(&self.store.live_among(number, &writer.active.entries));
        let tally = Tally { number, length, live };
        if !tally.is_sparse(config.live_percent_min) {
            self.done.left += (length - live).saturating_sub(8);
            return Ok(None);
        }
        let before = writer.bytes;
        match self.store.rotate(&mut writer) {
            Err(Error::DiskFull { .. }) if live == 0 => return self.clear(&mut writer).map(|()| None),
            Err(Error::DiskFull { .. }) => {
                self.done.lacks_room = true;
                self.done.left += length - live;
                return Ok(None);
            }
            sealed => sealed?,
        }
        self.grown += writer.bytes - before;
        drop(writer);
        (self.on_step)(CollectStep::Sealed);
        if live > 0 {
            return Ok(Some(tally));
        }
        self.empty(&tally)?;
        Ok(None)
    }

    /// Cuts off all records of the active segment. The next batch begins another one, so that no reader who still knows
    /// an old place finds other bytes there.
    fn clear(&mut self, writer: &mut Writer) -> Result<()> {
        let (number, before) = (writer.active.number, writer.active.length);
        let entries = writer.active.entries.clone();
        if let Some(gone) = self.forget(writer, number, &entries) {
            writer.doubtful = true;
            writer.active.clear()?;
            let freed = before - writer.active.length;
            writer.bytes -= freed;
            self.done.blocks += gone;
            self.shrunk += freed;
        }
        Ok(())
    }

    /// Moves what lives in a segment and deletes it.
    fn empty(&mut self, tally: &Tally) -> Result<()> {
        let number = tally.number;
        let (entries, length) = Segment::contents(&self.store.dir, number)?;
        for _ in 0..ROUNDS_MAX {
            self.store.kept.refresh(self.store);
            let live = self.store.live_among(number, &entries);
            self.relocate(number, &live)?;
            let mut writer = guard(&self.store.writer);
            if let Some(gone) = self.forget(&writer, number, &entries) {
                self.store.segments.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
                writer.bytes = writer.bytes.saturating_sub(length);
                drop(writer);
                (self.on_step)(CollectStep::Forgotten(number));
                if let Err(error) = segment::remove(&self.store.dir, number) {
                    guard(&self.store.writer).bytes += length;
                    return Err(error);
                }
                self.done.blocks += gone;
                self.done.segments += 1;
                self.shrunk += length;
                (self.on_step)(CollectStep::Deleted(number));
                return Ok(());
            }
        }
        self.done.left += tally.length - tally.live;
        Ok(())
    }

    /// Takes what is in a segment out of the index while nobody can write or pin, and says how many blocks that were;
    /// `None` where something in it came to life.
    fn forget(&self, _no_puts: &Writer, number: u32, entries: &[Entry]) -> Option<u64> {
        let store = self.store;
        let _no_pins = store.pinning.write().unwrap_or_else(PoisonError::into_inner);
        if !store.kept.catch_up(store) || !store.live_among(number, entries).is_empty() {
            return None;
        }
        let mut index = store.index.write().unwrap_or_else(PoisonError::into_inner);
        let mut gone = 0;
        for Entry { digest, offset, length } in entries {
            if index.get(digest) == Some(&Place { segment: number, offset: *offset, length: *length }) {
                index.remove(digest);
                gone += 1;
            }
        }
        store.deletions.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        Some(gone)
    }

    /// Writes blocks behind the newest segment.
    fn relocate(&mut self, number: u32, live: &[Entry]) -> Result<()> {
        let file = self.store.segments.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        let Some(file) = file else { return Ok(()) };
        let mut waiting = live;
        while !waiting.is_empty() {
            let mut batch: Vec<(Entry, Bytes)> = Vec::new();
            let mut bytes = 0;
            while let Some((entry, rest)) = waiting.split_first().filter(|_| bytes < MOVE_BYTES) {
                waiting = rest;
                let data = match segment::read(&file, entry.offset, entry.length) {
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Vec::new(),
                    read => read.map_err(Error::io(&segment::path(&self.store.dir, number)))?,
                };
                if sha256(&data) != entry.digest {
                    tracing::warn!(segment = number, offset = entry.offset, "a block has decayed and is forgotten");
                    continue;
                }
                bytes += data.len();
                batch.push((*entry, data.into()));
            }
            let mut writer = guard(&self.store.writer);
            // A block that was found decayed meanwhile and put again lies elsewhere by now.
            batch.retain(|(entry, _)| self.store.is_current(number, entry).is_some());
            let blocks: Vec<(Digest, &Bytes)> = batch.iter().map(|(entry, data)| (entry.digest, data)).collect();
            let before = writer.bytes;
            self.store.append(&mut writer, &blocks)?;
            self.grown += writer.bytes - before;
            drop(writer);
            self.done.moved += blocks.len() as u64;
            (self.on_step)(CollectStep::Moved(number));
        }
        // Those that decayed are not to hold their segment back.
        let mut index = self.store.index.write().unwrap_or_else(PoisonError::into_inner);
        for Entry { digest, offset, length } in live {
            if index.get(digest) == Some(&Place { segment: number, offset: *offset, length: *length }) {
                index.remove(digest);
            }
        }
        Ok(())
    }
}

/// What the store knows of those who use its blocks.
#[derive(Default)]
pub(super) struct Keepers(pub(super) std::sync::Mutex<Vec<Weak<dyn InUse>>>);

impl std::fmt::Debug for Keepers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} keepers", guard(&self.0).len())
    }
}

impl BlockStore {
    /// Writes records, counts them and makes them visible; the one way into a segment.
    pub(super) fn append(&self, writer: &mut Writer, blocks: &[(Digest, &Bytes)]) -> Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        if writer.doubtful || writer.active.length >= self.config.segment_bytes {
            self.rotate(writer)?;
        }
        let before = (writer.active.entries.len(), writer.active.length);
        if let Err(error) = writer.active.append(blocks) {
            writer.doubtful = true;
            return Err(error);
        }
        writer.bytes += writer.active.length - before.1;
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for Entry { digest, offset, length } in &writer.active.entries[before.0..] {
            let segment = writer.active.number;
            index.insert(*digest, Place { segment, offset: *offset, length: *length });
        }
        Ok(())
    }
}
