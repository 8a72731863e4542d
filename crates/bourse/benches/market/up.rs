//! `bourse up` as a child, as a person would start it.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::Outcome;

const READY_WITHIN: Duration = Duration::from_secs(120);

/// A running market.
pub(crate) struct Up {
    child: Child,
    home: tempfile::TempDir,
}

impl Up {
    pub(crate) async fn start() -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut child = Command::new(env!("CARGO_BIN_EXE_bourse"))
            .current_dir(root)
            .args(["--json", "--home"])
            .arg(home.path())
            .args(["up", "--port", "0", "--rpc-port", "0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let line = tokio::time::timeout(READY_WITHIN, BufReader::new(stdout).lines().next_line()).await??;
        if !line.is_some_and(|line| line.contains("\"ready\":true")) {
            return Err("the market did not open".into());
        }
        Ok(Self { child, home })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    pub(crate) fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    pub(crate) async fn stop(mut self) -> Outcome<()> {
        Command::new("kill").args(["-INT", &self.pid().to_string()]).status().await?;
        self.child.wait().await?;
        Ok(())
    }
}
