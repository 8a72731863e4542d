//! Rules for crates as folders: a README, a name that says something, no `mod.rs`.
use std::collections::BTreeSet;

use super::Finding;
use super::tree::File;

/// Names of drawers: whatever fits nowhere else ends up there.
const DRAWERS: [&str; 7] = ["core", "common", "shared", "utils", "types", "helpers", "prelude"];

/// Checks every crate's folder.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let folders: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/Cargo.toml"))
        .filter(|folder| folder.starts_with("crates/") || folder.starts_with("examples/"))
        .collect();
    let mut findings = Vec::new();
    for folder in folders {
        let readme = format!("{folder}/README.md");
        if !files.iter().any(|file| file.path == readme) {
            let advice = "write what the crate is, why, one example, and what is deliberately absent";
            findings.push(Finding::new(&readme, 1, "crate-readme", advice));
        }
        let name = folder.rsplit('/').next().unwrap_or(folder);
        if DRAWERS.contains(&name) {
            let advice = "a crate is a room, not a drawer: name it after what it guards";
            findings.push(Finding::new(&format!("{folder}/Cargo.toml"), 1, "crate-name", advice));
        }
    }
    for file in files.iter().filter(|file| file.name() == "mod.rs") {
        let advice = "ten tabs named mod.rs help nobody: use `name.rs` beside `name/`";
        findings.push(Finding::new(&file.path, 1, "no-mod-rs", advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn each_rule_is_seen_to_fail() {
        let rules = |paths: &[&str]| -> Vec<_> {
            let files: Vec<_> = paths.iter().map(|path| file(path, "")).collect();
            check(&files).into_iter().map(|finding| finding.rule).collect()
        };
        assert_eq!(rules(&["crates/chain/Cargo.toml", "crates/chain/README.md"]), [""; 0]);
        assert_eq!(rules(&["crates/chain/Cargo.toml"]), ["crate-readme"]);
        assert_eq!(rules(&["crates/utils/Cargo.toml", "crates/utils/README.md"]), ["crate-name"]);
        assert_eq!(rules(&["crates/chain/src/events/mod.rs"]), ["no-mod-rs"]);
    }
}
