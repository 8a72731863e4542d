//! Where things are.

use std::path::{Path, PathBuf};

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.to_owned(), Path::to_owned)
}

/// The `anvil` program itself, as npm installed it for the contracts. Fails the test when it is not there.
#[must_use]
pub fn anvil_path() -> PathBuf {
    let launcher = workspace().join("contracts/node_modules/.bin/anvil");
    if !launcher.exists() {
        panic!("{} is missing: run `make setup`", launcher.display());
    }
    chain::native_anvil(&launcher)
}

/// A directory that is removed when it is dropped. Fails the test when there can be none.
#[must_use]
pub fn temp_dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary directory: {error}"))
}
