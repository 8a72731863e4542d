//! Whole DAGs: walking them, what is missing from one, how large it is.

use std::collections::HashSet;

use bytes::Bytes;
use cid::Cid;

use crate::block::{DAG_PB, Digest, digest_of, identity_data};
use crate::dagpb::Node;
use crate::error::{Error, Result};
use crate::store::BlockStore;

/// Most distinct blocks of one DAG: a walk remembers each. At 1 MiB each they are 16 TiB.
pub const DAG_BLOCKS_MAX: usize = 16 << 20;

/// How large a DAG is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DagSize {
    /// Distinct blocks.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
}

/// The blocks that a block points at, in order; none where its bytes are not dag-pb.
pub(crate) fn links(cid: &Cid, bytes: &Bytes) -> Result<Vec<Cid>> {
    if cid.codec() != DAG_PB {
        return Ok(Vec::new());
    }
    Ok(Node::decode(bytes)?.links.iter().map(|link| link.cid).collect())
}

/// Blocks still to visit, each at most once, parents before children, children in order.
#[derive(Debug)]
pub(crate) struct Frontier {
    waiting: Vec<Cid>,
    /// The same bytes are another node under another codec.
    seen: HashSet<(bool, Digest)>,
}

impl Frontier {
    pub(crate) fn new(root: &Cid) -> Self {
        Self { waiting: vec![*root], seen: HashSet::new() }
    }

    /// The next block that was not visited before. Identity CIDs carry no block and are passed over.
    pub(crate) fn next(&mut self) -> Result<Option<Cid>> {
        while let Some(cid) = self.waiting.pop() {
            if identity_data(&cid).is_some() || !self.seen.insert((cid.codec() == DAG_PB, digest_of(&cid)?)) {
                continue;
            }
            if self.seen.len() > DAG_BLOCKS_MAX {
                return Err(Error::TooLarge { what: "the number of blocks", limit: DAG_BLOCKS_MAX as u64 });
            }
            return Ok(Some(cid));
        }
        Ok(None)
    }

    /// Queues what a visited block points at.
    pub(crate) fn push(&mut self, children: Vec<Cid>) {
        self.waiting.extend(children.into_iter().rev());
    }
}

/// Visits every distinct block under `root`, depth first; [`Error::NotFound`] where one is missing.
pub(crate) fn walk(store: &BlockStore, root: &Cid, mut visit: impl FnMut(&Cid, &Bytes) -> Result<()>) -> Result<()> {
    let mut frontier = Frontier::new(root);
    while let Some(cid) = frontier.next()? {
        let bytes = store.require(&cid)?;
        visit(&cid, &bytes)?;
        frontier.push(links(&cid, &bytes)?);
    }
    Ok(())
}

/// Visits every distinct block under `root` with its size, reading only those that have children.
pub(crate) fn survey(
    store: &BlockStore,
    root: &Cid,
    mut visit: impl FnMut(&Cid, Option<u64>) -> Result<()>,
) -> Result<()> {
    let mut frontier = Frontier::new(root);
    while let Some(cid) = frontier.next()? {
        let length = store.block_len(&cid);
        visit(&cid, length)?;
        if length.is_some() && cid.codec() == DAG_PB {
            frontier.push(links(&cid, &store.require(&cid)?)?);
        }
    }
    Ok(())
}

/// Distinct blocks and their bytes under `root`; [`Error::NotFound`] where one is missing.
pub fn total_size(store: &BlockStore, root: &Cid) -> Result<DagSize> {
    let mut total = DagSize::default();
    survey(store, root, |cid, length| {
        total.blocks += 1;
        total.bytes += length.ok_or(Error::NotFound { cid: *cid })?;
        Ok(())
    })?;
    Ok(total)
}

/// CIDs under `root` that are not in the store, at most `most` of them. Empty means the DAG is complete.
pub fn missing(store: &BlockStore, root: &Cid, most: usize) -> Result<Vec<Cid>> {
    let mut missing = Vec::new();
    let mut frontier = Frontier::new(root);
    while missing.len() < most
        && let Some(cid) = frontier.next()?
    {
        if !store.has(&cid) {
            missing.push(cid);
        } else if cid.codec() == DAG_PB {
            frontier.push(links(&cid, &store.require(&cid)?)?);
        }
    }
    Ok(missing)
}

/// Every distinct CID under `root`, parents first.
pub fn blocks_of(store: &BlockStore, root: &Cid) -> Result<Vec<Cid>> {
    let mut all = Vec::new();
    survey(store, root, |cid, _| {
        all.push(*cid);
        Ok(())
    })?;
    Ok(all)
}
