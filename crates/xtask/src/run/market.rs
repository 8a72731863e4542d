//! `bourse up` as a child: its readiness, its log, its end.
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::BOURSE;
use crate::context::Context;
use crate::error::Error;
use crate::process::{Group, command};
use crate::ui;

/// A cold start deploys the contracts and registers the provider; it takes some seconds.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How often we look for Ctrl-C and the child's end while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Lines of the log that are shown when the market dies.
const LOG_TAIL_LINES: usize = 30;

/// Where runs keep their state and their log.
const FOLDER: &str = ".bourse";

/// The line that `bourse up` prints on standard output when everything serves.
#[derive(Debug, Deserialize)]
struct Ready {
    ready: bool,
    /// The file that tells other programs where this market is.
    market: PathBuf,
    gateway: String,
    /// The chain's JSON-RPC endpoint.
    rpc: Option<String>,
}

/// A running market. It ends when this is dropped.
pub(super) struct Market {
    up: Group,
    ready: Ready,
    log: PathBuf,
}

impl Market {
    /// Starts a market and waits until it serves.
    pub(super) fn start(context: &Context, state: Option<PathBuf>) -> Result<Self, Error> {
        let folder = context.path(FOLDER);
        let state = match state {
            Some(state) => context.path(state),
            None => afresh(&folder.join("run"))?,
        };
        let log = folder.join("up.log");
        File::create(&log).map_err(Error::file("create", &log))?;
        let errors = append_to(&log)?;
        let mut up = command(context.path(BOURSE), &context.root);
        up.args(["--json", "up", "--home"]).arg(&state).stdout(Stdio::piped()).stderr(errors);
        let mut up = Group::start(&mut up)?;
        let lines = read_lines(up.child.stdout.take(), &log)?;
        match wait_ready(context, &mut up, &lines) {
            Ok(ready) => {
                // What `up` said of its steps belongs to what a person came to see.
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                said.lines().filter(|line| !line.starts_with('{')).for_each(ui::note);
                Ok(Self { up, ready, log })
            }
            Err(error) => {
                show_tail(&log);
                Err(error)
            }
        }
    }

    /// The file that tells other programs where this market is.
    pub(super) fn file(&self) -> &Path {
        &self.ready.market
    }

    pub(super) fn check_alive(&mut self) -> Result<(), Error> {
        match self.up.ended()? {
            None => Ok(()),
            Some(status) => {
                show_tail(&self.log);
                Err(Error::Failed { program: "bourse up".into(), status })
            }
        }
    }

    pub(super) fn stop(&mut self) {
        self.up.stop();
    }

    /// How to go on from here.
    pub(super) fn invitation(&self) -> String {
        let Ready { gateway, rpc, market, .. } = &self.ready;
        let rpc = rpc.as_deref().unwrap_or("see the market file");
        let (market, log) = (market.display(), self.log.display());
        format!(
            "\nThe market keeps serving until Ctrl-C.\n  \
             gateway      {gateway}\n  \
             chain RPC    {rpc}\n  \
             market file  {market}\n  \
             log          {log}\n\
             Submit another job:\n  \
             {BOURSE} --market-file {market} run /bin/busybox -- /busybox uname -a\n"
        )
    }
}

/// Held as long as a run lasts, so that a second one does not take its files away.
pub(super) fn lock(context: &Context) -> Result<File, Error> {
    let folder = context.path(FOLDER);
    std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    lock_file(&folder.join("run.lock"))
}

fn lock_file(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("create", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(path.into())),
        Err(TryLockError::Error(source)) => Err(Error::File { what: "lock", path: path.into(), source }),
    }
}

/// An empty folder in the place of the last run's.
fn afresh(folder: &Path) -> Result<PathBuf, Error> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(Error::file("empty", folder))?;
    }
    std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    Ok(folder.into())
}

/// The child writes its standard error and we its standard output: appending keeps both whole.
fn append_to(log: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.append(true).open(log).map_err(Error::file("open", log))
}

/// Standard output line by line, each also appended to the log, until the child closes it.
fn read_lines(out: Option<ChildStdout>, log: &Path) -> Result<Receiver<String>, Error> {
    let mut copy = append_to(log)?;
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok) {
            // Neither a full disk nor a receiver that has heard enough may block the market.
            let _ = writeln!(copy, "{line}");
            let _ = send.send(line);
        }
    });
    Ok(lines)
}

fn wait_ready(context: &Context, up: &mut Group, lines: &Receiver<String>) -> Result<Ready, Error> {
    let started = Instant::now();
    while started.elapsed() < READY_WITHIN {
        match lines.recv_timeout(LOOK_EVERY) {
            Ok(line) => match serde_json::from_str::<Ready>(&line) {
                Ok(ready) if ready.ready => return Ok(ready),
                _ => ui::note(&line),
            },
            Err(RecvTimeoutError::Timeout) if context.is_interrupted() => {
                return Err(Error::Interrupted);
            }
            Err(RecvTimeoutError::Timeout) => {}
            // It closed its output, so it is about to end.
            Err(RecvTimeoutError::Disconnected) => {
                let status = up.wait(context)?;
                return Err(Error::Failed { program: "bourse up".into(), status });
            }
        }
    }
    Err(Error::TimedOut {
        what: "the market's readiness".into(),
        limit: READY_WITHIN,
        remedy: "its log is above".into(),
    })
}

fn show_tail(log: &Path) {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    ui::note(&format!("the end of {}:", log.display()));
    for line in &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..] {
        ui::note(&format!("  {line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market_said(script: &str) -> Result<Ready, Error> {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        File::create(&log).unwrap();
        let mut shell = command("sh", folder.path());
        let mut up = Group::start(shell.args(["-c", script]).stdout(Stdio::piped())).unwrap();
        let lines = read_lines(up.child.stdout.take(), &log).unwrap();
        wait_ready(&Context::new().unwrap(), &mut up, &lines)
    }

    #[test]
    fn readiness_is_one_line_among_others() {
        let line = r#"{"ready":true,"market":"m.json","gateway":"http://127.0.0.1:1","more":1}"#;
        let ready = market_said(&format!("echo hello; echo '{line}'; exec sleep 60")).unwrap();
        assert_eq!((ready.market, ready.rpc), ("m.json".into(), None));
    }

    #[test]
    fn a_market_that_dies_is_an_error_at_once() {
        let line = r#"{"ready":false,"market":"m.json","gateway":"http://127.0.0.1:1"}"#;
        let error = market_said(&format!("echo '{line}'; exit 7")).unwrap_err();
        assert!(error.to_string().contains("exit status: 7"), "{error}");
    }

    #[test]
    fn two_runs_do_not_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.lock");
        let held = lock_file(&path).unwrap();
        assert!(matches!(lock_file(&path), Err(Error::Busy(_))));
        drop(held);
        assert!(lock_file(&path).is_ok());
    }
}
