//! The block store: blocks by digest, in segment files that only ever grow at their end.
//!
//! A batch is written, synced once, and only then visible. After a crash the segments are read again:
//! whole records stay, a torn end is cut off. A segment that is full is sealed together with a list of
//! its records, so that a large store opens without reading its blocks.

mod gc;
mod kept;
mod log;
mod pins;
mod room;
mod segment;
mod uses;
mod young;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use bytes::Bytes;
use cid::Cid;

use crate::block::{Block, Digest, check_cid, digest_of, identity_data, sha256};
use crate::blocking;
use crate::config::StoreConfig;
use crate::error::{Error, Result};

pub(crate) use gc::InUse;
pub use gc::{CollectConfig, CollectStep, Collected};
use kept::Kept;
use pins::Pins;
pub use pins::{PIN_NAME_BYTES_MAX, PINS_MAX, Pin};
use room::Room;
use segment::{RECORD_HEADER, Segment};
use uses::Uses;
pub use uses::{POPULARITY_HALF_LIFE, UNUSED_AFTER, Used};
pub use young::Hold;
use young::Young;

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    segment: u32,
    offset: u64,
    length: u32,
}

/// What a batch added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Blocks that were not there before.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
}

/// Blocks on disk, shared between threads behind an `Arc`.
#[derive(Debug)]
pub struct BlockStore {
    dir: PathBuf,
    config: StoreConfig,
    index: RwLock<HashMap<Digest, Place>>,
    segments: RwLock<HashMap<u32, Arc<File>>>,
    writer: Mutex<Writer>,
    pins: Mutex<Pins>,
    uses: Mutex<Uses>,
    room: Room,
    kept: Kept,
    /// Taken to write while a segment is dropped: what is pinned before is seen, what is pinned after finds it gone.
    pinning: RwLock<()>,
    young: Arc<Mutex<Young>>,
    keepers: gc::Keepers,
    collecting: Mutex<()>,
    /// Segments dropped so far.
    deletions: AtomicU64,
    /// Held, and with it the folder, until the store is dropped.
    lock: File,
}

#[derive(Debug)]
struct Writer {
    active: Segment,
    /// Bytes of all segments, the active one included.
    bytes: u64,
    /// Set when the end of the active segment is in doubt: the next batch begins a new one.
    doubtful: bool,
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is complete or undone before anything in it can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BlockStore {
    /// Opens the store in `dir`, making it where it does not exist, and repairs the end of its last segment.
    pub fn open(dir: impl AsRef<Path>, config: StoreConfig) -> Result<BlockStore> {
        let dir = dir.as_ref().to_owned();
        std::fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(Error::io(&lock_path))?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => Error::StoreLocked { path: dir.clone() },
            std::fs::TryLockError::Error(source) => Error::Io { path: lock_path.clone(), source },
        })?;
        let young = config.young;
        let mut index = HashMap::new();
        let mut files = HashMap::new();
        let mut bytes = 0;
        let numbers = segment::list(&dir)?;
        let mut active = None;
        for (position, &number) in numbers.iter().enumerate() {
            let is_last = position + 1 == numbers.len();
            let opened = Segment::open(&dir, number, is_last)?;
            for entry in &opened.entries {
                index.insert(entry.digest, Place { segment: number, offset: entry.offset, length: entry.length });
            }
            bytes += opened.length;
            files.insert(number, opened.file.clone());
            active = Some(opened);
        }
        let active = match active {
            Some(active) => active,
            None => {
                let first = Segment::create(&dir, 1)?;
                bytes += first.length;
                files.insert(1, first.file.clone());
                first
            }
        };
        let pins = Pins::open(&dir)?;
        let uses = Uses::open(&dir, |root| pins.has_root(root))?;
        Ok(BlockStore {
            dir,
            config,
            index: RwLock::new(index),
            segments: RwLock::new(files),
            writer: Mutex::new(Writer { active, bytes, doubtful: false }),
            pins: Mutex::new(pins),
            uses: Mutex::new(uses),
            room: Room::default(),
            kept: Kept::new(),
            pinning: RwLock::default(),
            young: Arc::new(Mutex::new(Young::new(young))),
            keepers: gc::Keepers::default(),
            collecting: Mutex::default(),
            deletions: AtomicU64::new(0),
            lock,
        })
    }

    /// The folder it lies in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Adds one block durably. For several, [`put_many`](Self::put_many) syncs once.
    pub fn put(&self, block: Block) -> Result<Written> {
        self.put_many(&[block])
    }

    /// Adds blocks with one sync; when it returns they survive a power cut. On failure nothing was added. Where the
    /// store is full, room is [made](Self::make_room) first, if it can be.
    pub fn put_many(&self, blocks: &[Block]) -> Result<Written> {
        match self.put_now(blocks) {
            Err(Error::StoreFull { needed, .. }) if self.make_room(needed)? => self.put_now(blocks),
            done => done,
        }
    }

    fn put_now(&self, blocks: &[Block]) -> Result<Written> {
        let mut writer = guard(&self.writer);
        let mut new: Vec<(Digest, &Bytes)> = Vec::with_capacity(blocks.len());
        let mut again = Vec::new();
        {
            let index = self.read_index();
            let mut in_batch = std::collections::HashSet::new();
            for block in blocks {
                if identity_data(block.cid()).is_some() {
                    continue;
                }
                let digest = digest_of(block.cid())?;
                if index.contains_key(&digest) {
                    again.push(digest);
                } else if in_batch.insert(digest) {
                    new.push((digest, block.data()));
                }
            }
        }
        let end = (writer.active.number, writer.active.length);
        guard(&self.young).put(Instant::now(), end, again.into_iter());
        let bytes: u64 = new.iter().map(|(_, data)| data.len() as u64).sum();
        let needed = bytes + new.len() as u64 * RECORD_HEADER;
        if new.is_empty() {
            return Ok(Written::default());
        }
        if writer.bytes + needed > self.config.bytes_max {
            return Err(Error::StoreFull { needed, limit: self.config.bytes_max });
        }
        self.append(&mut writer, &new)?;
        Ok(Written { blocks: new.len() as u64, bytes })
    }

    fn rotate(&self, writer: &mut Writer) -> Result<()> {
        let next = Segment::create(&self.dir, writer.active.number + 1)?;
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.insert(next.number, next.file.clone());
        drop(segments);
        writer.bytes += next.length;
        let sealed = std::mem::replace(&mut writer.active, next);
        writer.doubtful = false;
        if let Err(error) = sealed.write_list(&self.dir) {
            // Only speed is lost: without the list the segment is read through at the next opening.
            tracing::warn!(segment = sealed.number, %error, "the list of a sealed segment could not be written");
        }
        Ok(())
    }

    fn read_index(&self) -> std::sync::RwLockReadGuard<'_, HashMap<Digest, Place>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, cid: &Cid) -> Option<Place> {
        digest_of(cid).ok().and_then(|digest| self.read_index().get(&digest).copied())
    }

    /// Where a block lies now, and the file of it: a block may be moved between the two questions.
    fn locate(&self, cid: &Cid) -> Option<(Place, Arc<File>)> {
        let mut last = None;
        loop {
            let place = self.place(cid).filter(|place| last != Some(*place))?;
            let file = self.segments.read().unwrap_or_else(PoisonError::into_inner).get(&place.segment).cloned();
            if let Some(file) = file {
                return Some((place, file));
            }
            last = Some(place);
        }
    }

    /// Whether the block is here.
    pub fn has(&self, cid: &Cid) -> bool {
        identity_data(cid).is_some() || self.place(cid).is_some()
    }

    /// The size of a block that is here.
    pub fn block_len(&self, cid: &Cid) -> Option<u64> {
        match identity_data(cid) {
            Some(data) => Some(data.len() as u64),
            None => self.place(cid).map(|place| u64::from(place.length)),
        }
    }

    /// The block, or `None` where it is not here. A block that has decayed is forgotten, so that it can
    /// be fetched again, and reported as [`Error::Corrupt`].
    pub fn get(&self, cid: &Cid) -> Result<Option<Bytes>> {
        check_cid(cid)?;
        if let Some(data) = identity_data(cid) {
            return Ok(Some(data));
        }
        while let Some((place, file)) = self.locate(cid) {
            let data = match segment::read(&file, place.offset, place.length) {
                Err(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => Vec::new(),
                Err(source) => return Err(Error::Io { path: segment::path(&self.dir, place.segment), source }),
                Ok(data) => data,
            };
            if data.len() == place.length as usize && (!self.config.verify_reads || sha256(&data) == digest_of(cid)?) {
                return Ok(Some(data.into()));
            }
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            if index.get(&digest_of(cid)?) == Some(&place) {
                index.remove(&digest_of(cid)?);
                return Err(Error::Corrupt { cid: *cid });
            }
            // It was moved or freed while it was read.
        }
        Ok(None)
    }

    /// The block; [`Error::NotFound`] where it is not here.
    pub fn require(&self, cid: &Cid) -> Result<Bytes> {
        self.get(cid)?.ok_or(Error::NotFound { cid: *cid })
    }

    /// [`get`](Self::get) for async callers.
    pub async fn get_async(self: &Arc<Self>, cid: Cid) -> Result<Option<Bytes>> {
        let store = self.clone();
        blocking::run(move || store.get(&cid)).await
    }

    /// [`put_many`](Self::put_many) for async callers.
    pub async fn put_async(self: &Arc<Self>, blocks: Vec<Block>) -> Result<Written> {
        let store = self.clone();
        blocking::run(move || store.put_many(&blocks)).await
    }

    /// Protects what is put from now on from being freed, until the returned value is dropped.
    pub fn hold(&self) -> Hold {
        Hold::new(&self.young)
    }

    /// [`block_len`](Self::block_len), and a block that is here will not be freed for a while, as if it had been put now.
    pub(crate) fn still_here(&self, cid: &Cid) -> Option<u64> {
        let digest = digest_of(cid).ok()?;
        let _nothing_is_dropped = self.pinning.read().unwrap_or_else(PoisonError::into_inner);
        let length = self.block_len(cid)?;
        guard(&self.young).put(Instant::now(), (u32::MAX, 0), [digest].into_iter());
        Some(length)
    }

    /// Segments dropped so far: where the number stands still, nothing was freed.
    pub(crate) fn deletions(&self) -> u64 {
        self.deletions.load(Ordering::Acquire)
    }

    /// Blocks here.
    pub fn len(&self) -> usize {
        self.read_index().len()
    }

    /// Whether it holds no block.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of its segments on disk.
    pub fn bytes_on_disk(&self) -> u64 {
        guard(&self.writer).bytes
    }

    /// The limit it was opened with.
    pub fn bytes_max(&self) -> u64 {
        self.config.bytes_max
    }
}

impl Drop for BlockStore {
    fn drop(&mut self) {
        if let Err(error) = self.flush_uses() {
            tracing::warn!(%error, "the last uses of content could not be written down");
        }
        // Closing is not enough: a process that is being started at this moment still holds a copy.
        drop(self.lock.unlock());
    }
}
