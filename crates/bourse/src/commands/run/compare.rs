//! The check that a result is what the same program wrote elsewhere.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// Compares two folders file by file and byte by byte; gives the number of files.
pub(crate) fn folders(expected: &Path, found: &Path) -> Result<usize, Failure> {
    let (left, right) = (files(expected)?, files(found)?);
    if let Some(name) = left.keys().find(|name| !right.contains_key(*name)) {
        return Err(Failure::Job(format!("the result lacks {}", name.display())));
    }
    if let Some(name) = right.keys().find(|name| !left.contains_key(*name)) {
        return Err(Failure::Job(format!("the result has {} too many", name.display())));
    }
    for (name, path) in &left {
        let read = |path: &Path| fs::read(path).map_err(Failure::file(path));
        if read(path)? != read(&right[name])? {
            return Err(Failure::Job(format!("{} differs from the expected one", name.display())));
        }
    }
    Ok(left.len())
}

fn files(root: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, Failure> {
    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(Failure::file(&dir))? {
            let path = entry.map_err(Failure::file(&dir))?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(root) {
                found.insert(name.to_owned(), path.clone());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_found() {
        let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let put = |dir: &tempfile::TempDir, name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put(&left, "a/b", "1");
        put(&right, "a/b", "1");
        assert_eq!(folders(left.path(), right.path()).unwrap(), 1);
        put(&right, "a/b", "2");
        assert!(folders(left.path(), right.path()).unwrap_err().to_string().contains("differs"));
        put(&right, "a/b", "1");
        put(&right, "c", "");
        assert!(folders(left.path(), right.path()).unwrap_err().to_string().contains("too many"));
        assert!(folders(right.path(), left.path()).unwrap_err().to_string().contains("lacks c"));
    }
}
