//! npm packages, exactly those of the committed lock file.
use std::path::Path;
use std::time::SystemTime;

use super::say;
use crate::context::Context;
use crate::error::Error;
use crate::process::{command, run};

/// Installs a folder's packages if they are not those of its lock file. A folder without a
/// `package.json` needs nothing.
pub(crate) fn install(context: &Context, folder: &str) -> Result<(), Error> {
    let path = context.path(folder);
    if !path.join("package.json").exists() || is_fresh(&path) {
        return Ok(());
    }
    say(&format!("npm install in {folder}"), "its packages are missing or older than its lock file");
    // No package that we use needs its install script, and a script could do anything. `npm ci` would refuse a lock
    // file without the programs of other platforms, which some registries do not carry; so installs what the lock
    // file names, by its hashes, and leaves the file as it is.
    let arguments = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(context, command("npm", &path).args(arguments))
}

/// npm writes a lock file of its own into what it installed; it is the newer one afterwards.
fn is_fresh(folder: &Path) -> bool {
    let changed =
        |name: &str| -> Option<SystemTime> { folder.join(name).metadata().and_then(|facts| facts.modified()).ok() };
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(locked)) => installed >= locked,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    #[test]
    fn packages_are_fresh_until_the_lock_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(!is_fresh(folder.path()));
        let lock = File::create(path("package-lock.json")).unwrap();
        std::fs::create_dir(path("node_modules")).unwrap();
        assert!(!is_fresh(folder.path()));
        File::create(path("node_modules/.package-lock.json")).unwrap();
        assert!(is_fresh(folder.path()));
        lock.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        assert!(!is_fresh(folder.path()));
    }
}
