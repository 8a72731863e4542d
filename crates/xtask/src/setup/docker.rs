//! A container engine: found, started, or installed from Debian where we are root.
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{apt, say};
use crate::context::{Context, is_root};
use crate::error::Error;
use crate::process::find_program;

const SOCKET: &str = "/var/run/docker.sock";
/// An idle engine answers a ping in milliseconds; a stuck one must not hang the set-up.
const PING_WITHIN: Duration = Duration::from_secs(2);
/// A cold start on a slow disk takes about ten seconds.
const START_WITHIN: Duration = Duration::from_secs(60);
/// The first pause between two pings; each is twice the one before, up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_LAST: Duration = Duration::from_secs(1);
/// The engine, and what builds and copies images in tests without a daemon.
const PACKAGES: [&str; 5] = ["docker.io", "runc", "containerd", "busybox-static", "skopeo"];
/// Kernels and sandboxes differ in what they permit: from everything to the least that works.
const STARTS: [&[&str]; 3] = [&[], &["--iptables=false"], &["--iptables=false", "--storage-driver=vfs"]];
/// What the daemon says when another one is already there or starting.
const ALREADY_RUNNING: [&str; 2] = ["pid file found", "is still running"];

/// Whether an engine answers on its socket.
pub(crate) fn answers() -> bool {
    ping(&socket()).unwrap_or(false)
}

/// Makes sure that an engine answers.
pub(super) fn ensure(context: &Context) -> Result<(), Error> {
    if answers() {
        return Ok(());
    }
    if !is_root() {
        return Err(Error::Missing {
            what: "a container engine".into(),
            remedy: "install and start Docker (Debian: `sudo apt-get install docker.io`), and add \
                     yourself to the group `docker`"
                .into(),
        });
    }
    if find_program("dockerd").is_none() {
        let packages = PACKAGES.join(" ");
        say(&format!("apt-get install {packages}"), "jobs run in containers");
        apt::install(context, &PACKAGES)?;
    }
    start(context)
}

/// The shell example runs on Debian's busybox.
pub(super) fn ensure_busybox(context: &Context) -> Result<(), Error> {
    if Path::new("/bin/busybox").exists() {
        return Ok(());
    }
    if !is_root() {
        return Err(Error::Missing {
            what: "/bin/busybox".into(),
            remedy: "run `sudo apt-get install busybox-static`".into(),
        });
    }
    say("apt-get install busybox-static", "the shell example runs on it");
    apt::install(context, &["busybox-static"])
}

/// Starts the daemon detached: it serves on after this program has ended.
fn start(context: &Context) -> Result<(), Error> {
    let log = context.path("target/dockerd.log");
    for flags in STARTS {
        let why = if flags.is_empty() { "no container engine answers" } else { "the start before failed" };
        say([&["starting dockerd"], flags].concat().join(" ").as_str(), why);
        let mut daemon = spawn(flags, &log)?;
        if wait(context, &mut daemon, &log)? {
            return Ok(());
        }
    }
    Err(Error::Missing {
        what: "a container engine that starts here".into(),
        remedy: format!("read why in {}", log.display()),
    })
}

/// `setsid` takes it out of our session, so that neither Ctrl-C nor a closed terminal reaches it.
fn spawn(flags: &[&str], log: &Path) -> Result<Child, Error> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    let out = File::create(log).map_err(Error::file("create", log))?;
    let err = out.try_clone().map_err(Error::file("open", log))?;
    let program = find_program("dockerd").unwrap_or_else(|| "dockerd".into());
    let mut command = Command::new("setsid");
    command.arg(program).args(flags).current_dir("/");
    command.stdin(std::process::Stdio::null()).stdout(out).stderr(err);
    command.spawn().map_err(|source| Error::Spawn { program: "dockerd".into(), source })
}

/// Waits until the engine answers; false if this daemon ended first.
fn wait(context: &Context, daemon: &mut Child, log: &Path) -> Result<bool, Error> {
    let (started, mut pause) = (Instant::now(), PAUSE_FIRST);
    let mut ended = false;
    while started.elapsed() < START_WITHIN {
        if answers() {
            return Ok(true);
        }
        if context.is_interrupted() {
            return Err(Error::Interrupted);
        }
        if !ended && matches!(daemon.try_wait(), Ok(Some(_))) {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            if !ALREADY_RUNNING.iter().any(|words| said.contains(words)) {
                return Ok(false);
            }
            // Somebody else's daemon is on its way up: wait for that one.
            ended = true;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_LAST);
    }
    Err(Error::TimedOut {
        what: "an answer of dockerd".into(),
        limit: START_WITHIN,
        remedy: format!("read why in {}", log.display()),
    })
}

fn socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    PathBuf::from(host.strip_prefix("unix://").unwrap_or(SOCKET))
}

/// One HTTP/1.0 request by hand: a client library would be a lot of dependency for one ping.
fn ping(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PING_WITHIN))?;
    stream.set_write_timeout(Some(PING_WITHIN))?;
    stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status.starts_with(b"HTTP/1.") && status.ends_with(b" 200"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn check(answer: &'static [u8], expected: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let engine = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut request = [0; 64];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer).unwrap();
            request[..length].to_vec()
        });
        assert_eq!(ping(&path).unwrap_or(false), expected);
        assert!(engine.join().unwrap().starts_with(b"GET /_ping HTTP/1.0\r\n"));
    }

    #[test]
    fn only_a_good_answer_counts() {
        check(b"HTTP/1.0 200 OK\r\n\r\nOK", true);
        check(b"HTTP/1.0 500 Internal Server Error\r\n\r\n", false);
        check(b"", false);
        assert!(ping(Path::new("/nonexistent/docker.sock")).is_err());
    }
}
