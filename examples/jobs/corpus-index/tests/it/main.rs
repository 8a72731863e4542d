//! The program as a renter meets it: an archive in, a directory and an exit code out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

mod build;
mod malformed;
mod query;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An archive of the given files, in the given order.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A working place with an archive in it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn with(archive: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("sources.tar"), archive).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn build(&self, output: &str, threads: usize) -> Output {
        Command::new(env!("CARGO_BIN_EXE_corpus-index"))
            .arg("--input")
            .arg(self.path("sources.tar"))
            .arg("--output")
            .arg(self.path(output))
            .args(["--threads", &threads.to_string()])
            .output()
            .unwrap()
    }

    fn query(&self, index: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_corpus-index"))
            .args(["query", "--index"])
            .arg(self.path(index))
            .args(arguments)
            .output()
            .unwrap()
    }
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Prose of `words` different words; `changed` of them, spread out, differ by `salt`.
fn prose(words: usize, changed: usize, salt: &str) -> String {
    let step = words.checked_div(changed).unwrap_or(usize::MAX);
    (0..words).map(|n| if n % step == step - 1 { format!("changed{salt}{n} ") } else { format!("word{n} ") }).collect()
}
