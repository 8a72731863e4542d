//! Time sold by the tick: one lease, from its first voucher to the last trace that is removed.
//!
//! Money stands with the channel that pays ([`channel`]), everything else in the lease's own record ([`state`]). Both
//! are written down before anything follows from them, so that an agent that was killed anywhere goes on where it was:
//! containers are adopted, no voucher is lost and none counts twice.

mod account;
mod book;
mod channel;
mod claims;
mod clock;
mod desk;
mod escrow;
mod next;
mod open;
mod refund;
mod resume;
mod shop;
mod state;
mod steps;

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use market::JobId;
use tokio::task::JoinHandle;
use wire::JobNews;
use wire::http::EXPOSURE_TICKS;

pub(crate) use claims::run as look_after;
pub(crate) use desk::answer;
pub(crate) use shop::{Shared, Shop};

use crate::backoff::Backoff;
use crate::egress::Exit;
use crate::engine::State;
use crate::host::{Host, wall};
use crate::job::Folder;
use crate::journal::Journal;
use crate::limits::{
    DELIVER_WITHIN, ENGINE_AWAY_MAX, LEASE_READY_WITHIN, RESULT_KEPT, SERVED_SAVED_EVERY, STOP_GRACE, TICK,
};
use crate::scratch::Room;
use crate::{AgentError, disk};
use clock::Clock;
use next::{Container, Seen, Step, next};
use state::Phase;

/// A lease and what is known of it.
struct Lease {
    host: Arc<Host>,
    shop: Arc<Shop>,
    id: JobId,
    shared: Arc<Shared>,
    folder: Folder,
    journal: Journal,
    clock: Clock,
    facts: Facts,
    logs: Option<JoinHandle<()>>,
    /// The way out of a program that may reach some hosts.
    exit: Option<Exit>,
}

/// What was seen since this process began; all of it can be seen again.
#[derive(Debug, Default)]
struct Facts {
    container: Option<State>,
    engine_away_since: Option<Instant>,
    refusal: Option<String>,
    /// The refusal is this machine's fault.
    ours: bool,
    disk_over: bool,
    delivered: bool,
    /// The account as it was last looked at.
    paid: u64,
    money_leaves: bool,
    /// When the served seconds were last written down.
    saved: Option<Instant>,
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

/// Serves a lease until nothing is left to do or the agent shuts down. A running program is left alone then.
pub(crate) async fn serve(host: Arc<Host>, shop: Arc<Shop>, id: JobId, shared: Arc<Shared>) {
    let mut backoff = Backoff::default();
    let shutdown = host.shutdown.clone();
    loop {
        match Lease::open(&host, &shop, id, shared.clone()).await {
            Ok(mut lease) => {
                tokio::select! {
                    () = lease.run() => {}
                    () = shutdown.cancelled() => {}
                }
                // What ran until now is earned; a killed agent loses these few seconds.
                if let Err(error) = lease.save_served(true).await {
                    tracing::warn!(lease = %id.short(), %error, "the last seconds could not be written down");
                }
                host.set_alive(id, false);
                return;
            }
            Err(error) => tracing::error!(lease = %id, %error, "a lease could not be taken up; trying again"),
        }
        tokio::select! {
            () = backoff.wait() => {}
            () = shutdown.cancelled() => return,
        }
    }
}

impl Lease {
    async fn open(host: &Arc<Host>, shop: &Arc<Shop>, id: JobId, shared: Arc<Shared>) -> Result<Self, AgentError> {
        let folder = Folder::of_lease(&host.config.state_dir, id);
        let journal = Journal::open(&folder.journal(), host.feeds.changed.clone())?;
        let record = shared.record();
        host.feeds.add(id, record.terms, journal.clone());
        let account = shop.account(record.channel, id).await;
        let clock = Clock::at(account.as_ref().map_or(0, |account| account.served));
        let (host, shop) = (host.clone(), shop.clone());
        let facts = Facts::default();
        Ok(Self { host, shop, id, shared, folder, journal, clock, facts, logs: None, exit: None })
    }

    async fn run(&mut self) {
        let mut backoff = Backoff::default();
        loop {
            self.look().await;
            let phase = self.shared.record().phase;
            let step = next(phase, &self.seen());
            tracing::trace!(lease = %self.id.short(), ?phase, ?step, "next");
            match self.carry_out(step).await {
                Ok(Flow::On) => backoff = Backoff::default(),
                Ok(Flow::Wait) => {
                    backoff = Backoff::default();
                    self.shared.woken(TICK).await;
                }
                Ok(Flow::Over) => return,
                Err(error) => {
                    self.stumble(phase, &error);
                    self.shared.woken(backoff.next()).await;
                }
            }
        }
    }

    async fn carry_out(&mut self, step: Step) -> Result<Flow, AgentError> {
        match step {
            Step::Wait => Ok(Flow::Wait),
            Step::Fetch => self.fetch().await,
            Step::Prepare => self.prepare().await,
            Step::Begin => self.begin(),
            Step::RunProgram => self.run_program().await,
            Step::NoteExit => self.note_exit().await,
            Step::End(ending) => self.end(ending),
            Step::Stop => self.stop().await,
            Step::Collect => self.collect().await,
            Step::Deliver => self.deliver().await,
            Step::Remove => self.remove().await,
            Step::Rest => Ok(Flow::Over),
        }
    }

    /// A step failed. Before the clock runs, what cannot come back ends the lease; afterwards everything is tried again.
    fn stumble(&mut self, phase: Phase, error: &AgentError) {
        tracing::warn!(lease = %self.id.short(), ?phase, %error, "a step failed");
        let early = matches!(phase, Phase::Opened | Phase::Fetching | Phase::Preparing | Phase::Ready);
        let engine_lost = self.facts.engine_away_since.is_some_and(|since| since.elapsed() > ENGINE_AWAY_MAX);
        let hopeless = match error {
            AgentError::Chain(_) | AgentError::ShuttingDown => false,
            AgentError::EngineAway { .. } => {
                self.facts.engine_away_since.get_or_insert_with(Instant::now);
                engine_lost
            }
            AgentError::Content(error) => !matches!(error, content::Error::Interrupted),
            _ => true,
        };
        if early && hopeless {
            self.facts.ours =
                !matches!(error, AgentError::Refused { .. } | AgentError::Content(_) | AgentError::Wire(_));
            self.facts.refusal.get_or_insert(error.to_string());
        }
    }

    /// Brings the facts up to date.
    async fn look(&mut self) {
        let record = self.shared.record();
        if record.phase == Phase::Running {
            self.ask_engine().await;
        }
        let runs = record.phase == Phase::Running && self.facts.container == Some(State::Running);
        self.host.set_alive(self.id, runs);
        if runs {
            self.clock.run(Instant::now());
            self.follow_logs();
            let room = self.find_room();
            self.facts.disk_over |=
                room.is_watched() && tokio::task::spawn_blocking(move || room.is_over()).await.unwrap_or_default();
        } else {
            self.clock.halt(Instant::now());
        }
        if let Err(error) = self.save_served(false).await {
            tracing::warn!(lease = %self.id.short(), %error, "the served seconds could not be written down");
        }
        let money = self.shop.money(record.channel, self.id).await;
        (self.facts.paid, self.facts.money_leaves) = (money.paid, money.leaves);
    }

    async fn ask_engine(&mut self) {
        match self.host.engine.state(self.id).await {
            Ok(state) => {
                self.facts.engine_away_since = None;
                self.facts.container = Some(state);
            }
            Err(error) => {
                tracing::warn!(lease = %self.id.short(), %error, "the engine is away while the lease runs");
                self.facts.engine_away_since.get_or_insert_with(Instant::now);
                self.facts.container = None;
            }
        }
    }

    fn seen(&self) -> Seen {
        let (record, facts) = (self.shared.record(), &self.facts);
        let (tick, served) = (u64::from(self.shop.config.tick_s), self.clock.seconds(Instant::now()));
        let since = |at: Option<u64>| Duration::from_secs(wall().saturating_sub(at.unwrap_or(u64::MAX)));
        let unpaid = served.saturating_sub(facts.paid);
        Seen {
            container: match facts.container {
                None => Container::Unknown,
                Some(State::Missing) => Container::Missing,
                Some(State::Created { .. }) => Container::Created,
                Some(State::Running) => Container::Running,
                Some(State::Exited { .. }) => Container::Exited,
            },
            refused: facts.refusal.is_some(),
            stop_asked: record.stop_asked,
            money_leaves: facts.money_leaves,
            paid: facts.paid > served,
            unpaid: clock::must_stop(unpaid, tick, EXPOSURE_TICKS, self.grace()),
            ready_overdue: since(record.ready_at) > LEASE_READY_WITHIN.max(Duration::from_secs(EXPOSURE_TICKS * tick)),
            time_over: served >= u64::from(record.terms.max_duration),
            disk_over: facts.disk_over,
            engine_lost: facts.engine_away_since.is_some_and(|since| since.elapsed() > ENGINE_AWAY_MAX),
            delivered: facts.delivered || since(record.done_at) > DELIVER_WITHIN,
            kept_over: since(record.resumed_at.or(record.done_at)) > RESULT_KEPT,
        }
    }

    /// How long its program has to end by itself.
    fn grace(&self) -> Duration {
        clock::grace(STOP_GRACE, u64::from(self.shop.config.tick_s))
    }

    fn find_room(&self) -> Room {
        Room::find(&self.folder.room(), self.shared.record().room_limit())
    }

    /// Writes down what has run, now and then or at once.
    async fn save_served(&mut self, at_once: bool) -> Result<(), AgentError> {
        let is_due = self.facts.saved.is_none_or(|saved| saved.elapsed() >= SERVED_SAVED_EVERY);
        if !at_once && !is_due {
            return Ok(());
        }
        let served = self.clock.seconds(Instant::now());
        self.facts.saved = Some(Instant::now());
        self.shop.served(self.shared.record().channel, self.id, served).await
    }

    /// Goes over to a phase, which is on disk before anything else happens.
    fn enter(&self, phase: Phase) -> Result<Flow, AgentError> {
        self.shared.change(|record| record.phase = phase)?;
        tracing::info!(lease = %self.id.short(), ?phase, "lease");
        self.shop.tell(self.id);
        Ok(Flow::On)
    }

    /// Tells the payer's side. News that cannot be written are lost, not the lease.
    fn tell(&self, news: JobNews) {
        if let Err(error) = self.journal.add(news) {
            tracing::error!(lease = %self.id.short(), %error, "news could not be written");
        }
    }

    fn tell_phase(&self, phase: wire::feed::Phase) {
        if let Err(error) = self.journal.phase(phase) {
            tracing::error!(lease = %self.id.short(), %error, "news could not be written");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(logs) = self.logs.take() {
            logs.abort();
        }
    }
}

/// A lease's id as the channel's file has it.
fn key(id: JobId) -> B256 {
    B256::from(id.0)
}

/// Removes the record of a lease that never began.
fn forget(folder: &Folder) -> Result<(), AgentError> {
    drop(disk::load::<state::Record>(&state::path(folder)));
    folder.remove()
}
