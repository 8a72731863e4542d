//! The files that the rules look at: text written by hand.
use std::path::Path;

use crate::error::Error;

/// A text file, its path relative to the root with `/` between the names.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Folders with nothing written by hand.
const SKIPPED_FOLDERS: [&str; 11] = [
    ".bourse",
    ".git",
    "target",
    "node_modules",
    ".venv",
    "contracts/abi",
    "contracts/cache",
    "contracts/out",
    "web/dist",
    "web/src/generated",
    "shared",
];
/// Files that tools write.
const SKIPPED_FILES: [&str; 3] = ["Cargo.lock", "package-lock.json", "gas-snapshot.json"];
/// What is text. `tree` are the contracts' test specifications.
const EXTENSIONS: [&str; 15] =
    ["cjs", "css", "html", "js", "json", "md", "mjs", "rs", "sh", "sol", "toml", "tree", "ts", "tsx", "yml"];
/// Text without an extension.
const NAMES: [&str; 3] = ["Makefile", "Dockerfile", "run"];

/// All text files below a root, sorted by path.
pub(super) fn read(root: &Path) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<(), Error> {
    let here = root.join(folder);
    for entry in std::fs::read_dir(&here).map_err(Error::file("read", &here))? {
        let entry = entry.map_err(Error::file("read", &here))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().map_err(Error::file("read", entry.path()))?;
        let skipped = [&path, &name].iter().any(|it| SKIPPED_FOLDERS.contains(&it.as_str()));
        if kind.is_dir() && !skipped {
            walk(root, &path, files)?;
        } else if kind.is_file() && is_text(&name) {
            let text = std::fs::read_to_string(entry.path()).map_err(Error::file("read", entry.path()))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let known = extension.is_some_and(|extension| EXTENSIONS.contains(&extension));
    (known || NAMES.contains(&name)) && !SKIPPED_FILES.contains(&name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_and_foreign_files_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let kept = ["Makefile", "contracts/src/Market.sol", "crates/a/src/lib.rs"];
        let left_out = ["Cargo.lock", "contracts/out/a.json", "target/b.rs", "web/node_modules/c.js", "d.png"];
        for path in kept.iter().chain(&left_out) {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let files = super::read(root.path()).unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), kept);
    }
}
