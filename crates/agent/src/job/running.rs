//! The steps while the clock runs: start the program once, watch it, stop it.

use std::sync::Arc;

use chain::{ChainError, MarketRevert};
use market::{JobId, Outcome};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wire::feed;

use super::next::{Fault, Why};
use super::state::{Ended, Verdict};
use super::{Flow, Job, Nudge, Phase, logs};
use crate::backoff::Backoff;
use crate::egress::Exit;
use crate::engine::State;
use crate::host::Host;
use crate::limits::{COLLECT_ON_THE_CLOCK, DISK_WATCH_EVERY, LOG_DRAIN};
use crate::scratch::Room;
use crate::{AgentError, disk};

/// A program that could not be found or could not be executed: the image's fault, known to the engine by these codes.
const NOT_EXECUTABLE: [i64; 2] = [126, 127];
/// Codes from here on mean a signal, or a program that the engine lost sight of.
const SIGNALLED: i64 = 128;

/// The tasks beside a running program; they end with this value.
#[derive(Debug)]
pub(super) struct Watchers {
    logs: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
    /// The way out of a program that may reach some hosts.
    _exit: Option<Exit>,
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.logs.abort();
        self.others.iter().for_each(JoinHandle::abort);
    }
}

impl Job {
    /// Starts the program. The mark is on disk before the engine is asked, and the engine itself never starts a
    /// container that has run: it is only asked when the container is new.
    pub(super) async fn run_program(&mut self) -> Result<Flow, AgentError> {
        let mut exit = self.exit();
        if let Some(exit) = &mut exit {
            exit.opened().await?;
        }
        self.record.program_started = true;
        self.enter_surely(Phase::Running)?;
        self.find_room().reopen();
        self.tell_phase(feed::Phase::Running);
        match self.host.engine.start(self.id).await {
            Ok(()) => {
                self.watch_with(exit);
                Ok(Flow::On)
            }
            Err(AgentError::Engine { reason, .. }) => {
                let code = match self.host.engine.state(self.id).await? {
                    State::Created { exit_code } | State::Exited { code: exit_code, .. } => exit_code,
                    State::Running => return Ok(Flow::On),
                    State::Missing => 0,
                };
                let by_image = NOT_EXECUTABLE.contains(&code);
                Ok(self.ended(Ended {
                    exit_code: by_image.then_some(code),
                    outcome: if by_image { Verdict::Failed } else { Verdict::Aborted },
                    reason: Some(format!("the program could not be started: {reason}")),
                }))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn find_room(&self) -> Room {
        Room::find(&self.folder.room(), self.record.room_limit())
    }

    fn exit(&self) -> Option<Exit> {
        Exit::keep(&self.host, self.id, self.record.spec.as_ref()?)
    }

    /// Follows output, exit and disk of a program that runs, whoever started it, and keeps its way out open.
    pub(super) fn watch(&mut self) {
        if self.watchers.is_none() {
            self.watch_with(self.exit());
        }
    }

    fn watch_with(&mut self, exit: Option<Exit>) {
        if self.watchers.is_some() {
            return;
        }
        self.tell_phase(feed::Phase::Running);
        let logs = tokio::spawn(logs::follow(self.host.clone(), self.id, self.journal.clone()));
        let mut others = vec![tokio::spawn(watch_exit(self.host.clone(), self.id, self.post.clone()))];
        let room = self.find_room();
        if room.is_watched() {
            others.push(tokio::spawn(watch_disk(room, self.post.clone())));
        }
        self.watchers = Some(Watchers { logs, others, _exit: exit });
    }

    /// Waits for the rest of the output; what does not come in time is left.
    async fn drain(&mut self) {
        self.watch();
        if let Some(mut watchers) = self.watchers.take()
            && tokio::time::timeout(LOG_DRAIN, &mut watchers.logs).await.is_err()
        {
            tracing::warn!(job = %self.id.short(), "the end of the log did not come");
        }
    }

    /// The program ended by itself. One that ended badly while the engine was away, or with the machine, did not fail:
    /// this machine did.
    pub(super) async fn note_exit(&mut self) -> Result<Flow, AgentError> {
        let Some(State::Exited { code, out_of_memory, .. }) = self.facts.container.clone() else {
            return Ok(Flow::On);
        };
        self.drain().await;
        let booted = sysinfo::System::boot_time().unwrap_or_default();
        let machine_restarted = self.record.clock_seen_at.is_some_and(|seen| booted > seen);
        let taken_down = code != 0 && (self.facts.engine_was_away || (machine_restarted && code >= SIGNALLED));
        let ended = match (code, out_of_memory, taken_down) {
            (0, ..) => Ended { exit_code: Some(0), outcome: Verdict::Succeeded, reason: None },
            (_, true, _) => failed(Some(code), "the program used more memory than the job asked for"),
            (_, _, true) => aborted("the container engine stopped and took the program with it"),
            (code, ..) => failed(Some(code), &format!("the program ended with exit code {code}")),
        };
        Ok(self.ended(ended))
    }

    /// Stops the program.
    pub(super) async fn stop(&mut self, why: Why) -> Result<Flow, AgentError> {
        let before = self.host.engine.state(self.id).await?;
        if before == State::Running {
            self.host.engine.stop(self.id).await?;
        }
        if matches!(before, State::Running | State::Exited { .. }) {
            self.drain().await;
        }
        // A code that follows from our own signal says nothing.
        let exit_code = if let State::Exited { code, .. } = before { Some(code) } else { None };
        let ended = match why {
            Why::ClockOver => failed(exit_code, "the bought time is over"),
            Why::DiskOver => failed(exit_code, "disk limit: the job wrote more than it asked for"),
            Why::OverOnChain => {
                let reason = match self.facts.chain.map(|state| state.outcome) {
                    Some(Outcome::StoppedByRenter) => "stopped by the renter",
                    Some(Outcome::Silent) => "closed on chain: the provider was not heard",
                    _ => "ended on chain",
                };
                Ended { exit_code, outcome: Verdict::EndedOnChain, reason: Some(reason.into()) }
            }
        };
        Ok(self.ended(ended))
    }

    /// Gives the job up: its renter pays for the seconds that ran and for no more.
    pub(super) async fn abort(&mut self, fault: Fault) -> Result<Flow, AgentError> {
        let reason = match fault {
            Fault::ContainerGone if self.record.program_started => "the container is gone and is never started twice",
            Fault::ContainerGone => "the container was gone before the program could start",
            Fault::EngineGone => "the container engine stopped and did not come back in time",
            Fault::NotPrepared if self.record.program_started => {
                "the chain took the start back for so long that the program was stopped, and then gave it again"
            }
            Fault::NotPrepared => "this machine lost what it had prepared for the job",
        };
        // Where the engine is away, cleaning up waits for it.
        drop(self.host.engine.stop(self.id).await);
        self.watchers = None;
        Ok(self.ended(aborted(reason)))
    }

    /// The chain took the start back and does not give it again: the program ran without a clock. It is killed and the
    /// job refused; where the chain knows no job at all there is nobody to refuse.
    pub(super) async fn undo(&mut self) -> Result<Flow, AgentError> {
        self.host.engine.stop(self.id).await?;
        self.watchers = None;
        self.facts.refusal.get_or_insert("the chain took the start of the clock back".into());
        self.refuse()
    }

    /// Goes on after a report of silence; too late, the job is given up.
    pub(super) async fn resume(&mut self) -> Result<Flow, AgentError> {
        let sent = self.host.account.resume_job(&self.terms).await;
        self.facts.chain_is_stale = true;
        match sent {
            Ok(_) => Ok(Flow::On),
            Err(ChainError::Reverted(MarketRevert::WrongStatus { .. })) => Ok(Flow::Wait),
            Err(ChainError::Reverted(_)) => {
                self.host.engine.stop(self.id).await?;
                self.drain().await;
                Ok(self.ended(aborted("reported silent and heard again too late")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Collects what was earned so far. It is paid at the end anyway, so a failure waits for the next time.
    pub(super) async fn process_payment(&mut self) -> Result<Flow, AgentError> {
        self.facts.paid_at = std::time::Instant::now();
        if let Err(error) = self.host.account.process_payment(&self.terms).await {
            tracing::info!(job = %self.id.short(), %error, "nothing was paid out");
        }
        Ok(Flow::On)
    }

    /// Stops the clock of a program that is over. One try: where the chain will not, storing goes on regardless.
    pub(super) async fn pause(&mut self) -> Result<Flow, AgentError> {
        self.facts.pause_due = false;
        self.facts.chain_is_stale = true;
        if let Err(error) = self.host.account.pause_job(&self.terms).await {
            tracing::info!(job = %self.id.short(), %error, "the clock was not paused");
        }
        Ok(Flow::On)
    }

    fn ended(&mut self, ended: Ended) -> Flow {
        let is_kept = self.record.spec.as_ref().is_some_and(|spec| spec.outputs);
        self.facts.pause_due = is_kept && disk::size(&self.find_room().outputs()) > COLLECT_ON_THE_CLOCK.bytes();
        tracing::info!(job = %self.id.short(), outcome = ?ended.outcome, exit_code = ?ended.exit_code, "the program is over");
        self.record.ended = Some(ended);
        self.enter(Phase::Collecting)
    }
}

fn failed(exit_code: Option<i64>, reason: &str) -> Ended {
    Ended { exit_code, outcome: Verdict::Failed, reason: Some(reason.into()) }
}

fn aborted(reason: &str) -> Ended {
    Ended { exit_code: None, outcome: Verdict::Aborted, reason: Some(reason.into()) }
}

/// Wakes the job when its program ends, and when the engine comes and goes.
async fn watch_exit(host: Arc<Host>, job: JobId, post: mpsc::Sender<Nudge>) {
    let mut backoff = Backoff::default();
    loop {
        let waited = host.engine.wait(job).await;
        if post.send(Nudge::Engine).await.is_err() {
            return;
        }
        if waited.is_ok() && matches!(host.engine.state(job).await, Ok(State::Exited { .. } | State::Missing)) {
            return;
        }
        backoff.wait().await;
    }
}

/// Measures a folder that has no limit of its own.
async fn watch_disk(room: Room, post: mpsc::Sender<Nudge>) {
    let mut ticks = tokio::time::interval(DISK_WATCH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let measured = room.clone();
        if tokio::task::spawn_blocking(move || measured.is_over()).await.unwrap_or_default() {
            drop(post.send(Nudge::DiskOver).await);
            return;
        }
    }
}
