//! One segment file: records one after another, each with its own checks.
//!
//! ```text
//! file    magic(8) record*
//! record  magic(4) length(4, LE) sha256(32) crc32 of the 40 bytes before(4) data(length)
//! list    magic(8) segment length(8) count(8) { sha256(32) offset(8) length(4) }* sha256 of all before(32)
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::block::{BLOCK_BYTES_MAX, Digest, sha256};
use crate::error::{Error, Result};

const FILE_MAGIC: &[u8; 8] = b"BRSSEG\x00\x01";
const LIST_MAGIC: &[u8; 8] = b"BRSLST\x00\x01";
const RECORD_MAGIC: [u8; 4] = [0xb1, 0x0c, 0x0b, 0x01];
/// Bytes before each block.
pub(super) const RECORD_HEADER: u64 = 44;
const LIST_ENTRY: usize = 44;
/// Smaller blocks are gathered into writes of this size; larger ones are written from where they are.
const GATHER_BYTES: usize = 256 << 10;
/// How much is read at a time while looking for the next whole record behind damage.
const SEARCH_BYTES: usize = 1 << 20;

/// A block within a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) digest: Digest,
    pub(super) offset: u64,
    pub(super) length: u32,
}

/// An open segment and what is in it.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) file: Arc<File>,
    /// Bytes that are written and synced.
    pub(super) length: u64,
    pub(super) entries: Vec<Entry>,
    path: PathBuf,
}

pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08}.segment"))
}

fn list_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08}.list"))
}

/// Numbers of the segments in `dir`, ascending.
pub(super) fn list(dir: &Path) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Error::io(dir))? {
        let name = entry.map_err(Error::io(dir))?.file_name();
        if let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".segment"))
            && let Ok(number) = stem.parse()
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the names within a folder durable.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(Error::io(dir))
}

/// The bytes of one block.
pub(super) fn read(file: &File, offset: u64, length: u32) -> io::Result<Vec<u8>> {
    let mut data = vec![0; length as usize];
    file.read_exact_at(&mut data, offset)?;
    Ok(data)
}

impl Segment {
    /// Begins a segment.
    pub(super) fn create(dir: &Path, number: u32) -> Result<Segment> {
        let path = path(dir, number);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(Error::io(&path))?;
        let written = file.write_all_at(FILE_MAGIC, 0).and_then(|()| file.sync_data());
        if let Err(source) = written {
            drop(std::fs::remove_file(&path));
            return Err(Error::io(&path)(source));
        }
        sync_dir(dir)?;
        Ok(Segment { number, file: Arc::new(file), length: FILE_MAGIC.len() as u64, entries: Vec::new(), path })
    }

    /// Opens a segment: by its list where it has a true one, else by reading it through. What lies behind
    /// the last whole record of the last segment was never confirmed to anyone and is cut off.
    pub(super) fn open(dir: &Path, number: u32, is_last: bool) -> Result<Segment> {
        let path = path(dir, number);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(Error::io(&path))?;
        let length = file.metadata().map_err(Error::io(&path))?.len();
        let mut segment = Segment { number, file: Arc::new(file), length, entries: Vec::new(), path };
        if !is_last {
            if let Some(entries) = read_list(&list_path(dir, number), length) {
                segment.entries = entries;
                return Ok(segment);
            }
            segment.scan()?;
            drop(segment.write_list(dir));
            return Ok(segment);
        }
        let whole = segment.scan()?;
        if whole < length {
            tracing::warn!(segment = number, bytes = length - whole, "cut off a torn end of the block store");
            segment.file.set_len(whole).map_err(Error::io(&segment.path))?;
        }
        if whole < FILE_MAGIC.len() as u64 {
            return Segment::create(dir, number);
        }
        segment.file.sync_all().map_err(Error::io(&segment.path))?;
        segment.length = whole;
        Ok(segment)
    }

    /// Reads every record, verifying each; returns where the last whole one ends. Damage in the middle
    /// is stepped over: a decayed sector must not take the blocks behind it along.
    fn scan(&mut self) -> Result<u64> {
        let io = |source| Error::Io { path: self.path.clone(), source };
        let mut magic = [0; 8];
        if self.length < 8 || self.file.read_exact_at(&mut magic, 0).is_err() || &magic != FILE_MAGIC {
            if self.length > 8 {
                return Err(Error::malformed("segment", format!("{} does not begin like one", self.path.display())));
            }
            return Ok(0);
        }
        let mut entries = Vec::new();
        let mut whole = 8;
        let mut offset = 8;
        while offset < self.length {
            match read_record(&self.file, offset, self.length).map_err(io)? {
                Some(entry) => {
                    offset = entry.offset + u64::from(entry.length);
                    whole = offset;
                    entries.push(entry);
                }
                None => match find_record(&self.file, offset + 1, self.length).map_err(io)? {
                    Some(next) => {
                        tracing::warn!(
                            segment = self.number,
                            offset,
                            bytes = next - offset,
                            "stepped over damage in the block store"
                        );
                        offset = next;
                    }
                    None => break,
                },
            }
        }
        self.entries = entries;
        Ok(whole)
    }

    /// Writes records behind the last one and syncs. On failure the segment is cut back to what it was.
    pub(super) fn append(&mut self, blocks: &[(Digest, &Bytes)]) -> Result<()> {
        let before = self.entries.len();
        let mut end = self.length;
        let written = self.write_records(blocks, &mut end).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.length = end;
                Ok(())
            }
            Err(source) => {
                self.entries.truncate(before);
                drop(self.file.set_len(self.length));
                Err(Error::io(&self.path)(source))
            }
        }
    }

    fn write_records(&mut self, blocks: &[(Digest, &Bytes)], end: &mut u64) -> io::Result<()> {
        let mut gathered: Vec<u8> = Vec::with_capacity(GATHER_BYTES);
        let mut gathered_at = *end;
        for (digest, data) in blocks {
            // Blocks are at most 2 MiB.
            let length = data.len() as u32;
            gathered.extend_from_slice(&record_header(digest, length));
            let offset = *end + RECORD_HEADER;
            *end = offset + u64::from(length);
            self.entries.push(Entry { digest: *digest, offset, length });
            if gathered.len() + data.len() <= GATHER_BYTES {
                gathered.extend_from_slice(data);
                continue;
            }
            self.file.write_all_at(&gathered, gathered_at)?;
            gathered.clear();
            self.file.write_all_at(data, offset)?;
            gathered_at = *end;
        }
        self.file.write_all_at(&gathered, gathered_at)
    }

    /// Cuts off every record.
    pub(super) fn clear(&mut self) -> Result<()> {
        let length = FILE_MAGIC.len() as u64;
        self.file.set_len(length).and_then(|()| self.file.sync_all()).map_err(Error::io(&self.path))?;
        self.entries.clear();
        self.length = length;
        Ok(())
    }

    /// What is in a sealed segment, and how long it is.
    pub(super) fn contents(dir: &Path, number: u32) -> Result<(Vec<Entry>, u64)> {
        let segment = Segment::open(dir, number, false)?;
        Ok((segment.entries, segment.length))
    }

    /// Writes the list of this segment's records, so that it opens without being read.
    pub(super) fn write_list(&self, dir: &Path) -> Result<()> {
        let mut out = Vec::with_capacity(24 + self.entries.len() * LIST_ENTRY + 32);
        out.extend_from_slice(LIST_MAGIC);
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&(self.entries.len() as u64).to_le_bytes());
        for entry in &self.entries {
            out.extend_from_slice(&entry.digest);
            out.extend_from_slice(&entry.offset.to_le_bytes());
            out.extend_from_slice(&entry.length.to_le_bytes());
        }
        let sum = sha256(&out);
        out.extend_from_slice(&sum);
        let path = list_path(dir, self.number);
        // Torn lists fail their checksum and are made anew, so this needs no sync.
        std::fs::write(&path, out).map_err(Error::io(&path))
    }
}

/// Removes a sealed segment; the list goes first, for a list without its segment would be found by a later one.
pub(super) fn remove(dir: &Path, number: u32) -> Result<()> {
    for path in [list_path(dir, number), path(dir, number)] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(Error::io(&path)(source)),
            _ => {}
        }
    }
    sync_dir(dir)
}

fn record_header(digest: &Digest, length: u32) -> [u8; RECORD_HEADER as usize] {
    let mut header = [0; RECORD_HEADER as usize];
    header[..4].copy_from_slice(&RECORD_MAGIC);
    header[4..8].copy_from_slice(&length.to_le_bytes());
    header[8..40].copy_from_slice(digest);
    let sum = crc32(&header[..40]);
    header[40..].copy_from_slice(&sum.to_le_bytes());
    header
}

fn parse_header(header: &[u8]) -> Option<(Digest, u32)> {
    let magic = header.get(..4)?;
    let length = u32::from_le_bytes(header.get(4..8)?.try_into().ok()?);
    let digest: Digest = header.get(8..40)?.try_into().ok()?;
    let sum = u32::from_le_bytes(header.get(40..44)?.try_into().ok()?);
    let is_whole = magic == RECORD_MAGIC && length as usize <= BLOCK_BYTES_MAX && crc32(&header[..40]) == sum;
    is_whole.then_some((digest, length))
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The record at `offset`, or `None` where none is whole.
fn read_record(file: &File, offset: u64, end: u64) -> io::Result<Option<Entry>> {
    if offset + RECORD_HEADER > end {
        return Ok(None);
    }
    let mut header = [0; RECORD_HEADER as usize];
    file.read_exact_at(&mut header, offset)?;
    let Some((digest, length)) = parse_header(&header) else { return Ok(None) };
    let offset = offset + RECORD_HEADER;
    if offset + u64::from(length) > end || sha256(&read(file, offset, length)?) != digest {
        return Ok(None);
    }
    Ok(Some(Entry { digest, offset, length }))
}

/// Where the next whole record begins at or behind `from`.
fn find_record(file: &File, mut from: u64, end: u64) -> io::Result<Option<u64>> {
    let mut window = vec![0; SEARCH_BYTES];
    while from + RECORD_HEADER <= end {
        let size = window.len().min((end - from) as usize);
        file.read_exact_at(&mut window[..size], from)?;
        for start in 0..=size - RECORD_HEADER as usize {
            if window[start..].starts_with(&RECORD_MAGIC)
                && parse_header(&window[start..start + RECORD_HEADER as usize]).is_some()
                && read_record(file, from + start as u64, end)?.is_some()
            {
                return Ok(Some(from + start as u64));
            }
        }
        from += (size - RECORD_HEADER as usize + 1) as u64;
    }
    Ok(None)
}

fn read_list(path: &Path, segment_length: u64) -> Option<Vec<Entry>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.read_to_end(&mut bytes).ok()?;
    let body = bytes.len().checked_sub(32)?;
    let (body, sum) = bytes.split_at(body);
    if sha256(body) != sum || body.get(..8)? != LIST_MAGIC || body.get(8..16)? != segment_length.to_le_bytes() {
        return None;
    }
    let records = body.get(24..)?.chunks_exact(LIST_ENTRY);
    records
        .map(|record| {
            Some(Entry {
                digest: record.get(..32)?.try_into().ok()?,
                offset: u64::from_le_bytes(record.get(32..40)?.try_into().ok()?),
                length: u32::from_le_bytes(record.get(40..44)?.try_into().ok()?),
            })
        })
        .collect()
}
