//! Children that never outlive the task: each in a process group of its own, which Ctrl-C reaches
//! through us, once, and which ends when its owner is dropped.
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::context::Context;
use crate::error::Error;
use crate::ui;

/// How long a child may take to end after it was asked to: it settles jobs and closes databases.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How often a running child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running child and everything that it started.
pub(crate) struct Group {
    pub(crate) child: Child,
    program: String,
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> Result<Self, Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        match command.process_group(0).spawn() {
            Ok(child) => Ok(Self { child, program }),
            Err(source) => Err(Error::Spawn { program, source }),
        }
    }

    /// The exit status, if the child has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        let program = &self.program;
        self.child.try_wait().map_err(|source| Error::Spawn { program: program.clone(), source })
    }

    /// Waits for the end; Ctrl-C stops the child first.
    pub(crate) fn wait(&mut self, context: &Context) -> Result<ExitStatus, Error> {
        loop {
            if let Some(status) = self.ended()? {
                return if context.is_interrupted() { Err(Error::Interrupted) } else { Ok(status) };
            }
            if context.is_interrupted() {
                self.stop();
                return Err(Error::Interrupted);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Asks the child to end, waits, and in the end insists; then ends what it left behind.
    pub(crate) fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::INT);
            self.wait_or_kill();
        }
        self.signal(Signal::TERM);
    }

    fn wait_or_kill(&mut self) {
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() >= STOP_WITHIN {
                let waited = STOP_WITHIN.as_secs();
                let program = &self.program;
                ui::note(&format!("warning: {program} did not end within {waited} s: killed"));
                self.signal(Signal::KILL);
                // It was killed: there is nothing left that its status could tell.
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // A group that has just ended needs no signal.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A command in a folder, with no standard input: nothing here asks questions.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// `cargo` as we were started by it, so that the toolchain is the same.
pub(crate) fn cargo(context: &Context) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), &context.root)
}

/// Runs to the end with our output; any failure is an error.
pub(crate) fn run(context: &Context, command: &mut Command) -> Result<(), Error> {
    let mut group = Group::start(command)?;
    let status = group.wait(context)?;
    if status.success() { Ok(()) } else { Err(Error::Failed { program: shown(command), status }) }
}

/// Runs to the end and gives what it wrote to standard output, or nothing if it failed or is not
/// there.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// The full path of a program, if it is there.
pub(crate) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Daemons stand in folders that are often not on an ordinary user's path.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script whose child holds standard output, drops it, and waits for the output's end,
    /// which comes when the last holder is gone.
    fn check_nothing_is_left(script: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdout(Stdio::piped());
        let mut group = Group::start(&mut shell).unwrap();
        let mut out = std::io::BufReader::new(group.child.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        assert_eq!(line, "started\n");
        let dropped = Instant::now();
        drop(group);
        assert_eq!(std::io::Read::read_to_end(&mut out, &mut Vec::new()).unwrap(), 0);
        // Far less than the child would sleep, far more than a busy machine needs.
        assert!(dropped.elapsed() < Duration::from_secs(30), "somebody held the output");
    }

    #[test]
    fn dropping_a_group_ends_its_grandchildren() {
        check_nothing_is_left("sleep 60 & echo started; wait");
    }

    #[test]
    fn a_child_that_died_leaves_nobody_behind() {
        check_nothing_is_left("sleep 60 & echo started; kill -9 $$");
    }

    #[test]
    fn the_command_is_shown_as_typed() {
        let mut command = Command::new("cargo");
        command.args(["test", "--workspace"]);
        assert_eq!(shown(&command), "cargo test --workspace");
    }
}
