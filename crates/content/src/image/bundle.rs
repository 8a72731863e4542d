//! Where an image is imported from: a folder, or a tar whose members are read in any order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::layer;
use super::oci::{Compression, JSON_BYTES_MAX};
use crate::config::ImageLimits;
use crate::error::{Error, Result};

/// Members of an archive: three per layer and a few more.
const MEMBERS_MAX: usize = 10_000;
/// How many links lead from one member name to the file at their end.
const LINKS_MAX: usize = 8;

/// The members of an image archive by name.
pub(super) enum Bundle {
    Folder(PathBuf),
    Tar { file: Arc<File>, members: HashMap<String, Member> },
}

pub(super) enum Member {
    File { offset: u64, size: u64 },
    Link(String),
}

/// Part of a file as a reader of its own.
struct Slice {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read_at(&mut out[..most], self.offset)?;
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Joins names within an archive; `None` where the result would leave it.
fn normal(base: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

impl Bundle {
    /// Opens a folder, a tar or a compressed tar.
    pub(super) fn open(path: &Path, limits: &ImageLimits) -> Result<Bundle> {
        if std::fs::metadata(path).map_err(Error::io(path))?.is_dir() {
            return Ok(Bundle::Folder(path.canonicalize().map_err(Error::io(path))?));
        }
        let mut file = File::open(path).map_err(Error::io(path))?;
        let mut magic = [0; 4];
        let is_long_enough = file.read_exact(&mut magic).is_ok();
        file.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
        match Compression::of(&magic) {
            Compression::None => {}
            _ if !is_long_enough => {}
            compression => file = unpack(file, path, compression, limits)?,
        }
        let file = Arc::new(file);
        let members = list(&file)?;
        Ok(Bundle::Tar { file, members })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self.member(name), Ok(Some(_)))
    }

    /// A member and its size, or `None` where it has none of that name.
    pub(super) fn member(&self, name: &str) -> Result<Option<(Box<dyn Read>, u64)>> {
        let Some(mut name) = normal("", name) else {
            return Err(Error::UnsafePath { path: name.to_owned(), reason: "it leads out of the archive" });
        };
        match self {
            Bundle::Folder(root) => {
                let Ok(path) = root.join(&name).canonicalize() else { return Ok(None) };
                if !path.starts_with(root) {
                    return Err(Error::UnsafePath { path: name, reason: "it leads out of the folder" });
                }
                let file = File::open(&path).map_err(Error::io(&path))?;
                let size = file.metadata().map_err(Error::io(&path))?.len();
                Ok(Some((Box::new(file.take(size)), size)))
            }
            Bundle::Tar { file, members } => {
                for _ in 0..LINKS_MAX {
                    match members.get(&name) {
                        None => return Ok(None),
                        Some(Member::Link(target)) => name.clone_from(target),
                        Some(&Member::File { offset, size }) => {
                            return Ok(Some((Box::new(Slice { file: file.clone(), offset, left: size }), size)));
                        }
                    }
                }
                Err(Error::UnsafePath { path: name, reason: "links in the archive lead in a circle" })
            }
        }
    }

    /// A small member.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let (reader, size) = self.member(name)?.ok_or_else(|| Error::image(format!("it has no {name}")))?;
        if size > JSON_BYTES_MAX {
            return Err(Error::TooLarge { what: "a document of an image", limit: JSON_BYTES_MAX });
        }
        let mut bytes = Vec::with_capacity(size as usize);
        reader.take(JSON_BYTES_MAX).read_to_end(&mut bytes).map_err(Error::from)?;
        Ok(bytes)
    }
}

fn unpack(file: File, path: &Path, compression: Compression, limits: &ImageLimits) -> Result<File> {
    let stored = file.metadata().map_err(Error::io(path))?.len();
    let most = limits.bytes_max.min(stored.saturating_mul(limits.ratio_max));
    let mut plain = tempfile::tempfile().map_err(Error::from)?;
    let mut reader = layer::plain(BufReader::new(file), compression).map_err(Error::from)?.take(most + 1);
    let copied = io::copy(&mut reader, &mut plain).map_err(Error::from)?;
    if copied > most {
        return Err(Error::TooLarge { what: "the growth of a compressed archive", limit: limits.ratio_max });
    }
    plain.seek(SeekFrom::Start(0)).map_err(Error::from)?;
    Ok(plain)
}

fn list(file: &Arc<File>) -> Result<HashMap<String, Member>> {
    let not_a_tar = |error: io::Error| Error::image(format!("it is not a tar: {error}"));
    let mut members = HashMap::new();
    let mut archive = tar::Archive::new(file.as_ref());
    for entry in archive.entries_with_seek().map_err(not_a_tar)? {
        let entry = entry.map_err(not_a_tar)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(name) = normal("", &path) else {
            return Err(Error::UnsafePath { path, reason: "it leads out of the archive" });
        };
        let member = match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                Member::File { offset: entry.raw_file_position(), size: entry.size() }
            }
            // Old versions of Docker store a layer that occurs twice as a link to the first.
            kind @ (tar::EntryType::Symlink | tar::EntryType::Link) => {
                let base = match name.rsplit_once('/') {
                    Some((folder, _)) if kind == tar::EntryType::Symlink => folder,
                    _ => "",
                };
                let target =
                    entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned()).unwrap_or_default();
                match normal(base, &target) {
                    Some(target) => Member::Link(target),
                    None => return Err(Error::UnsafePath { path, reason: "a link that leads out of the archive" }),
                }
            }
            _ => continue,
        };
        members.insert(name, member);
        if members.len() > MEMBERS_MAX {
            return Err(Error::TooLarge { what: "the number of files in the archive", limit: MEMBERS_MAX as u64 });
        }
    }
    Ok(members)
}
