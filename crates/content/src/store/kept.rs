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

/// What has to be walked before the next answer.
#[derive(Debug)]
enum Pending {
    Everything,
    Roots(Vec<Cid>),
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
        Self { found: RwLock::default(), pending: Mutex::new(Pending::Everything), walking: Mutex::default() }
    }

    pub(super) fn pinned(&self, root: &Cid) {
        if let Pending::Roots(roots) = &mut *guard(&self.pending) {
            roots.push(*root);
        }
    }

    pub(super) fn unpinned(&self) {
        *guard(&self.pending) = Pending::Everything;
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
        let pending = std::mem::replace(&mut *guard(&self.pending), Pending::Roots(Vec::new()));
        match pending {
            Pending::Everything => {
                let mut found = Found::default();
                let roots = store.pins().into_iter().map(|pin| pin.root).collect();
                walk(store, roots, |_| false, &mut found);
                *self.found.write().unwrap_or_else(PoisonError::into_inner) = found;
            }
            Pending::Roots(mut waiting) => {
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
