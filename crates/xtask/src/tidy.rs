//! The shape of the tree, held by tests: each rule has a reason, and each finding says what to do.
mod contracts;
mod crates;
mod exceptions;
mod layers;
mod scan;
mod sizes;
mod source;
mod tree;
mod words;

use std::fmt;

use crate::context::Context;
use crate::error::Error;
use crate::ui;

use tree::File;

/// One place where the tree has lost its shape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, advice } = self;
        write!(f, "{path}:{line}: {rule}: {advice}")
    }
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self { path: path.into(), line, rule, advice: advice.into() }
    }
}

/// Checks every rule, prints every finding, and fails if there is one.
pub(crate) fn tidy(context: &Context) -> Result<(), Error> {
    let files = tree::read(&context.root)?;
    let packages = layers::packages(context)?;
    let mut findings = check(&files);
    findings.extend(layers::check(&packages, &files));
    findings.sort();
    for finding in &findings {
        ui::note(&finding.to_string());
    }
    if findings.is_empty() { Ok(()) } else { Err(Error::Findings(findings.len())) }
}

/// The rules that need nothing but the files.
fn check(files: &[File]) -> Vec<Finding> {
    let rules = [source::check, sizes::check, crates::check, contracts::check, words::check];
    rules.iter().flat_map(|rule| rule(files)).collect()
}

/// A file in memory, for the tests of the rules.
#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.into(), text: text.into() }
}

/// The findings as lines, for the tests of the rules.
#[cfg(test)]
fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    /// The law is also an ordinary test, so that it fails where people look.
    #[test]
    fn this_tree_is_tidy() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = super::tree::read(&root).unwrap();
        assert!(files.iter().any(|file| file.path == "crates/xtask/src/tidy.rs"));
        let own: Vec<_> =
            super::check(&files).into_iter().filter(|finding| finding.path.starts_with("crates/xtask/")).collect();
        assert_eq!(super::shown(&own), [""; 0]);
    }
}
