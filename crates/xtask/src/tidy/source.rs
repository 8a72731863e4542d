//! Rules for each Rust file: its first line, and what it may not call.
use super::tree::File;
use super::{Finding, scan};

/// Crates that may read the environment: the binary, and tools that nobody depends on.
const MAY_READ_ENVIRONMENT: [&str; 4] = ["crates/bourse/", "crates/xtask/", "crates/testkit/", "examples/"];
/// What exists for tests as a whole.
const TEST_CRATES: [&str; 1] = ["crates/testkit/"];

/// Whether all of a file is test code.
pub(super) fn is_test_file(path: &str) -> bool {
    let test_folder = |folder: &str| folder == "tests" || folder == "benches";
    path.split('/').any(test_folder)
        || path.ends_with("/tests.rs")
        || TEST_CRATES.iter().any(|krate| path.starts_with(krate))
}

/// Checks every Rust file.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| file.is_rust()).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, rule, advice: String| {
        findings.push(Finding::new(&file.path, line, rule, advice));
    };
    if !file.text.starts_with("//! ") {
        find(1, "header", "begin with a `//!` line that says what the file is".into());
    }
    let facts = match scan::scan(&file.text) {
        Ok(facts) => facts,
        Err(error) => {
            find(error.span().start().line, "syntax", format!("this is no Rust: {error}"));
            return findings;
        }
    };
    for line in facts.allows {
        let advice = "a lint that is off for ever hides the next mistake: use `#[expect(…, reason = \"…\")]`";
        find(line, "no-allow", advice.into());
    }
    if is_test_file(&file.path) {
        return findings;
    }
    for (line, what) in facts.aborts {
        let advice = format!("`{what}` ends the process for a case that has an answer: return an error");
        find(line, "no-abort", advice);
    }
    if !MAY_READ_ENVIRONMENT.iter().any(|krate| file.path.starts_with(krate)) {
        for line in facts.environment {
            let advice =
                "a library that reads the environment cannot be tested twice in one process: take a value in `Config`";
            find(line, "no-environment", advice.into());
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, shown};

    fn check_one(path: &str, text: &str, expected: &[&str]) {
        let found = shown(&check(&[file(path, text)]));
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn each_rule_is_seen_to_fail() {
        let path = "crates/chain/src/lib.rs";
        check_one(path, "//! Fine.\nfn a() {}\n", &[]);
        check_one(path, "fn a() {}\n", &["crates/chain/src/lib.rs:1: header: "]);
        check_one(path, "//! A.\nfn a( {}\n", &["crates/chain/src/lib.rs:2: syntax: "]);
        check_one(path, "//! A.\n#[allow(b)]\nfn a() {}", &["crates/chain/src/lib.rs:2: no-allow: "]);
        check_one(path, "//! A.\n\nfn a() { b.unwrap() }", &["crates/chain/src/lib.rs:3: no-abort: "]);
        check_one(path, "//! A.\nuse std::env;", &["crates/chain/src/lib.rs:2: no-environment: "]);
    }

    #[test]
    fn tests_and_tools_may_more() {
        check_one("crates/chain/tests/it/main.rs", "//! A.\nfn a() { b.unwrap() }", &[]);
        check_one("crates/chain/src/events/tests.rs", "//! A.\nfn a() { panic!() }", &[]);
        check_one("crates/testkit/src/lib.rs", "//! A.\nfn a() { std::env::var(b).expect(c) }", &[]);
        check_one("crates/bourse/src/main.rs", "//! A.\nuse std::env;", &[]);
    }
}
