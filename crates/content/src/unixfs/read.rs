//! Reading: what a node is, the bytes of a file or a part of it, the names in a folder, a path.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cid::Cid;
use futures_util::Stream;

use super::{Decoded, Kind, check_name, decode, hamt};
use crate::blocking::{self, Emit};
use crate::dagpb::Link;
use crate::error::{Error, Result};
use crate::store::BlockStore;

/// Levels of a file: width 1024 reaches 2^70 bytes in 5; other importers use as few as 2 children.
const FILE_DEPTH_MAX: usize = 64;

/// What is under a CID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file; zero for everything else.
    pub size: u64,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name, safe to use as a file name.
    pub name: String,
    /// What it names.
    pub cid: Cid,
    /// Bytes of the DAG under it, as the directory's maker claims.
    pub dag_size: u64,
}

/// What `cid` is, and how large.
pub fn stat(store: &BlockStore, cid: &Cid) -> Result<Stat> {
    Ok(match decode(cid, &store.require(cid)?)? {
        Decoded::Leaf(data) => Stat { kind: Kind::File, size: data.len() as u64 },
        Decoded::Inner { size, .. } => Stat { kind: Kind::File, size },
        Decoded::Directory(_) | Decoded::Shard(_) => Stat { kind: Kind::Directory, size: 0 },
        Decoded::Symlink(_) => Stat { kind: Kind::Symlink, size: 0 },
    })
}

/// Gives the bytes of a file within `range` to `emit`, in order, block by block.
pub fn read_file(
    store: &BlockStore,
    cid: &Cid,
    range: Range<u64>,
    mut emit: impl FnMut(Bytes) -> Result<()>,
) -> Result<()> {
    visit_file(store, cid, range, &mut |_, _, data| if data.is_empty() { Ok(()) } else { emit(data) })
}

/// The whole of a small file; fails above `bytes_max`.
pub fn read_small(store: &BlockStore, cid: &Cid, bytes_max: u64) -> Result<Bytes> {
    let size = file_size(store, cid)?;
    if size > bytes_max {
        return Err(Error::TooLarge { what: "a file", limit: bytes_max });
    }
    let mut out = Vec::with_capacity(size as usize);
    read_file(store, cid, 0..size, |data| {
        out.extend_from_slice(&data);
        Ok(())
    })?;
    Ok(out.into())
}

/// The size of a file; [`Error::WrongKind`] for anything else.
pub fn file_size(store: &BlockStore, cid: &Cid) -> Result<u64> {
    match stat(store, cid)? {
        Stat { kind: Kind::File, size } => Ok(size),
        _ => Err(Error::WrongKind { cid: *cid, wanted: "file" }),
    }
}

/// The bytes of a file within `range` as a stream; memory stays at a few blocks.
pub fn file_stream(
    store: Arc<BlockStore>,
    cid: Cid,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    blocking::stream(move |emit: Emit<'_>| read_file(&store, &cid, range, emit))
}

/// A file as a reader, block by block, each verified by the store.
pub struct FileReader<'a> {
    store: &'a BlockStore,
    waiting: Vec<(Cid, Option<u64>)>,
    current: Bytes,
}

impl<'a> FileReader<'a> {
    /// Reads the file from its beginning.
    pub fn new(store: &'a BlockStore, cid: &Cid) -> Self {
        Self { store, waiting: vec![(*cid, None)], current: Bytes::new() }
    }

    fn advance(&mut self, cid: &Cid, claimed: Option<u64>) -> Result<()> {
        let found = decode(cid, &self.store.require(cid)?)?;
        let size = match &found {
            Decoded::Leaf(data) => data.len() as u64,
            Decoded::Inner { size, .. } => *size,
            _ => return Err(Error::WrongKind { cid: *cid, wanted: "file" }),
        };
        if claimed.is_some_and(|claimed| claimed != size) {
            return Err(Error::malformed("UnixFS file", format!("{cid} has another size than its parent says")));
        }
        match found {
            Decoded::Inner { children, .. } => {
                let children = children.into_iter().rev().filter(|(_, size)| *size > 0);
                self.waiting.extend(children.map(|(cid, size)| (cid, Some(size))));
            }
            Decoded::Leaf(data) => self.current = data,
            _ => {}
        }
        Ok(())
    }
}

impl std::io::Read for FileReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            let Some((cid, claimed)) = self.waiting.pop() else { return Ok(0) };
            self.advance(&cid, claimed)?;
        }
        let taken = out.len().min(self.current.len());
        out[..taken].copy_from_slice(&self.current.split_to(taken));
        Ok(taken)
    }
}

/// What a walk over a file's blocks is told: the block's CID, its bytes, and the wanted part of its content.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&Cid, &Bytes, Bytes) -> Result<()>;

/// Visits the blocks of a file that hold `range`, parents before children, in order.
pub(crate) fn visit_file(store: &BlockStore, cid: &Cid, range: Range<u64>, visit: Visit<'_>) -> Result<()> {
    file_node(store, cid, None, range, 0, visit)
}

fn file_node(
    store: &BlockStore,
    cid: &Cid,
    claimed: Option<u64>,
    range: Range<u64>,
    depth: usize,
    visit: Visit<'_>,
) -> Result<()> {
    if depth > FILE_DEPTH_MAX {
        return Err(Error::TooLarge { what: "the depth of a file", limit: FILE_DEPTH_MAX as u64 });
    }
    let block = store.require(cid)?;
    let check = |size: u64| match claimed {
        Some(claimed) if claimed != size => {
            Err(Error::malformed("UnixFS file", format!("{cid} has another size than its parent says")))
        }
        _ => Ok(()),
    };
    match decode(cid, &block)? {
        Decoded::Leaf(data) => {
            let size = data.len() as u64;
            check(size)?;
            let (start, end) = (range.start.min(size), range.end.min(size));
            let part = if start < end { data.slice(start as usize..end as usize) } else { Bytes::new() };
            visit(cid, &block, part)
        }
        Decoded::Inner { size, children } => {
            check(size)?;
            visit(cid, &block, Bytes::new())?;
            let mut start = 0u64;
            for (child, size) in children {
                let end = start.saturating_add(size);
                // Empty children hold nothing, and a tree of them could be endless work for few blocks.
                if size > 0 && end > range.start && start < range.end {
                    let part = range.start.saturating_sub(start)..range.end - start;
                    file_node(store, &child, Some(size), part, depth + 1, visit)?;
                }
                start = end;
            }
            Ok(())
        }
        _ => Err(Error::WrongKind { cid: *cid, wanted: "file" }),
    }
}

/// Gives each entry of a directory to `visit`: sorted by name, or in hash order where it is sharded.
pub fn list_directory(
    store: &BlockStore,
    cid: &Cid,
    mut visit: impl FnMut(DirectoryEntry) -> Result<()>,
) -> Result<()> {
    visit_directory(store, cid, &mut |_, _| Ok(()), &mut visit)
}

type VisitBlock<'a> = &'a mut dyn FnMut(&Cid, &Bytes) -> Result<()>;
type VisitEntry<'a> = &'a mut dyn FnMut(DirectoryEntry) -> Result<()>;

/// Visits the blocks of a directory, not of what it names, and its entries.
pub(crate) fn visit_directory(
    store: &BlockStore,
    cid: &Cid,
    block: VisitBlock<'_>,
    entry: VisitEntry<'_>,
) -> Result<()> {
    let bytes = store.require(cid)?;
    block(cid, &bytes)?;
    match decode(cid, &bytes)? {
        Decoded::Directory(links) => links.iter().try_for_each(|link| entry(named(link, 0)?)),
        Decoded::Shard(links) => visit_shard(store, &links, &mut Vec::new(), block, entry),
        _ => Err(Error::WrongKind { cid: *cid, wanted: "directory" }),
    }
}

/// Each name must lie where its hash says. Without that, one shard linked from many slots would make a few
/// blocks into a directory without end.
fn visit_shard(
    store: &BlockStore,
    links: &[Link],
    above: &mut Vec<u8>,
    block: VisitBlock<'_>,
    entry: VisitEntry<'_>,
) -> Result<()> {
    let misplaced = || Error::malformed("UnixFS directory", "a sharded directory with an entry out of place");
    if above.len() >= hamt::DEPTH_MAX || links.is_empty() && !above.is_empty() {
        return Err(misplaced());
    }
    for link in links {
        let digits = link.name.get(..hamt::PREFIX).and_then(|digits| std::str::from_utf8(digits).ok());
        let slot = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(misplaced)?;
        above.push(slot);
        if link.name.len() == hamt::PREFIX {
            let bytes = store.require(&link.cid)?;
            block(&link.cid, &bytes)?;
            let Decoded::Shard(below) = decode(&link.cid, &bytes)? else { return Err(misplaced()) };
            visit_shard(store, &below, above, block, entry)?;
        } else if hamt::key(&link.name[hamt::PREFIX..]).starts_with(above) {
            entry(named(link, hamt::PREFIX)?)?;
        } else {
            return Err(misplaced());
        }
        above.pop();
    }
    Ok(())
}

fn named(link: &Link, skip: usize) -> Result<DirectoryEntry> {
    let name = link.name.get(skip..).unwrap_or_default();
    Ok(DirectoryEntry { name: check_name(name)?.to_owned(), cid: link.cid, dag_size: link.tsize })
}

/// The target of a symbolic link.
pub(crate) fn read_symlink(store: &BlockStore, cid: &Cid) -> Result<Bytes> {
    match decode(cid, &store.require(cid)?)? {
        Decoded::Symlink(target) => Ok(target),
        _ => Err(Error::WrongKind { cid: *cid, wanted: "symbolic link" }),
    }
}

/// Follows `path` from `root`; symbolic links are not followed.
pub fn resolve(store: &BlockStore, root: &Cid, path: &str) -> Result<Cid> {
    resolve_visiting(store, root, path, &mut |_, _| Ok(()))
}

/// [`resolve`], showing each block on the way except those of the end.
pub(crate) fn resolve_visiting(store: &BlockStore, root: &Cid, path: &str, block: VisitBlock<'_>) -> Result<Cid> {
    let mut at = *root;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let missing = || Error::NoSuchPath { root: *root, path: path.to_owned() };
        let bytes = store.require(&at)?;
        block(&at, &bytes)?;
        at = match decode(&at, &bytes)? {
            Decoded::Directory(links) => {
                links.iter().find(|link| link.name == name.as_bytes()).map(|link| link.cid).ok_or_else(missing)?
            }
            Decoded::Shard(links) => find_in_shards(store, links, name, block)?.ok_or_else(missing)?,
            _ => return Err(missing()),
        };
    }
    Ok(at)
}

fn find_in_shards(store: &BlockStore, mut links: Vec<Link>, name: &str, block: VisitBlock<'_>) -> Result<Option<Cid>> {
    for slot in hamt::key(name.as_bytes()) {
        let prefix = hamt::prefix(slot);
        let Some(link) = links.iter().find(|link| link.name.starts_with(&prefix)) else { return Ok(None) };
        if link.name.len() != hamt::PREFIX {
            return Ok((link.name[hamt::PREFIX..] == *name.as_bytes()).then_some(link.cid));
        }
        let bytes = store.require(&link.cid)?;
        block(&link.cid, &bytes)?;
        let Decoded::Shard(below) = decode(&link.cid, &bytes)? else { return Ok(None) };
        links = below;
    }
    Ok(None)
}
