//! Writing a DAG out as files and folders, never outside the place that was named.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use cid::Cid;

use super::Kind;
use super::read::{list_directory, read_file, read_symlink, stat};
use crate::config::{ExportLimits, OutsideLinks};
use crate::error::{Error, Result};
use crate::store::BlockStore;

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files.
    pub files: u64,
    /// Folders.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Symbolic links that lead out of the tree and were left away.
    pub symlinks_skipped: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Writes what is under `cid` to `dest`, which must not exist yet or be an empty folder. It appears there
/// whole or not at all.
pub fn export(store: &BlockStore, cid: &Cid, dest: &Path, limits: &ExportLimits) -> Result<Exported> {
    let kind = stat(store, cid)?.kind;
    let parent = match dest.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let exists = std::fs::symlink_metadata(dest).is_ok();
    let is_empty_folder =
        kind == Kind::Directory && std::fs::read_dir(dest).is_ok_and(|mut entries| entries.next().is_none());
    if exists && (!is_empty_folder || dest.is_symlink()) {
        return Err(Error::io(dest)(std::io::ErrorKind::AlreadyExists.into()));
    }
    std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let partial = tempfile::Builder::new().prefix(".partial-").tempdir_in(parent).map_err(Error::io(parent))?;
    let inside = partial.path().join("root");
    let mut export = Export { store, limits, done: Exported::default() };
    export.entry(cid, &inside, 0)?;
    std::fs::rename(&inside, dest).map_err(Error::io(dest))?;
    Ok(export.done)
}

struct Export<'a> {
    store: &'a BlockStore,
    limits: &'a ExportLimits,
    done: Exported,
}

impl Export<'_> {
    /// Every part of `path` below the temporary folder was made by us as a folder, and each entry is made
    /// new or not at all: no link can be followed.
    fn entry(&mut self, cid: &Cid, path: &Path, depth: usize) -> Result<()> {
        let done = self.done;
        if done.files + done.directories + done.symlinks + done.symlinks_skipped >= self.limits.entries_max {
            return Err(Error::TooLarge { what: "the number of files", limit: self.limits.entries_max });
        }
        if depth > self.limits.depth_max {
            return Err(Error::TooLarge { what: "the depth of the tree", limit: self.limits.depth_max as u64 });
        }
        let found = stat(self.store, cid)?;
        match found.kind {
            Kind::File => self.file(cid, path, found.size),
            Kind::Symlink => self.symlink(cid, path, depth),
            Kind::Directory => {
                std::fs::create_dir(path).map_err(Error::io(path))?;
                self.done.directories += 1;
                let store = self.store;
                list_directory(store, cid, |entry| self.entry(&entry.cid, &path.join(&entry.name), depth + 1))
            }
        }
    }

    fn file(&mut self, cid: &Cid, path: &Path, size: u64) -> Result<()> {
        if self.done.bytes.saturating_add(size) > self.limits.bytes_max {
            return Err(Error::TooLarge { what: "the size of all files", limit: self.limits.bytes_max });
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(Error::io(path))?;
        read_file(self.store, cid, 0..size, |data| file.write_all(&data).map_err(Error::io(path)))?;
        self.done.files += 1;
        self.done.bytes += size;
        Ok(())
    }

    fn symlink(&mut self, cid: &Cid, path: &Path, depth: usize) -> Result<()> {
        let target = read_symlink(self.store, cid)?;
        let target = Path::new(std::ffi::OsStr::from_bytes(&target));
        if leaves(target, depth) {
            match self.limits.outside_links {
                OutsideLinks::Keep => {}
                OutsideLinks::Skip => {
                    self.done.symlinks_skipped += 1;
                    return Ok(());
                }
                OutsideLinks::Refuse => {
                    let path = target.display().to_string();
                    return Err(Error::UnsafePath { path, reason: "a symbolic link leads out of the tree" });
                }
            }
        }
        std::os::unix::fs::symlink(target, path).map_err(Error::io(path))?;
        self.done.symlinks += 1;
        Ok(())
    }
}

/// Whether a link at `depth` below the root leads above it. Going up after going down is counted as
/// leaving, because what it goes down into may itself be a link.
fn leaves(target: &Path, depth: usize) -> bool {
    let mut up = 0;
    let mut went_down = false;
    for part in target.components() {
        match part {
            Component::ParentDir if went_down => return true,
            Component::ParentDir => up += 1,
            Component::Normal(_) => went_down = true,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    // The link lies in a folder at `depth - 1`; that many steps up reach the root.
    up + 1 > depth.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_links_leave_the_tree() {
        let check = |target: &str, depth, expected| {
            assert_eq!(leaves(Path::new(target), depth), expected, "{target} at {depth}");
        };
        check("b", 1, false);
        check("./b/c", 1, false);
        check("../b", 1, true);
        check("../b", 2, false);
        check("../../b", 2, true);
        check("../../b", 3, false);
        check("/etc/passwd", 3, true);
        check("a/../../b", 3, true);
    }
}
