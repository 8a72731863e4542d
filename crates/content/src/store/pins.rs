//! Pins: which roots are wanted, and by whom. A log of lines, each with its own checksum.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use cid::Cid;

use super::segment::sync_dir;
use super::{BlockStore, guard};
use crate::block::{Digest, check_cid, identity_data};
use crate::error::{Error, Result};

/// Most pins: they are held in memory.
pub const PINS_MAX: usize = 1_000_000;
/// Longest name of a pin: an address, a job, a host name.
pub const PIN_NAME_BYTES_MAX: usize = 256;
/// The log is written anew once it has this many lines more than there are pins.
const SPARE_LINES: usize = 1024;

/// A root that somebody wants kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// Who or what wants it.
    pub name: String,
    /// Everything under this is kept.
    pub root: Cid,
}

#[derive(Debug)]
pub(super) struct Pins {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    lines: usize,
    set: BTreeSet<Pin>,
    /// How many names pin each root: asked for every request that a gateway answers.
    roots: HashMap<Cid, usize>,
}

fn line(sign: char, pin: &Pin) -> String {
    let body = format!("{sign} {} {}", pin.root, pin.name);
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    format!("{:08x} {body}\n", crc.sum())
}

fn parse(text: &str) -> Option<(char, Pin)> {
    let (_, body) = text.split_once(' ')?;
    let mut parts = body.splitn(3, ' ');
    let sign = parts.next()?.chars().next()?;
    let pin = Pin { root: Cid::try_from(parts.next()?).ok()?, name: parts.next()?.to_owned() };
    (line(sign, &pin).trim_end_matches('\n') == text).then_some((sign, pin))
}

impl Pins {
    pub(super) fn open(dir: &Path) -> Result<Pins> {
        let path = dir.join("pins");
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io(&path)(error)),
        };
        let mut set = BTreeSet::new();
        let mut lines = 0;
        let mut is_clean = text.is_empty() || text.ends_with('\n');
        for text in text.lines() {
            lines += 1;
            match parse(text) {
                Some(('+', pin)) => {
                    set.insert(pin);
                }
                Some(('-', pin)) => {
                    set.remove(&pin);
                }
                _ => is_clean = false,
            }
        }
        if !is_clean || lines > set.len() + SPARE_LINES || !path.exists() {
            rewrite(dir, &path, &set)?;
            lines = set.len();
        }
        let mut roots = HashMap::new();
        for pin in &set {
            *roots.entry(pin.root).or_default() += 1;
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(Error::io(&path))?;
        let length = file.metadata().map_err(Error::io(&path))?.len();
        Ok(Pins { dir: dir.to_owned(), path, file, length, lines, set, roots })
    }

    pub(super) fn add(&mut self, pin: Pin) -> Result<()> {
        if pin.name.is_empty() || pin.name.len() > PIN_NAME_BYTES_MAX || pin.name.chars().any(char::is_control) {
            return Err(Error::malformed("pin name", format!("it has 1 to {PIN_NAME_BYTES_MAX} printable bytes")));
        }
        if self.set.contains(&pin) {
            return Ok(());
        }
        if self.set.len() >= PINS_MAX {
            return Err(Error::TooLarge { what: "the set of pins", limit: PINS_MAX as u64 });
        }
        self.append(&line('+', &pin))?;
        *self.roots.entry(pin.root).or_default() += 1;
        self.set.insert(pin);
        Ok(())
    }

    pub(super) fn remove(&mut self, pin: &Pin) -> Result<bool> {
        if !self.set.contains(pin) {
            return Ok(false);
        }
        self.append(&line('-', pin))?;
        self.set.remove(pin);
        let names = self.roots.remove(&pin.root).unwrap_or_default();
        if names > 1 {
            self.roots.insert(pin.root, names - 1);
        }
        if self.lines > self.set.len() + SPARE_LINES {
            rewrite(&self.dir, &self.path, &self.set)?;
            self.file = OpenOptions::new().append(true).open(&self.path).map_err(Error::io(&self.path))?;
            self.length = self.file.metadata().map_err(Error::io(&self.path))?.len();
            self.lines = self.set.len();
        }
        Ok(true)
    }

    fn append(&mut self, line: &str) -> Result<()> {
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            drop(self.file.set_len(self.length));
            return Err(Error::io(&self.path)(source));
        }
        self.length += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    pub(super) fn list(&self) -> Vec<Pin> {
        self.set.iter().cloned().collect()
    }

    pub(super) fn roots_of(&self, name: &str) -> Vec<Cid> {
        // Marks are ordered by name, and no root comes before the default one.
        let first = Pin { name: name.to_owned(), root: Cid::default() };
        self.set.range(first..).take_while(|pin| pin.name == name).map(|pin| pin.root).collect()
    }

    pub(super) fn has_root(&self, root: &Cid) -> bool {
        self.roots.contains_key(root)
    }
}

impl BlockStore {
    /// Marks everything under `root` as wanted by `name`, durably. One name may pin many roots.
    pub fn pin(&self, name: &str, root: &Cid) -> Result<()> {
        check_cid(root)?;
        let _nothing_is_dropped = self.pinning.read().unwrap_or_else(PoisonError::into_inner);
        guard(&self.pins).add(Pin { name: name.to_owned(), root: *root })?;
        self.kept.pinned(root);
        Ok(())
    }

    /// Takes a mark off again; says whether it was there.
    pub fn unpin(&self, name: &str, root: &Cid) -> Result<bool> {
        let was_there = guard(&self.pins).remove(&Pin { name: name.to_owned(), root: *root })?;
        if was_there {
            self.kept.unpinned();
        }
        Ok(was_there)
    }

    /// All marks, by name and root.
    pub fn pins(&self) -> Vec<Pin> {
        guard(&self.pins).list()
    }

    /// What `name` wants.
    pub fn pinned_by(&self, name: &str) -> Vec<Cid> {
        guard(&self.pins).roots_of(name)
    }

    /// Whether anybody wants what is under `root`.
    pub fn is_pinned(&self, root: &Cid) -> bool {
        guard(&self.pins).has_root(root)
    }

    /// Whether `cid` is under a pin. The first call, and the first after [`unpin`](Self::unpin), reads every node
    /// under a pin; later ones only what was pinned since.
    pub fn is_kept(&self, cid: &Cid) -> bool {
        self.refresh_kept();
        self.is_kept_so_far(cid)
    }

    /// Takes note of everything pinned until now.
    pub(crate) fn refresh_kept(&self) {
        self.kept.refresh(self);
    }

    /// [`is_kept`](Self::is_kept) as of the last refresh, in no time.
    pub(crate) fn is_kept_so_far(&self, cid: &Cid) -> bool {
        identity_data(cid).is_some() || self.kept.has(cid)
    }

    /// The same for bytes, whatever codec they are kept under.
    pub(crate) fn is_digest_kept_so_far(&self, digest: &Digest) -> bool {
        self.kept.has_digest(digest)
    }
}

fn rewrite(dir: &Path, path: &Path, set: &BTreeSet<Pin>) -> Result<()> {
    let text: String = set.iter().map(|pin| line('+', pin)).collect();
    let mut fresh = tempfile::NamedTempFile::new_in(dir).map_err(Error::io(path))?;
    fresh.write_all(text.as_bytes()).and_then(|()| fresh.as_file().sync_all()).map_err(Error::io(path))?;
    fresh.persist(path).map_err(|error| Error::io(path)(error.error))?;
    sync_dir(dir)
}
