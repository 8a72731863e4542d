//! CAR version 1: a stream of blocks. Format: <https://ipld.io/specs/transport/car/carv1/>.
//!
//! What comes in is verified block by block; the roots and the order that it claims are not believed.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use cid::Cid;
use futures_util::Stream;

use crate::block::{BLOCK_BYTES_MAX, Block, identity_data};
use crate::blocking::{self, Emit};
use crate::dag;
use crate::dagpb::put_varint;
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::Kind;
use crate::unixfs::read::{resolve_visiting, stat, visit_directory, visit_file};
use crate::unixfs::sink::{Sink, into_store};

/// Longest header: a few dozen roots.
pub const CAR_HEADER_BYTES_MAX: usize = 1 << 10;
/// Longest varint: 64 bits, seven at a time.
pub const VARINT_BYTES_MAX: usize = 10;
/// Longest CID within a CAR: four varints and a digest.
const CID_BYTES_MAX: usize = 4 * VARINT_BYTES_MAX + 128;
/// How much is read from a file at a time.
const READ_BYTES: usize = 256 << 10;

const WHAT: &str = "CAR";

/// How much of what a path leads to goes into a CAR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DagScope {
    /// Only the block at the end of the path.
    Block,
    /// A whole file, or the blocks of a directory without what it names.
    Entity,
    /// Everything below.
    #[default]
    All,
}

/// A byte range of a file, as `entity-bytes` writes it: both ends inclusive, negative ones from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityBytes {
    /// First byte.
    pub from: i64,
    /// Last byte; `None` is the end.
    pub to: Option<i64>,
}

impl EntityBytes {
    /// The bytes meant, of a file of `size` bytes.
    pub fn within(&self, size: u64) -> std::ops::Range<u64> {
        let at = |position: i64| match position {
            0.. => position.unsigned_abs().min(size),
            _ => size.saturating_sub(position.unsigned_abs()),
        };
        let start = at(self.from);
        let end = match self.to {
            None => size,
            Some(to) if to < 0 && to.unsigned_abs() > size => 0,
            Some(to) => at(to).saturating_add(1).min(size),
        };
        start..end.max(start)
    }
}

/// What goes into a CAR.
#[derive(Clone, Debug)]
pub struct CarRequest {
    /// Where the path starts.
    pub root: Cid,
    /// Names to follow from there; the blocks on the way are included.
    pub path: String,
    /// How much of its end.
    pub scope: DagScope,
    /// Which part of a file, with [`DagScope::Entity`].
    pub bytes: Option<EntityBytes>,
}

impl CarRequest {
    /// Everything under `root`.
    pub fn all(root: Cid) -> Self {
        Self { root, path: String::new(), scope: DagScope::All, bytes: None }
    }
}

/// The header of a CAR with one root.
pub(crate) fn header(root: &Cid) -> Bytes {
    let cid = root.to_bytes();
    // CBOR: {"roots": [tag 42 (0x00 cid)], "version": 1}
    let mut body = vec![0xa2, 0x65];
    body.extend_from_slice(b"roots\x81\xd8\x2a\x58");
    body.push(cid.len() as u8 + 1);
    body.push(0);
    body.extend_from_slice(&cid);
    body.push(0x67);
    body.extend_from_slice(b"version\x01");
    let mut out = Vec::with_capacity(body.len() + 1);
    put_varint(&mut out, body.len() as u64);
    out.extend_from_slice(&body);
    out.into()
}

/// What stands before a block: the length of the section and the CID.
pub(crate) fn section_head(cid: &Cid, length: usize) -> Bytes {
    let cid = cid.to_bytes();
    let mut out = Vec::with_capacity(cid.len() + VARINT_BYTES_MAX);
    put_varint(&mut out, (cid.len() + length) as u64);
    out.extend_from_slice(&cid);
    out.into()
}

/// Gives the bytes of a CAR to `emit`, depth first, each block once.
pub(crate) fn emit_car(store: &BlockStore, request: &CarRequest, emit: Emit<'_>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    let mut put = |cid: &Cid, bytes: &Bytes, emit: Emit<'_>| -> Result<()> {
        if identity_data(cid).is_some() || !seen.insert(*cid) {
            return Ok(());
        }
        emit(section_head(cid, bytes.len()))?;
        emit(bytes.clone())
    };
    let mut on_the_way: Vec<(Cid, Bytes)> = Vec::new();
    let end = resolve_visiting(store, &request.root, &request.path, &mut |cid, bytes| {
        on_the_way.push((*cid, bytes.clone()));
        Ok(())
    })?;
    emit(header(&end))?;
    for (cid, bytes) in &on_the_way {
        put(cid, bytes, emit)?;
    }
    match request.scope {
        DagScope::Block => put(&end, &store.require(&end)?, emit),
        DagScope::All => dag::walk(store, &end, |cid, bytes| put(cid, bytes, emit)),
        DagScope::Entity => {
            let found = stat(store, &end)?;
            match found.kind {
                Kind::File => {
                    let range = request.bytes.map_or(0..found.size, |bytes| bytes.within(found.size));
                    visit_file(store, &end, range, &mut |cid, bytes, _| put(cid, bytes, emit))
                }
                Kind::Directory => {
                    visit_directory(store, &end, &mut |cid, bytes| put(cid, bytes, emit), &mut |_| Ok(()))
                }
                Kind::Symlink => put(&end, &store.require(&end)?, emit),
            }
        }
    }
}

/// A CAR as a stream of bytes; memory stays at a few blocks. A missing block ends it with an error.
pub fn car_stream(store: Arc<BlockStore>, request: CarRequest) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    blocking::stream(move |emit| emit_car(&store, &request, emit))
}

/// Writes everything under `root` as a CAR.
pub fn export_car(store: &BlockStore, root: &Cid, mut out: impl Write) -> Result<()> {
    emit_car(store, &CarRequest::all(*root), &mut |bytes| out.write_all(&bytes).map_err(Error::from))?;
    out.flush().map_err(Error::from)
}

/// What was in a CAR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedCar {
    /// The roots that it claims; nothing says that they are in it.
    pub roots: Vec<Cid>,
    /// Blocks in it, those already here included.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
}

/// Adds the blocks of a CAR durably, at most `bytes_max` bytes of them.
pub fn import_car(store: &BlockStore, mut reader: impl Read, bytes_max: u64) -> Result<ImportedCar> {
    into_store(store, |sink| {
        let mut decoder = CarDecoder::default();
        let mut done = ImportedCar::default();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = reader.read(&mut buffer).map_err(Error::from)?;
            if read == 0 {
                decoder.finish()?;
                done.roots = decoder.roots;
                return Ok(done);
            }
            decoder.push(&buffer[..read]);
            while let Some(block) = decoder.next_block()? {
                done.blocks += 1;
                done.bytes += block.data().len() as u64;
                if done.bytes > bytes_max {
                    return Err(Error::TooLarge { what: "the CAR", limit: bytes_max });
                }
                sink.put(block)?;
            }
        }
    })
}

/// Reads a CAR that comes piece by piece; holds at most one section and one piece.
#[derive(Debug, Default)]
pub struct CarDecoder {
    buffer: BytesMut,
    has_header: bool,
    roots: Vec<Cid>,
}

impl CarDecoder {
    /// Adds a piece. Take every block out with [`next_block`](Self::next_block) before the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The roots that the header claims, once it has come.
    pub fn roots(&self) -> &[Cid] {
        &self.roots
    }

    /// The next whole block, verified; `None` until more comes.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        if !self.has_header {
            let Some(header) = self.section(CAR_HEADER_BYTES_MAX, "the header of a CAR")? else { return Ok(None) };
            self.roots = parse_header(header)?;
            self.has_header = true;
        }
        let Some(mut section) = self.section(BLOCK_BYTES_MAX + CID_BYTES_MAX, "a section of a CAR")? else {
            return Ok(None);
        };
        let mut rest: &[u8] = &section;
        let cid = Cid::read_bytes(&mut rest).map_err(|error| Error::malformed(WHAT, error.to_string()))?;
        let used = section.len() - rest.len();
        section.advance(used);
        Block::verified(cid, section).map(Some)
    }

    /// To be called at the end of the stream: fails where it ended within a section or before the header.
    pub fn finish(&self) -> Result<()> {
        if self.buffer.is_empty() && self.has_header {
            return Ok(());
        }
        Err(Error::malformed(WHAT, "it ends too early"))
    }

    /// Takes a whole section out of the buffer.
    fn section(&mut self, most: usize, what: &'static str) -> Result<Option<Bytes>> {
        let (length, used) = match unsigned_varint::decode::u64(&self.buffer) {
            Ok((length, rest)) => (length, self.buffer.len() - rest.len()),
            Err(unsigned_varint::decode::Error::Insufficient) if self.buffer.len() < VARINT_BYTES_MAX => {
                return Ok(None);
            }
            Err(error) => return Err(Error::malformed(WHAT, format!("varint: {error}"))),
        };
        if length > most as u64 {
            return Err(Error::TooLarge { what, limit: most as u64 });
        }
        if length == 0 {
            return Err(Error::malformed(WHAT, "an empty section"));
        }
        let length = length as usize;
        if self.buffer.len() < used + length {
            self.buffer.reserve(used + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(used);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// The header is CBOR `{"roots": [CID…], "version": 1}`, its keys in either order.
fn parse_header(mut header: Bytes) -> Result<Vec<Cid>> {
    let bad = |reason: &str| Error::malformed("CAR header", reason);
    let mut take = |expected: &[u8]| {
        let found = header.starts_with(expected);
        if found {
            header.advance(expected.len());
        }
        (found, header.clone())
    };
    if !take(&[0xa2]).0 {
        return Err(bad("it is not that of a CAR of version 1"));
    }
    let mut roots = Vec::new();
    let (mut has_roots, mut has_version) = (false, false);
    while !(has_roots && has_version) {
        if !has_version && take(b"\x67version\x01").0 {
            has_version = true;
        } else if !has_roots && take(b"\x65roots").0 {
            has_roots = true;
            let count = match take(&[]).1.first() {
                Some(&byte @ 0x80..=0x97) => byte - 0x80,
                _ => return Err(bad("its roots are not a list of at most 23")),
            };
            take(&[0x80 + count]);
            for _ in 0..count {
                let (is_cid, rest) = take(b"\xd8\x2a\x58");
                let length = usize::from(*rest.first().ok_or_else(|| bad("it ends too early"))?);
                let bytes = rest
                    .get(2..=length)
                    .filter(|_| is_cid && rest.get(1) == Some(&0))
                    .ok_or_else(|| bad("a root is no CID"))?;
                roots.push(Cid::try_from(bytes).map_err(|error| bad(&error.to_string()))?);
                take(&rest[..=length]);
            }
        } else {
            return Err(bad("it has other keys than roots and version 1"));
        }
    }
    if take(&[]).1.is_empty() { Ok(roots) } else { Err(bad("bytes after its end")) }
}
