//! One job, from its appearance on chain to the last trace that is removed: looks, asks [`next()`] and carries it out.
//!
//! Every step can be broken off anywhere and done again: what must not happen twice is written down before it is
//! done, and where the record is behind, chain and engine say what happened.

mod before;
pub(crate) mod budget;
mod ending;
pub(crate) mod fetch;
pub(crate) mod keep;
pub(crate) mod logs;
mod look;
pub(crate) mod make;
mod next;
mod running;
mod state;

use std::sync::Arc;
use std::time::Instant;

use market::JobId;
use tokio::sync::mpsc;
use wire::{JobNews, Terms, http::ReadyBody};

pub(crate) use state::{Folder, Phase, Record, remove_tree};

use crate::AgentError;
use crate::backoff::Backoff;
use crate::engine;
use crate::host::Host;
use crate::journal::Journal;
use crate::limits::{ENGINE_AWAY_MAX, LEAVE_WITHIN, TICK};
use next::{Step, next};

/// Something happened that a job should look at.
#[derive(Debug)]
pub(crate) enum Nudge {
    /// The chain says something new.
    Chain,
    /// Somebody says that the controller signed this.
    Ready(ReadyBody),
    /// The acceptance was mined, or was not.
    Accepted(Result<(), chain::ChainError>),
    /// The engine says something new.
    Engine,
    /// The job wrote more than it may.
    DiskOver,
}

/// A job and what is known of it.
#[derive(Debug)]
pub(crate) struct Job {
    host: Arc<Host>,
    id: JobId,
    terms: Terms,
    folder: Folder,
    record: Record,
    journal: Journal,
    mail: mpsc::Receiver<Nudge>,
    post: mpsc::Sender<Nudge>,
    facts: Facts,
    watchers: Option<running::Watchers>,
}

/// What was seen since this process began; all of it can be seen again.
#[derive(Debug)]
struct Facts {
    chain: Option<chain::JobState>,
    /// The chain must be asked again.
    chain_is_stale: bool,
    /// When the question was put whose answer `chain` is.
    asked_chain_at: Instant,
    /// When the start was last sent, whatever came of it.
    start_sent_at: Option<Instant>,
    /// When this process saw the clock begin.
    clock_seen: Option<Instant>,
    container: Option<engine::State>,
    engine_away_since: Option<Instant>,
    /// The engine was away while the program ran.
    engine_was_away: bool,
    accepting: bool,
    refusal: Option<String>,
    undone_since: Option<Instant>,
    disk_over: bool,
    paid_at: Instant,
    completion_refused: bool,
    pause_due: bool,
    delivered: bool,
    /// The first push of the result was tried.
    pushed: bool,
}

/// What the loop does after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Look again.
    On,
    /// Look again when something happened.
    Wait,
    /// Nothing is left to do.
    Over,
}

impl Job {
    /// Takes up a job: a new one, or one that an earlier run of the agent left. `None` when it is served already.
    pub(crate) fn open(host: &Arc<Host>, id: JobId, record: Record) -> Result<Option<Self>, AgentError> {
        let Some((post, mail)) = host.open_mail(id) else { return Ok(None) };
        let opened = Self::open_files(host, id, &record);
        let (folder, terms, journal) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                host.close_mail(id);
                return Err(error);
            }
        };
        host.feeds.add(id, record.terms.clone(), journal.clone());
        let now = Instant::now();
        let facts = Facts {
            chain: None,
            chain_is_stale: true,
            asked_chain_at: now,
            start_sent_at: None,
            clock_seen: None,
            container: None,
            engine_away_since: None,
            engine_was_away: false,
            accepting: false,
            refusal: record.refusal.clone(),
            undone_since: None,
            disk_over: false,
            paid_at: now,
            completion_refused: false,
            pause_due: false,
            delivered: false,
            pushed: false,
        };
        let host = host.clone();
        Ok(Some(Self { host, id, terms, folder, record, journal, mail, post, facts, watchers: None }))
    }

    fn open_files(host: &Host, id: JobId, record: &Record) -> Result<(Folder, Terms, Journal), AgentError> {
        let folder = Folder::of(&host.config.state_dir, id);
        let terms = Terms::try_from(&record.terms)?;
        folder.make()?;
        folder.save(record)?;
        let journal = Journal::open(&folder.journal(), host.feeds.changed.clone())?;
        Ok((folder, terms, journal))
    }

    /// Serves the job until nothing is left to do or the agent shuts down. A running program is left alone then: the
    /// next run of the agent takes it up.
    pub(crate) async fn run(mut self) {
        let shutdown = self.host.shutdown.clone();
        tokio::select! {
            () = self.serve() => {}
            () = shutdown.cancelled() => self.leave().await,
        }
        self.host.close_mail(self.id);
    }

    /// The agent shuts down: what the job does not need any more is removed now, for the next run may be long in coming.
    async fn leave(&mut self) {
        let is_over = match self.record.phase {
            Phase::Completing | Phase::Delivering | Phase::CleaningUp => true,
            // A start that was once sent may still be mined, and then the program is to run.
            Phase::Declining => !self.record.start_sent || self.record.program_started,
            _ => false,
        };
        if !is_over {
            return;
        }
        self.watchers = None;
        match tokio::time::timeout(LEAVE_WITHIN, self.remove_traces()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(job = %self.id.short(), %error, "traces are left to the next run"),
            Err(_) => tracing::warn!(job = %self.id.short(), "traces are left to the next run"),
        }
    }

    async fn serve(&mut self) {
        let mut backoff = Backoff::default();
        loop {
            self.look().await;
            let step = next(self.record.phase, &self.seen());
            tracing::trace!(job = %self.id.short(), phase = ?self.record.phase, ?step, "next");
            match self.carry_out(step).await {
                Ok(Flow::On) => backoff = Backoff::default(),
                Ok(Flow::Wait) => {
                    backoff = Backoff::default();
                    self.listen(TICK).await;
                }
                Ok(Flow::Over) => return,
                Err(error) => {
                    self.stumble(step, &error);
                    self.listen(backoff.next()).await;
                }
            }
        }
    }

    async fn carry_out(&mut self, step: Step) -> Result<Flow, AgentError> {
        match step {
            Step::Wait => Ok(Flow::Wait),
            Step::AskChain => self.ask_chain().await,
            Step::Accept => self.accept(),
            Step::Fetch => self.fetch().await,
            Step::Prepare => self.prepare().await,
            Step::TellReady => self.tell_ready(),
            Step::Agree => self.agree().await,
            Step::Start => self.start().await,
            Step::AskAgain => self.ask_again(),
            Step::Confirm => self.confirm(),
            Step::RunProgram => self.run_program().await,
            Step::Resume => self.resume().await,
            Step::ProcessPayment => self.process_payment().await,
            Step::Stop(why) => self.stop(why).await,
            Step::NoteExit => self.note_exit().await,
            Step::Abort(fault) => self.abort(fault).await,
            Step::Undo => self.undo().await,
            Step::Pause => self.pause().await,
            Step::Collect => self.collect().await,
            Step::Complete => self.complete().await,
            Step::Close => self.close().await,
            Step::Settled => self.settled(),
            Step::Refuse => self.refuse(),
            Step::Decline => self.decline().await,
            Step::Deliver => self.deliver().await,
            Step::Delivered => Ok(self.enter(Phase::CleaningUp)),
            Step::CleanUp => self.clean_up().await,
            Step::Rest => Ok(Flow::Over),
        }
    }

    /// A step failed. Before the clock runs, what cannot come back is a reason to refuse; afterwards everything is
    /// tried again, for the record says what to do.
    fn stumble(&mut self, step: Step, error: &AgentError) {
        tracing::warn!(job = %self.id.short(), ?step, %error, "a step failed");
        self.facts.chain_is_stale = true;
        let early = matches!(self.record.phase, Phase::Assigned | Phase::Fetching | Phase::Preparing | Phase::Ready);
        let engine_lost = self.facts.engine_away_since.is_some_and(|since| since.elapsed() > ENGINE_AWAY_MAX);
        let hopeless = match error {
            AgentError::Chain(_) | AgentError::ShuttingDown => false,
            AgentError::EngineAway { .. } => {
                self.facts.engine_away_since.get_or_insert_with(Instant::now);
                engine_lost
            }
            // Sources were asked again and again within fetching already.
            AgentError::Content(error) => !matches!(error, content::Error::Interrupted),
            _ => true,
        };
        if early && hopeless {
            self.facts.refusal.get_or_insert(error.to_string());
        }
    }

    /// Waits for news, at most `limit`.
    async fn listen(&mut self, limit: std::time::Duration) {
        if let Ok(Some(nudge)) = tokio::time::timeout(limit, self.mail.recv()).await {
            self.take(nudge);
            while let Ok(nudge) = self.mail.try_recv() {
                self.take(nudge);
            }
        }
    }

    /// Does long work, but not for a job that the chain has ended meanwhile: then `None`.
    async fn unless_over<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                Some(nudge) = self.mail.recv() => self.take(nudge),
            }
            if self.facts.chain_is_stale {
                drop(self.ask_chain().await);
            }
            let over = self.facts.chain.is_some_and(|state| state.status.is_over());
            if over || self.facts.refusal.is_some() {
                return None;
            }
        }
    }

    /// Goes over to a phase. A record that cannot be written keeps the job in memory: after a crash the earlier phase
    /// is done again, which every step allows.
    fn enter(&mut self, phase: Phase) -> Flow {
        self.record.phase = phase;
        if let Err(error) = self.folder.save(&self.record) {
            tracing::error!(job = %self.id.short(), %error, "the job's record could not be written");
        }
        tracing::info!(job = %self.id.short(), ?phase, "job");
        Flow::On
    }

    /// Goes over to a phase that must be on disk before anything else happens.
    fn enter_surely(&mut self, phase: Phase) -> Result<Flow, AgentError> {
        let before = std::mem::replace(&mut self.record.phase, phase);
        if let Err(error) = self.folder.save(&self.record) {
            self.record.phase = before;
            return Err(error);
        }
        tracing::info!(job = %self.id.short(), ?phase, "job");
        Ok(Flow::On)
    }

    /// Tells the renter's side. News that cannot be written are lost, not the job.
    fn tell(&self, news: JobNews) {
        if let Err(error) = self.journal.add(news) {
            tracing::error!(job = %self.id.short(), %error, "news could not be written");
        }
    }

    fn tell_phase(&self, phase: wire::feed::Phase) {
        if let Err(error) = self.journal.phase(phase) {
            tracing::error!(job = %self.id.short(), %error, "news could not be written");
        }
    }
}
