//! Another indexer on the same chain: npm `ponder`, with the same rules into the same tables.

use std::{
    fs::File,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use testkit::{EMITTED_MARKET, Emitter, TestDatabase};

use crate::{bench, note, workload::EVENTS};

/// Installing its packages takes half a minute where the registry is near.
const INSTALL_WITHIN: Duration = Duration::from_secs(180);
/// Slower than this is left out.
const WITHIN: Duration = Duration::from_secs(300);
/// Between two looks whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that does not outlive the measure.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Events a second, from the start of its process to its last row; with the database that comes with it, and with
/// PostgreSQL.
pub(crate) async fn measure(emitter: &Emitter) {
    let folder = testkit::workspace().join("crates/indexer/benches/peers");
    if let Err(why) = install(&folder).await {
        return note(&format!("indexer.ponder_events_per_s is left out: {why}"));
    }
    let mut databases = vec![("indexer.ponder_events_per_s", None)];
    databases.extend(TestDatabase::postgres().map(|it| ("indexer.ponder_postgres_events_per_s", Some(it))));
    for (name, database) in databases {
        match caught_up(&folder, emitter, database.as_ref()).await {
            Ok(took) => bench(name, EVENTS as f64 / took.as_secs_f64(), "events/s"),
            Err(why) => note(&format!("{name} is left out: {why}")),
        }
    }
}

async fn install(folder: &Path) -> Result<(), String> {
    if folder.join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
    npm.stdout(Stdio::null()).stderr(Stdio::null());
    let mut npm = Peer(npm.spawn().map_err(|error| format!("npm cannot be started: {error}"))?);
    let began = Instant::now();
    while began.elapsed() < INSTALL_WITHIN {
        match npm.0.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("its packages cannot be installed ({status})")),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    Err("its packages take too long to install".into())
}

async fn caught_up(folder: &Path, emitter: &Emitter, database: Option<&TestDatabase>) -> Result<Duration, String> {
    let kept = testkit::temp_dir();
    let log = kept.path().join("ponder.log");
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let mut node = Command::new("node");
    node.arg("node_modules/ponder/dist/esm/bin/ponder.js").args([
        "start",
        "--schema",
        "bench",
        "--hostname",
        "127.0.0.1",
    ]);
    node.args(["--port", &port.to_string()]).current_dir(folder);
    node.env("MARKET_RPC", emitter.dev.rpc().as_str()).env("MARKET_ADDRESS", EMITTED_MARKET.to_string());
    node.env("MARKET_ABI", testkit::workspace().join("contracts/abi/Market.json"));
    node.env("PGLITE_FOLDER", kept.path().join("pglite")).env("PONDER_TELEMETRY_DISABLED", "true");
    node.env_remove("DATABASE_URL");
    if let Some(database) = database {
        node.env("DATABASE_URL", database.url().as_str());
    }
    let output = File::create(&log).unwrap();
    node.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
    let began = Instant::now();
    let mut peer = Peer(node.spawn().map_err(|error| format!("node cannot be started: {error}"))?);
    let at = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    loop {
        if let Ok(Some(status)) = peer.0.try_wait() {
            return Err(format!("it ended ({status}): {}", tail(&log)));
        }
        if began.elapsed() > WITHIN {
            return Err(format!("it was not ready within {} s: {}", WITHIN.as_secs(), tail(&log)));
        }
        if client.get(at("ready")).send().await.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let took = began.elapsed();
    let counted = client.get(at("counted")).send().await.map_err(|error| error.to_string())?;
    let counted: serde_json::Value = counted.json().await.map_err(|error| error.to_string())?;
    // Ready may come before the newest rows are there; what is measured is all of them.
    if counted["events"] == EVENTS { Ok(took) } else { Err(format!("it wrote {counted} of {EVENTS} events")) }
}

fn tail(log: &PathBuf) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(12).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
