//! A market in which each party is a process or a task of its own, so that each can be killed alone.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use market::Amount;
use serde_json::Value;
use testkit::{TestMarket, TestMarketConfig, eventually};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};
use wire::{MarketContracts, MarketFile};

/// Anything that is waited for happens within this time, on a slow machine too.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
/// The static program that jobs run; Debian's busybox-static.
pub(crate) const BUSYBOX: &str = "/bin/busybox";
/// Beats are this far apart here unless a test says otherwise; four missed are a silence.
const HEARTBEAT_S: u64 = 1;
/// A process that was asked to end does so within this time.
const ENDED_WITHIN: Duration = Duration::from_secs(20);
const PASSWORD: &str = "only for this test";

/// A market for one test.
pub(crate) struct World {
    // Dropped in this order: the provider's daemon before its chain, the folder last.
    pub(crate) agent: Option<Process>,
    pub(crate) gateway: Option<Process>,
    gateway_port: u16,
    gateway_flags: Vec<String>,
    pub(crate) market: TestMarket,
    pub(crate) home: Home,
    agent_flags: Vec<String>,
    pub(crate) heartbeat_s: u64,
}

/// The test's folder. Nothing is left behind, however the test ended.
pub(crate) struct Home {
    dir: tempfile::TempDir,
    agent: String,
}

impl Drop for Home {
    fn drop(&mut self) {
        let label = format!("label=exchange.bourse.agent={}", self.agent);
        let listed = std::process::Command::new("docker").args(["ps", "-aq", "--filter", &label]).output();
        let containers = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        for container in containers.split_whitespace() {
            quietly("docker", &["rm", "-f", container]);
        }
        unmount_below(self.dir.path());
    }
}

/// Whoever still runs when a test ends is asked to end.
impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = self.child.id() {
            terminate(pid);
        }
    }
}

/// Takes away what is mounted below a folder that is about to be removed.
pub(crate) fn unmount_below(dir: &Path) {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    for at in mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|at| Path::new(at).starts_with(dir)) {
        quietly("umount", &["-l", at]);
    }
}

fn quietly(program: &str, args: &[&str]) {
    std::process::Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
}

/// Ends a process as a service manager would, and waits until it is gone or has had its time.
pub(crate) fn terminate(pid: u32) {
    let began = std::time::Instant::now();
    quietly("kill", &["-TERM", &pid.to_string()]);
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie is gone; only its parent, which is us, has not asked yet.
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    };
    while is_there() && began.elapsed() < ENDED_WITHIN {
        std::thread::yield_now();
    }
}

/// A child whose output is collected line by line.
pub(crate) struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

/// How a verb ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// The one JSON line of the answer.
    pub(crate) answer: Value,
    /// Everything it printed.
    pub(crate) text: String,
}

/// Whether jobs can run here; says so loudly where they cannot.
pub(crate) async fn engine_missing() -> bool {
    if testkit::docker_available().await && Path::new(BUSYBOX).exists() {
        return false;
    }
    testkit::skipped(testkit::Need::Docker, "no daemon answers, or busybox-static is not installed");
    true
}

impl World {
    pub(crate) fn dir(&self) -> &Path {
        self.home.dir.path()
    }

    /// Chain, gateway and a provider that is listed.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with more flags for the provider.
    pub(crate) async fn with(agent_flags: &[&str]) -> Self {
        let mut world = Self::without_agent(agent_flags).await;
        world.start_agent().await;
        world
    }

    pub(crate) async fn without_agent(agent_flags: &[&str]) -> Self {
        Box::pin(Self::on(TestMarketConfig::default(), agent_flags)).await
    }

    /// The same with a provider on a chain that clients of x402 know: its market settles in a dollar.
    pub(crate) async fn x402(agent_flags: &[&str]) -> Self {
        let config = TestMarketConfig { x402: true, ..TestMarketConfig::default() };
        let mut world = Box::pin(Self::on(config, agent_flags)).await;
        world.start_agent().await;
        world
    }

    async fn on(config: TestMarketConfig, agent_flags: &[&str]) -> Self {
        let home = testkit::temp_dir();
        let block_time = Some(Duration::from_secs(1));
        let config = TestMarketConfig { block_time, state: Some(home.path().join("chain.json")), ..config };
        let market = TestMarket::with(config).await.unwrap();
        std::fs::write(home.path().join("password"), PASSWORD).unwrap();
        for (name, wallet) in [
            ("renter", market.renter.wallet()),
            ("owner", market.owner.wallet()),
            ("agent", market.agent.wallet()),
            ("watcher", market.watcher.wallet()),
            ("recorder", &market.recorder),
            ("treasury", market.deployer.wallet()),
            ("gas", market.stranger.wallet()),
        ] {
            chain::keystore::save(&home.path().join(format!("keys/{name}.json")), wallet, PASSWORD).unwrap();
        }
        let agent_flags = agent_flags.iter().map(|flag| (*flag).to_owned()).collect();
        let address = market.agent.address().to_string();
        let mut world = Self {
            market,
            home: Home { dir: home, agent: address },
            gateway: None,
            gateway_port: 0,
            gateway_flags: Vec::new(),
            agent: None,
            agent_flags,
            heartbeat_s: HEARTBEAT_S,
        };
        world.describe();
        world.start_gateway().await;
        world.describe();
        world
    }

    /// Writes the market's description as it is known now.
    fn describe(&self) {
        let deployment = &self.market.deployment;
        let file = MarketFile {
            rpc: self.market.dev.rpc().to_string(),
            chain_id: self.market.chain.id(),
            market: deployment.market,
            token: deployment.token,
            deployed_at: deployment.block,
            register: Some(deployment.register),
            recorders: vec![self.market.recorder.address()],
            contracts: Some(MarketContracts {
                reputation: deployment.reputation,
                versions: deployment.versions,
                deposits: deployment.deposits,
                tills: deployment.tills,
                till: deployment.till,
            }),
            gateway: (self.gateway_port != 0).then(|| self.gateway_url()),
        };
        std::fs::write(self.path("market.json"), serde_json::to_vec(&file).unwrap()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.dir.path().join(name)
    }

    pub(crate) fn gateway_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.gateway_port)
    }

    /// A gateway with an empty memory on the same port; its blocks and rows are on disk.
    pub(crate) async fn start_gateway(&mut self) {
        let mut command = self.bourse();
        command.args(["gateway", "--listen", &format!("127.0.0.1:{}", self.gateway_port)]).args(&self.gateway_flags);
        let mut gateway = Process::spawn(command);
        gateway.says("\"ready\":true").await;
        let text = gateway.text();
        let ready = text.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).unwrap();
        let url: url::Url = ready["gateway"].as_str().unwrap().parse().unwrap();
        self.gateway_port = url.port().unwrap();
        self.gateway = Some(gateway);
    }

    /// Starts every gateway from now on with these flags.
    pub(crate) async fn restart_gateway_with(&mut self, flags: &[&str]) {
        self.gateway_flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.stop_gateway().await;
        self.start_gateway().await;
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn stop_gateway(&mut self) {
        let gateway = self.gateway.take().unwrap();
        gateway.interrupt();
        gateway.ended().await.with_code(0);
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill().await;
    }

    /// A provider as a process; returns when the gateway lists it.
    pub(crate) async fn start_agent(&mut self) {
        self.spawn_agent();
        let client = renter::GatewayClient::new(self.gateway_url().parse().unwrap()).unwrap();
        eventually(LIMIT, async || {
            let offers = client.offers().await.unwrap_or_default();
            offers.iter().any(|offer| offer.available).then_some(())
        })
        .await;
    }

    /// The same without waiting: one that is busy is not listed as available.
    pub(crate) fn spawn_agent(&mut self) {
        let mut command = self.bourse();
        command.args(["provider", "run", "--offer-disk", "2048"]).args(&self.agent_flags);
        self.agent = Some(Process::spawn(command));
    }

    /// Ends the provider as a crash would.
    pub(crate) async fn kill_agent(&mut self) {
        self.agent.take().unwrap().kill().await;
    }

    /// Stops the chain and starts it again with its state.
    pub(crate) async fn restart_chain(mut self) -> Self {
        self.market = Box::pin(self.market.restart(std::future::ready(()))).await.unwrap();
        self
    }

    /// The program, with this market's settings.
    pub(crate) fn bourse(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bourse"));
        command
            .env_remove("BOURSE_KEY")
            .env("BOURSE_HEARTBEAT", self.heartbeat_s.to_string())
            .current_dir(self.home.dir.path())
            .env("BOURSE_HOME", self.home.dir.path())
            .arg("--json");
        command
    }

    /// One verb to its end.
    pub(crate) async fn verb(&self, args: &[&str]) -> Ended {
        let mut command = self.bourse();
        command.args(args);
        Process::spawn(command).ended().await
    }

    /// A shell script as a job, begun and not waited for.
    pub(crate) fn begin(&self, flags: &[&str], script: &str) -> Process {
        let mut command = self.bourse();
        command.args(["run", BUSYBOX, "-y", "--memory", "64", "--disk", "64"]).args(flags);
        command.args(["--", "/busybox", "sh", "-c", script]);
        Process::spawn(command)
    }

    /// A shell script as a job, to its end.
    pub(crate) async fn job(&self, flags: &[&str], script: &str) -> Ended {
        self.begin(flags, script).ended().await
    }

    /// What renter and provider's owner hold.
    pub(crate) async fn balances(&self) -> (Amount, Amount) {
        let market = &self.market.market;
        (
            market.token_balance(self.market.renter.address()).await.unwrap(),
            market.token_balance(self.market.owner.address()).await.unwrap(),
        )
    }
}

impl Process {
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let readers =
            vec![collect(child.stdout.take().unwrap(), &lines), collect(child.stderr.take().unwrap(), &lines)];
        Self { child, lines, readers }
    }

    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Waits until a line contains `words`.
    pub(crate) async fn says(&mut self, words: &str) {
        let began = std::time::Instant::now();
        eventually(LIMIT * 2, async || {
            let text = self.text();
            assert!(began.elapsed() < LIMIT, "never said {words:?}:\n{text}");
            if text.contains(words) {
                return Some(());
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "ended ({ended:?}) without saying {words:?}:\n{}", self.text());
            None
        })
        .await;
    }

    pub(crate) async fn ended(mut self) -> Ended {
        let Ok(status) = tokio::time::timeout(LIMIT * 2, self.child.wait()).await else {
            panic!("did not end:\n{}", self.text());
        };
        for reader in self.readers.drain(..) {
            reader.await.unwrap();
        }
        let text = self.text();
        let answer = text.lines().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null);
        Ended { code: status.unwrap().code().unwrap_or(-1), answer, text }
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        quietly("kill", &["-INT", &self.child.id().unwrap().to_string()]);
    }

    /// Stops it where it stands, or lets it go on.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        quietly("kill", &[if is_frozen { "-STOP" } else { "-CONT" }, &self.child.id().unwrap().to_string()]);
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn collect(
    from: impl tokio::io::AsyncRead + Unpin + Send + 'static,
    lines: &Arc<Mutex<Vec<String>>>,
) -> JoinHandle<()> {
    let (mut reader, lines) = (BufReader::new(from).lines(), lines.clone());
    tokio::spawn(async move {
        while let Ok(Some(line)) = reader.next_line().await {
            lines.lock().unwrap().push(line);
        }
    })
}
