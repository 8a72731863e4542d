//! Files that are whole or absent: written beside, synced, renamed; and the room that is left.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use market::Mebibytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::AgentError;

/// Writes `value` to `path` so that a crash leaves either the old or the new file.
pub(crate) fn save(path: &Path, value: &impl Serialize) -> Result<(), AgentError> {
    let bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| AgentError::BadState { path: path.to_owned(), reason: error.to_string() })?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(dir).map_err(AgentError::io(path))?;
    fresh.write_all(&bytes).and_then(|()| fresh.as_file().sync_all()).map_err(AgentError::io(path))?;
    fresh.persist(path).map_err(|error| AgentError::io(path)(error.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(AgentError::io(path))
}

/// Reads what [`save`] wrote; `None` where there is no file.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, AgentError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AgentError::io(path)(error)),
    };
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| AgentError::BadState { path: path.to_owned(), reason: error.to_string() })
}

/// Space that the file system under `path` still has; `None` where the system does not say.
pub(crate) fn free(path: &Path) -> Option<Mebibytes> {
    let path = path.canonicalize().ok()?;
    let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
    disks
        .iter()
        .filter(|disk| path.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())
        .map(|disk| Mebibytes(disk.available_space() >> 20))
}

/// Bytes that the files under `path` take on disk, without following links.
pub(crate) fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut folders = vec![path.to_owned()];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            // Blocks, not lengths: a file of holes takes no room.
            bytes += metadata.blocks() * 512;
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_half_a_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), None);
        save(&path, &vec![1, 2]).unwrap();
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), Some(vec![1, 2]));
        std::fs::write(&path, "[1,").unwrap();
        assert!(matches!(load::<Vec<u32>>(&path), Err(AgentError::BadState { .. })));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no half-written file stays");
    }

    #[test]
    fn links_are_not_followed_when_measured() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("usr")).unwrap();
        std::fs::write(dir.path().join("a"), vec![1; 1 << 20]).unwrap();
        let bytes = size(dir.path());
        assert!((1 << 20..1 << 21).contains(&bytes), "{bytes}");
    }
}
