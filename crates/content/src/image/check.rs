//! What may stand in a layer's tar: nothing that reaches out of the image's root, no devices, no bombs.
//!
//! Container engines guard against these too; an image that tries is refused before it gets there.

use std::collections::HashSet;
use std::io::Read;

use tar::EntryType;

use crate::config::ImageLimits;
use crate::error::{Error, Result};
use crate::unixfs::NAME_BYTES_MAX;

/// Longest path or link target: what Linux allows.
const PATH_BYTES_MAX: usize = 4096;
/// Longest extended header: the limit of Go's reader, which container engines use.
const EXTENDED_BYTES_MAX: u64 = 1 << 20;
/// Bytes of the paths of symbolic links that are remembered for one layer.
const LINK_PATHS_BYTES_MAX: usize = 64 << 20;
/// Bytes any layer may have whatever its compressed size: the ratio of tiny files says nothing.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// What is left of the limits over all layers of an image.
#[derive(Debug)]
pub(super) struct Budget {
    limits: ImageLimits,
    bytes_left: u64,
    entries_left: u64,
}

impl Budget {
    pub(super) fn new(limits: &ImageLimits) -> Self {
        Self { limits: limits.clone(), bytes_left: limits.bytes_max, entries_left: limits.entries_max }
    }

    /// Most bytes that a layer stored in `stored` bytes may have.
    pub(super) fn layer_bytes_max(&self, stored: u64) -> u64 {
        self.bytes_left.min(stored.saturating_mul(self.limits.ratio_max).saturating_add(RATIO_FREE_BYTES))
    }

    pub(super) fn too_large(&self, stored: u64) -> Error {
        if self.layer_bytes_max(stored) < self.bytes_left {
            return Error::TooLarge { what: "the growth of a compressed layer", limit: self.limits.ratio_max };
        }
        Error::TooLarge { what: "the image, uncompressed,", limit: self.limits.bytes_max }
    }

    pub(super) fn take_bytes(&mut self, bytes: u64) {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
    }

    fn take_entry(&mut self) -> Result<()> {
        self.entries_left = self
            .entries_left
            .checked_sub(1)
            .ok_or(Error::TooLarge { what: "the number of files in the image", limit: self.limits.entries_max })?;
        Ok(())
    }
}

/// An entry of a layer that is in order.
pub(super) struct Member<'a> {
    pub(super) kind: EntryType,
    /// Relative to the image's root.
    pub(super) path: &'a [u8],
    /// Permission bits; none where they are written in an odd way.
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u64>,
    pub(super) size: u64,
    /// Whether it carries capabilities of Linux.
    pub(super) has_capability: bool,
}

/// Is shown every entry of a layer, with its content.
pub(super) trait Look {
    fn look(&mut self, member: &Member<'_>, data: &mut dyn Read) -> Result<()>;
}

/// Looks at nothing.
impl Look for () {
    fn look(&mut self, _: &Member<'_>, _: &mut dyn Read) -> Result<()> {
        Ok(())
    }
}

/// Names that an extended header gives to the entry after it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    has_capability: bool,
}

/// Reads a layer's tar to its end mark and checks every entry.
pub(super) fn check_tar<R: Read>(
    archive: &mut tar::Archive<R>,
    budget: &mut Budget,
    looker: &mut dyn Look,
) -> Result<()> {
    let mut links = Links::default();
    let mut extended = Extended::default();
    for entry in archive.entries().map_err(Error::from)?.raw(true) {
        let mut entry = entry.map_err(|error| broken(&error))?;
        budget.take_entry()?;
        let kind = entry.header().entry_type();
        let size = entry.header().entry_size().map_err(|error| broken(&error))?;
        match kind {
            EntryType::XHeader => {
                pax(&read_extended(&mut entry, size)?, &mut extended)?;
                continue;
            }
            EntryType::XGlobalHeader => {
                let mut global = Extended::default();
                pax(&read_extended(&mut entry, size)?, &mut global)?;
                if global.path.is_some() || global.link.is_some() || global.size.is_some() {
                    return Err(Error::image("a layer names all its files at once"));
                }
                continue;
            }
            EntryType::GNULongName => {
                extended.path = Some(until_zero(read_extended(&mut entry, size)?));
                continue;
            }
            EntryType::GNULongLink => {
                extended.link = Some(until_zero(read_extended(&mut entry, size)?));
                continue;
            }
            _ => {}
        }
        let extended = std::mem::take(&mut extended);
        if extended.size.is_some_and(|claimed| claimed != size) {
            return Err(Error::image("a layer entry has two sizes"));
        }
        let path = extended.path.unwrap_or_else(|| entry.path_bytes().into_owned());
        let link = extended.link.or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned));
        let path = links.check(kind, &path, link.as_deref())?;
        let (mode, uid) = (entry.header().mode().ok(), entry.header().uid().ok());
        let member = Member { kind, path: &path, mode, uid, size, has_capability: extended.has_capability };
        looker.look(&member, &mut entry)?;
    }
    Ok(())
}

pub(super) fn broken(error: &std::io::Error) -> Error {
    Error::image(format!("a layer is not a tar: {error}"))
}

fn read_extended(entry: &mut impl Read, size: u64) -> Result<Vec<u8>> {
    if size > EXTENDED_BYTES_MAX {
        return Err(Error::TooLarge { what: "an extended header of a layer", limit: EXTENDED_BYTES_MAX });
    }
    let mut bytes = Vec::with_capacity(size as usize);
    entry.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn until_zero(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

/// Reads the records `length key=value\n` of a POSIX extended header.
fn pax(mut bytes: &[u8], extended: &mut Extended) -> Result<()> {
    let bad = || Error::image("a layer has a broken extended header");
    while !bytes.is_empty() {
        let space = bytes.iter().position(|&byte| byte == b' ').ok_or_else(bad)?;
        let length: usize =
            std::str::from_utf8(&bytes[..space]).ok().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        let record = bytes.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(bad)?;
        let equals = record.iter().position(|&byte| byte == b'=').ok_or_else(bad)?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" => extended.path = Some(value.to_vec()),
            b"linkpath" => extended.link = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                extended.size = Some(size.ok_or_else(bad)?);
            }
            b"SCHILY.xattr.security.capability" => extended.has_capability = true,
            _ if key.starts_with(b"GNU.sparse") => return Err(Error::image("a layer has sparse files")),
            _ => {}
        }
        bytes = &bytes[length..];
    }
    Ok(())
}

/// The symbolic links that a layer has made so far: nothing may be written through them.
#[derive(Default)]
struct Links {
    paths: HashSet<Vec<u8>>,
    bytes: usize,
}

impl Links {
    /// The path in its plain form, if the entry is in order.
    fn check(&mut self, kind: EntryType, path: &[u8], link: Option<&[u8]>) -> Result<Vec<u8>> {
        let normal = inside(path)?;
        self.refuse_through_link(&normal, path)?;
        let name = normal.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if let Some(removed) = name.strip_prefix(b".wh.")
            && matches!(removed, b"" | b"." | b"..")
        {
            return Err(refused(path, "it removes something outside its folder"));
        }
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::Directory | EntryType::Fifo => {
                self.paths.remove(&normal);
            }
            EntryType::Link => {
                let link = link.ok_or_else(|| refused(path, "a hard link to nothing"))?;
                if link.starts_with(b"/") {
                    return Err(refused(path, "a hard link to an absolute path"));
                }
                let target = inside(link).map_err(|_| refused(path, "a hard link that leaves the image"))?;
                self.refuse_through_link(&target, path)?;
                self.paths.remove(&normal);
            }
            EntryType::Symlink => {
                let link = link.ok_or_else(|| refused(path, "a symbolic link to nothing"))?;
                check_symlink(&normal, link).map_err(|reason| refused(path, reason))?;
                self.bytes += normal.len();
                if self.bytes > LINK_PATHS_BYTES_MAX {
                    return Err(Error::TooLarge {
                        what: "the symbolic links of a layer",
                        limit: LINK_PATHS_BYTES_MAX as u64,
                    });
                }
                self.paths.insert(normal.clone());
            }
            EntryType::Char | EntryType::Block => return Err(refused(path, "it is a device")),
            _ => return Err(refused(path, "it is of a kind that images do not need")),
        }
        Ok(normal)
    }

    fn refuse_through_link(&self, normal: &[u8], path: &[u8]) -> Result<()> {
        let mut slashes = normal.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        if slashes.any(|at| self.paths.contains(&normal[..at])) {
            return Err(refused(path, "it lies behind a symbolic link of the same layer"));
        }
        Ok(())
    }
}

fn refused(path: &[u8], reason: &'static str) -> Error {
    Error::UnsafePath { path: String::from_utf8_lossy(path).into_owned(), reason }
}

/// A path relative to the image's root, without `.` and double slashes; an error where it leaves the root.
fn inside(path: &[u8]) -> Result<Vec<u8>> {
    if path.len() > PATH_BYTES_MAX {
        return Err(refused(&path[..64], "it is longer than 4096 bytes"));
    }
    if path.contains(&0) {
        return Err(refused(path, "it holds a zero byte"));
    }
    let mut normal = Vec::with_capacity(path.len());
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return Err(refused(path, "it goes up")),
            _ if part.len() > NAME_BYTES_MAX => return Err(refused(path, "a name in it is longer than 255 bytes")),
            _ => {}
        }
        if !normal.is_empty() {
            normal.push(b'/');
        }
        normal.extend_from_slice(part);
    }
    Ok(normal)
}

/// Absolute targets are meant within the image, as everywhere in Linux images. A relative one must not
/// climb above the root.
fn check_symlink(normal: &[u8], target: &[u8]) -> Result<(), &'static str> {
    if target.is_empty() || target.len() > PATH_BYTES_MAX || target.contains(&0) {
        return Err("a symbolic link with a broken target");
    }
    if target.starts_with(b"/") {
        return Ok(());
    }
    let mut depth = normal.iter().filter(|&&byte| byte == b'/').count();
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => depth = depth.checked_sub(1).ok_or("a symbolic link that climbs out of the image")?,
            _ => depth += 1,
        }
    }
    Ok(())
}
