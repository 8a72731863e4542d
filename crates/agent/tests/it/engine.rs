//! A container engine of the test's own, so that it can be stopped.

use std::path::PathBuf;
use std::process::Stdio;

use testkit::eventually;
use tokio::process::{Child, Command};

use crate::stage::LIMIT;

pub(crate) struct Engine {
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Engine {
    /// Starts one; `None` where that needs more rights than the test has.
    pub(crate) async fn start() -> Option<Self> {
        let mut engine = Self { folder: testkit::temp_dir(), process: None };
        engine.resume().await.then_some(engine)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// Starts it again with what it had; says whether it answers.
    pub(crate) async fn resume(&mut self) -> bool {
        let at = |name: &str| self.folder.path().join(name);
        let log = std::fs::File::create(at("log")).unwrap();
        let process = Command::new("dockerd")
            .args(["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(format!("unix://{}", at("sock").display()))
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        let Ok(process) = process else { return false };
        self.process = Some(process);
        eventually(LIMIT, async || {
            let ended = self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended {
                return Some(false);
            }
            let path = self.socket();
            let docker = bollard::Docker::connect_with_unix(path.to_str()?, 5, bollard::API_DEFAULT_VERSION).ok()?;
            docker.ping().await.ok().map(|_| true)
        })
        .await
    }

    /// Stops it as the system does.
    pub(crate) async fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let id = process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        tokio::time::timeout(LIMIT, process.wait()).await.unwrap().unwrap();
    }
}
