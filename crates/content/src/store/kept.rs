//! Which blocks lie under a pin, kept in memory: asked for every block that a gateway hands out.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError, RwLock};

use cid::Cid;

use super::{BlockStore, guard};
use crate::block::{DAG_PB, Digest, digest_of, identity_data};
use crate::dag::links;

/// A block as a node or as mere bytes: the same bytes lead on only as a node.
type Key = (bool, Digest);

fn key(cid: &Cid) -> Option<Key> {
    digest_of(cid).ok().map(|digest| (cid.codec() == DAG_PB, digest))
}

/// What was found by walking down from the pins.
#[derive(Debug, Default)]
struct Found {
    blocks: HashSet<Key>,
    /// Nodes that were not in the store: what they lead to is not known yet.
    absent: Vec<Cid>,
}

/// Most new pins that are remembered; above it everything is walked again.
const ROOTS_MAX: usize = 1 << 16;

/// What has to be walked before the next answer.
#[derive(Debug)]
struct Pending {
    everything: bool,
    /// Pinned since the last walk, unless too many were.
    roots: Option<Vec<Cid>>,
}

#[derive(Debug)]
pub(super) struct Kept {
    found: RwLock<Found>,
    pending: Mutex<Pending>,
    /// Held over a walk: who asks meanwhile waits for it.
    walking: Mutex<()>,
}

impl Kept {
    /// Knows nothing yet; the first question walks down from every pin.
    pub(super) fn new() -> Self {
        Self {
            found: RwLock::default(),
            pending: Mutex::new(Pending { everything: true, roots: None }),
            walking: Mutex::default(),
        }
    }

    pub(super) fn pinned(&self, root: &Cid) {
        let mut pending = guard(&self.pending);
        match &mut pending.roots {
            Some(roots) if roots.len() < ROOTS_MAX => roots.push(*root),
            _ => *pending = Pending { everything: true, roots: None },
        }
    }

    pub(super) fn unpinned(&self) {
        guard(&self.pending).everything = true;
    }

    pub(super) fn has(&self, cid: &Cid) -> bool {
        match key(cid) {
            Some((true, digest)) => self.holds(&(true, digest)),
            Some((false, digest)) => self.has_digest(&digest),
            None => false,
        }
    }

    pub(super) fn has_digest(&self, digest: &Digest) -> bool {
        self.holds(&(false, *digest)) || self.holds(&(true, *digest))
    }

    fn holds(&self, key: &Key) -> bool {
        self.found.read().unwrap_or_else(PoisonError::into_inner).blocks.contains(key)
    }

    /// Walks what was pinned since the last time, or everything after something was unpinned.
    pub(super) fn refresh(&self, store: &BlockStore) {
        let _walking = guard(&self.walking);
        let done = Pending { everything: false, roots: Some(Vec::new()) };
        let pending = std::mem::replace(&mut *guard(&self.pending), done);
        match pending {
            Pending { everything: false, roots: Some(roots) } => self.extend(store, roots),
            _ => {
                let mut found = Found::default();
                let roots = store.pins().into_iter().map(|pin| pin.root).collect();
                walk(store, roots, |_| false, &mut found);
                *self.found.write().unwrap_or_else(PoisonError::into_inner) = found;
            }
        }
    }

    /// Walks what was pinned since the last time, for a caller who holds the pins still; what was unpinned may stay.
    /// False where somebody else is walking or too much was pinned: then refresh and come again.
    pub(super) fn catch_up(&self, store: &BlockStore) -> bool {
        let Ok(_walking) = self.walking.try_lock() else { return false };
        let roots = guard(&self.pending).roots.as_mut().map(std::mem::take);
        roots.map(|roots| self.extend(store, roots)).is_some()
    }

    /// A node under a pin that is here but cannot be read: what it leads to must not be called garbage.
    pub(super) fn unreadable(&self, store: &BlockStore) -> Option<Cid> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        found.absent.iter().find(|cid| store.has(cid)).copied()
    }

    fn extend(&self, store: &BlockStore, mut waiting: Vec<Cid>) {
        let mut more = Found::default();
        let known = self.found.read().unwrap_or_else(PoisonError::into_inner);
        let mut came = Vec::new();
        for cid in known.absent.iter().filter(|cid| store.has(cid)) {
            if let Some(children) = children(store, cid) {
                waiting.extend(children);
                came.push(*cid);
            }
        }
        if waiting.is_empty() && came.is_empty() {
            return;
        }
        walk(store, waiting, |key| known.blocks.contains(key), &mut more);
        drop(known);
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        found.blocks.extend(more.blocks);
        found.absent.retain(|cid| !came.contains(cid));
        found.absent.extend(more.absent);
    }
}

/// What a node leads to; `None` where it is not here.
fn children(store: &BlockStore, cid: &Cid) -> Option<Vec<Cid>> {
    match store.get(cid) {
        // Bytes that are no node lead nowhere.
        Ok(Some(bytes)) => Some(links(cid, &bytes).unwrap_or_default()),
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(%cid, %error, "a pinned block cannot be read");
            None
        }
    }
}

fn walk(store: &BlockStore, mut waiting: Vec<Cid>, is_known: impl Fn(&Key) -> bool, found: &mut Found) {
    while let Some(cid) = waiting.pop() {
        let Some(key) = key(&cid).filter(|_| identity_data(&cid).is_none()) else { continue };
        if is_known(&key) || !found.blocks.insert(key) || !key.0 {
            continue;
        }
        match children(store, &cid) {
            Some(children) => waiting.extend(children),
            None => found.absent.push(cid),
        }
    }
}
