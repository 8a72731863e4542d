//! Programs of others, driven a line of JSON at a time.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{Need, skipped, workspace};

/// A program of Node's that has to load its packages answers within this, also beside other tests.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A script of `crates/bourse/tests/peers` that runs until this is dropped. It prints one line of JSON for each that it
/// is given.
#[derive(Debug)]
pub struct Peer {
    script: &'static str,
    // Killed when it is dropped.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a script. `None`, loudly, where the packages of others are not installed.
    #[must_use]
    pub fn start(script: &'static str, arguments: &[&str]) -> Option<Self> {
        let folder = folder();
        if !folder.join("node_modules/@x402").exists() {
            skipped(Need::Peers, "npm's packages of x402 are not installed");
            return None;
        }
        let mut command = Command::new("node");
        command.current_dir(folder).arg(script).args(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{script}: {error}"));
        let input = child.stdin.take().unwrap_or_else(|| panic!("{script} has no input"));
        let output = child.stdout.take().unwrap_or_else(|| panic!("{script} has no output"));
        Some(Self { script, _child: child, input, output: BufReader::new(output).lines() })
    }

    /// Writes a line.
    pub async fn say(&mut self, words: &str) {
        let line = format!("{words}\n");
        let written = self.input.write_all(line.as_bytes()).await;
        written.unwrap_or_else(|error| panic!("{}: {error}", self.script));
    }

    /// Reads a line.
    pub async fn hear(&mut self) -> String {
        match timeout(ANSWER_WITHIN, self.output.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => panic!("{} ended", self.script),
            Ok(Err(error)) => panic!("{}: {error}", self.script),
            Err(_) => panic!("{} gave no answer in {ANSWER_WITHIN:?}", self.script),
        }
    }

    /// Writes a line and reads the answer.
    pub async fn ask(&mut self, words: &str) -> String {
        self.say(words).await;
        self.hear().await
    }
}

fn folder() -> PathBuf {
    workspace().join("crates/bourse/tests/peers")
}
