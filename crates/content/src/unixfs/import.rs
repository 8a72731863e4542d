//! Files and trees from disk, from readers and from memory, into a store or only into a CID.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::directory::{DirectoryBuilder, add_symlink};
use super::file::{Added, add_reader};
use super::sink::{Nowhere, Sink, into_store};
use crate::config::ImportConfig;
use crate::error::{Error, Result};
use crate::store::BlockStore;

/// Adds a file durably.
pub fn add_file(store: &BlockStore, path: &Path, config: &ImportConfig) -> Result<Added> {
    into_store(store, |sink| file(path, config, sink))
}

/// Adds a folder with everything in it durably. A path to a file or a link is added as that.
pub fn add_tree(store: &BlockStore, path: &Path, config: &ImportConfig) -> Result<Added> {
    into_store(store, |sink| tree(path, config, sink))
}

/// Adds what a reader gives, to its end, durably.
pub fn add_stream(store: &BlockStore, reader: impl Read, config: &ImportConfig) -> Result<Added> {
    into_store(store, |sink| add_reader(reader, config.chunk_bytes, sink))
}

/// Adds bytes from memory durably.
pub fn add_bytes(store: &BlockStore, bytes: &[u8], config: &ImportConfig) -> Result<Added> {
    add_stream(store, bytes, config)
}

/// The CID that a file would have; nothing is stored.
pub fn hash_file(path: &Path, config: &ImportConfig) -> Result<Added> {
    file(path, config, &mut Nowhere)
}

/// The CID that a folder would have; nothing is stored.
pub fn hash_tree(path: &Path, config: &ImportConfig) -> Result<Added> {
    tree(path, config, &mut Nowhere)
}

/// The CID that a reader's bytes would have; nothing is stored.
pub fn hash_stream(reader: impl Read, config: &ImportConfig) -> Result<Added> {
    add_reader(reader, config.chunk_bytes, &mut Nowhere)
}

fn file(path: &Path, config: &ImportConfig, sink: &mut dyn Sink) -> Result<Added> {
    let file = File::open(path).map_err(Error::io(path))?;
    if file.metadata().map_err(Error::io(path))?.is_dir() {
        return Err(Error::io(path)(std::io::ErrorKind::IsADirectory.into()));
    }
    add_reader(file, config.chunk_bytes, sink).map_err(|error| match error {
        Error::Stream { source } => Error::io(path)(source),
        other => other,
    })
}

fn tree(path: &Path, config: &ImportConfig, sink: &mut dyn Sink) -> Result<Added> {
    let metadata = std::fs::symlink_metadata(path).map_err(Error::io(path))?;
    let mut entries = 0;
    entry(path, &metadata, config, 0, &mut entries, sink)
}

fn entry(
    path: &Path,
    metadata: &Metadata,
    config: &ImportConfig,
    depth: usize,
    entries: &mut u64,
    sink: &mut dyn Sink,
) -> Result<Added> {
    *entries += 1;
    if *entries > config.entries_max {
        return Err(Error::TooLarge { what: "the number of files in the tree", limit: config.entries_max });
    }
    if depth > config.depth_max {
        return Err(Error::TooLarge { what: "the depth of the tree", limit: config.depth_max as u64 });
    }
    let kind = metadata.file_type();
    if kind.is_symlink() {
        let target = std::fs::read_link(path).map_err(Error::io(path))?;
        return add_symlink(target.as_os_str().as_bytes(), sink);
    }
    if kind.is_file() {
        return file(path, config, sink);
    }
    if !kind.is_dir() {
        let path = path.display().to_string();
        return Err(Error::UnsafePath { path, reason: "it is neither a file nor a folder nor a symbolic link" });
    }
    let mut builder = DirectoryBuilder::default();
    for found in std::fs::read_dir(path).map_err(Error::io(path))? {
        let found = found.map_err(Error::io(path))?;
        let name = found.file_name();
        let Some(name) = name.to_str() else {
            return Err(Error::UnsafePath {
                path: found.path().display().to_string(),
                reason: "its name is not UTF-8",
            });
        };
        if name.starts_with('.') && !config.include_hidden {
            continue;
        }
        let metadata = found.metadata().map_err(Error::io(&found.path()))?;
        let added = entry(&found.path(), &metadata, config, depth + 1, entries, sink)?;
        builder.add(name, &added)?;
    }
    builder.finish(sink)
}
