//! The room that a job may write in: a file system of its own, of the agreed size, or a folder that is measured.
//!
//! A loop image needs root and a kernel that mounts it; its limit holds to the byte. A folder is measured every
//! second and the job is stopped beyond its limit.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use market::Mebibytes;

use crate::{AgentError, disk};

/// The smallest file system that can be made.
const SMALLEST: Mebibytes = Mebibytes(4);
/// The programs are looked for here and nowhere else.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A job's room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    path: PathBuf,
    limit: Mebibytes,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mounted,
    Watched,
}

impl Room {
    /// Makes the room at `path`, with nothing in it. A room left by a broken attempt is removed first.
    pub(crate) fn make(path: &Path, limit: Mebibytes) -> Result<Self, AgentError> {
        remove(path)?;
        std::fs::create_dir_all(path).map_err(AgentError::io(path))?;
        let kind = match mount(path, limit) {
            Ok(()) => Kind::Mounted,
            Err(reason) => {
                tracing::info!(%reason, path = %path.display(), "scratch is a measured folder");
                unmount(path);
                drop(std::fs::remove_file(image(path)));
                Kind::Watched
            }
        };
        let room = Self { path: path.to_owned(), limit, kind };
        for folder in [room.outputs(), room.scratch()] {
            std::fs::create_dir_all(&folder).map_err(AgentError::io(&folder))?;
            // The job runs as whoever its image says; the folders above are closed to everybody else.
            let open = std::fs::Permissions::from_mode(0o777);
            std::fs::set_permissions(&folder, open).map_err(AgentError::io(&folder))?;
        }
        Ok(room)
    }

    /// Takes over the room at `from`, of a lease that is over, with everything in it. Asked again it stays; a move that was
    /// broken off goes on.
    pub(crate) fn take_over(from: &Path, path: &Path, limit: Mebibytes) -> Result<Self, AgentError> {
        if image(from).exists() {
            unmount(from);
            std::fs::rename(image(from), image(path)).map_err(AgentError::io(path))?;
        } else if from.join("outputs").exists() {
            std::fs::rename(from, path).map_err(AgentError::io(path))?;
        }
        let room = Self::find(path, limit);
        if room.kind == Kind::Mounted {
            std::fs::create_dir_all(path).map_err(AgentError::io(path))?;
            room.reopen();
        }
        if !room.outputs().exists() {
            return Err(AgentError::refused("the workspace to go on in is not there any more"));
        }
        Ok(room)
    }

    /// Finds the room of a job that already runs.
    pub(crate) fn find(path: &Path, limit: Mebibytes) -> Self {
        let kind = if image(path).exists() { Kind::Mounted } else { Kind::Watched };
        Self { path: path.to_owned(), limit, kind }
    }

    /// Mounts the room again after the machine was restarted; a mounted one stays.
    pub(crate) fn reopen(&self) {
        if self.kind == Kind::Mounted && !self.outputs().exists() {
            drop(attach(&self.path));
        }
    }

    /// Becomes the result.
    pub(crate) fn outputs(&self) -> PathBuf {
        self.path.join("outputs")
    }

    /// Is thrown away.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.path.join("scratch")
    }

    /// Whether the job must be stopped for what it wrote. A mounted room cannot be exceeded.
    pub(crate) fn is_over(&self) -> bool {
        self.kind == Kind::Watched && disk::size(&self.path) > self.limit.bytes()
    }

    /// Whether somebody must keep measuring.
    pub(crate) fn is_watched(&self) -> bool {
        self.kind == Kind::Watched
    }
}

/// Unmounts and removes the room at `path`, also one that a crash left behind.
pub(crate) fn remove(path: &Path) -> Result<(), AgentError> {
    unmount(path);
    let image = image(path);
    if let Err(error) = std::fs::remove_file(&image)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(AgentError::io(&image)(error));
    }
    crate::job::remove_tree(path)
}

/// Whether rooms of their own can be made here.
pub(crate) fn can_mount(dir: &Path) -> Result<(), String> {
    let path = dir.join("scratch-probe");
    let made = Room::make(&path, SMALLEST).map_err(|error| error.to_string());
    drop(remove(&path));
    match made?.kind {
        Kind::Mounted => Ok(()),
        Kind::Watched => Err("a loop image could not be mounted".into()),
    }
}

/// User and group of an agent that is not root: then the job runs as the agent's own user, so that the agent can read
/// and remove what the job writes. `path` is any folder that the agent made.
pub(crate) fn agent_user(path: &Path) -> Option<(u32, u32)> {
    let made = std::fs::metadata(path).ok()?;
    (made.uid() != 0).then(|| (made.uid(), made.gid()))
}

fn image(path: &Path) -> PathBuf {
    path.with_extension("img")
}

fn mount(path: &Path, limit: Mebibytes) -> Result<(), String> {
    let image = image(path);
    let file = std::fs::File::create(&image).map_err(|error| error.to_string())?;
    // The space is taken now, so that a disk that fills up later stops nobody who was promised room.
    drop(file);
    let length = format!("{}M", limit.max(SMALLEST).0);
    run("fallocate", &["-l".as_ref(), length.as_ref(), image.as_os_str()])?;
    run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), "-m".as_ref(), "0".as_ref(), image.as_os_str()])?;
    attach(path)?;
    drop(std::fs::remove_dir(path.join("lost+found")));
    Ok(())
}

fn attach(path: &Path) -> Result<(), String> {
    run("mount", &["-o".as_ref(), "loop,nosuid,nodev".as_ref(), image(path).as_os_str(), path.as_os_str()])
}

fn unmount(path: &Path) {
    if image(path).exists() {
        // It may be unmounted already; a busy one is detached and goes with its last user.
        drop(run("umount", &[path.as_os_str()]).or_else(|_| run("umount", &["-l".as_ref(), path.as_os_str()])));
    }
}

fn run(program: &str, args: &[&std::ffi::OsStr]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", PATH).stdin(Stdio::null()).stdout(Stdio::null());
    let done = command.output().map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_room_holds_what_it_may_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room");
        let room = Room::make(&path, Mebibytes(8)).unwrap();
        assert_eq!(Room::find(&path, Mebibytes(8)), room);
        let mut file = std::fs::File::create(room.outputs().join("big")).unwrap();
        let written = (0..16).try_for_each(|_| file.write_all(&vec![7; 1 << 20]).and_then(|()| file.sync_all()));
        assert!(written.is_err() || room.is_over(), "16 MiB went into 8 MiB");
        drop(file);
        remove(&path).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        remove(&path).unwrap();
    }

    #[test]
    fn a_room_that_is_taken_over_has_everything_and_is_moved_once() {
        let dir = tempfile::tempdir().unwrap();
        let (from, path) = (dir.path().join("from/room"), dir.path().join("to/room"));
        for folder in [&from, &path] {
            std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
        }
        let before = Room::make(&from, Mebibytes(8)).unwrap();
        std::fs::write(before.outputs().join("a"), "kept").unwrap();
        for _ in 0..2 {
            let room = Room::take_over(&from, &path, Mebibytes(8)).unwrap();
            assert_eq!(std::fs::read_to_string(room.outputs().join("a")).unwrap(), "kept");
            assert_eq!(room.kind, before.kind);
        }
        // What the former lease removes when its day is over is not there any more.
        remove(&from).unwrap();
        assert!(Room::find(&path, Mebibytes(8)).outputs().join("a").exists());
        remove(&path).unwrap();
        assert!(Room::take_over(&from, &path, Mebibytes(8)).is_err(), "nothing is made up");
    }

    #[test]
    fn a_measured_folder_is_over_when_more_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room");
        let room = Room { path, limit: Mebibytes(1), kind: Kind::Watched };
        std::fs::create_dir_all(room.scratch()).unwrap();
        std::fs::write(room.scratch().join("a"), vec![1; 512 << 10]).unwrap();
        assert!(!room.is_over());
        std::fs::write(room.scratch().join("b"), vec![1; 600 << 10]).unwrap();
        assert!(room.is_over());
    }
}
