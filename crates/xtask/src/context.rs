//! Where the workspace is, and whether the person wants to stop.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::Error;

/// Handed to every task.
pub(crate) struct Context {
    pub(crate) root: PathBuf,
    interrupted: Arc<AtomicBool>,
}

impl Context {
    /// Finds the workspace and begins to listen for Ctrl-C: from now on a signal ends the task at
    /// its next step, after its children.
    pub(crate) fn new() -> Result<Self, Error> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted)).map_err(Error::Signals)?;
        }
        Ok(Self { root: find_root()?, interrupted })
    }

    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

fn find_root() -> Result<PathBuf, Error> {
    let here = std::env::current_dir().map_err(Error::file("find", "."))?;
    let root = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.map(PathBuf::from)
        .ok_or_else(|| Error::Missing { what: "the workspace".into(), remedy: "run this inside the checkout".into() })
}

/// Whether this process may install packages and start daemons.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
