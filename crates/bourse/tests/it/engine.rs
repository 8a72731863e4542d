//! A container engine of a test's own, which it may stop without hurting the others.

use std::{path::PathBuf, process::Stdio};

use testkit::eventually;
use tokio::{
    net::UnixStream,
    process::{Child, Command},
};

use crate::world::LIMIT;

/// A private daemon. Its folder outlives it, so that it can come back.
pub(crate) struct Engine {
    dir: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Engine {
    /// Starts one, where this process may.
    pub(crate) async fn start() -> Self {
        let mut engine = Self { dir: testkit::temp_dir(), daemon: None };
        engine.up().await;
        engine
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("docker.sock")
    }

    pub(crate) async fn up(&mut self) {
        let at = |name: &str| self.dir.path().join(name);
        let mut command = Command::new("dockerd");
        command.arg("--host").arg(format!("unix://{}", self.socket().display()));
        for (flag, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(flag).arg(at(name));
        }
        // Jobs here have no network, and the machine's own daemon owns the bridge.
        command.args(["--bridge=none", "--iptables=false", "--ip6tables=false"]);
        let log = std::fs::File::create(at("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.daemon = Some(command.spawn().unwrap());
        let socket = self.socket();
        eventually(LIMIT, async || UnixStream::connect(&socket).await.ok()).await;
    }

    /// Stops it as an administrator would; its containers end with it.
    pub(crate) async fn down(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        let pid = daemon.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        daemon.wait().await.unwrap();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(pid) = self.daemon.take().and_then(|daemon| daemon.id()) {
            crate::world::terminate(pid);
        }
        crate::world::unmount_below(self.dir.path());
    }
}
