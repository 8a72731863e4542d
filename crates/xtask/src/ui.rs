//! What the person at the terminal reads. Standard output is for answers, standard error for all
//! else. A reader that has gone away is no reason to stop a build, so errors are dropped here.
use std::io::Write;

/// A line of narration on standard error.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A line of the answer on standard output.
pub(crate) fn answer(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
