//! What is seen of a job: the chain's word, the engine's word, the controller's word, and the clocks.

use std::time::{Duration, Instant};

use alloy_primitives::{B256, aliases::U40};
use market::{Seconds, Status, Timestamp};
use wire::{WireError, http::ReadyBody, signed};

use super::next::{Container, Go, Seen};
use super::{Flow, Job, Nudge, Phase};
use crate::engine;
use crate::host::wall;
use crate::limits::{CHAIN_QUIET, DELIVER_WITHIN, ENGINE_AWAY_MAX, PAYMENT_EVERY, UNDONE_MAX};
use crate::{AgentError, limits};

/// Events tell of changes at once; should one be lost, this finds it.
const ASK_CHAIN_EVERY: Duration = Duration::from_secs(30);

impl Job {
    /// Brings the facts up to date.
    pub(super) async fn look(&mut self) {
        while let Ok(nudge) = self.mail.try_recv() {
            self.take(nudge);
        }
        let is_old = self.facts.asked_chain_at.elapsed() > ASK_CHAIN_EVERY;
        if self.facts.chain.is_some()
            && (self.facts.chain_is_stale || is_old)
            && let Err(error) = self.ask_chain().await
        {
            // The last word counts until the chain answers again.
            tracing::debug!(job = %self.id.short(), %error, "the chain was not asked");
        }
        if self.record.phase == Phase::Running {
            self.ask_engine().await;
            if self.facts.container == Some(engine::State::Running) {
                self.watch();
            }
        }
        let is_alive = match self.record.phase {
            Phase::Running => self.facts.container == Some(engine::State::Running),
            Phase::Collecting | Phase::Completing => true,
            _ => false,
        };
        self.host.set_alive(self.id, is_alive);
        let is_over =
            matches!(self.record.phase, Phase::Declining | Phase::Delivering | Phase::CleaningUp | Phase::Done);
        self.host.set_busy(self.id, !is_over);
        let is_undone = matches!(self.record.phase, Phase::Running | Phase::Completing)
            && self
                .facts
                .chain
                .is_some_and(|state| matches!(state.status, Status::None | Status::Created | Status::Accepted));
        if is_undone {
            self.facts.undone_since.get_or_insert_with(Instant::now);
        } else {
            self.facts.undone_since = None;
        }
    }

    pub(super) async fn ask_chain(&mut self) -> Result<Flow, AgentError> {
        let asked = Instant::now();
        let state = self.host.market.job(self.id).await?;
        self.facts.asked_chain_at = asked;
        self.facts.chain_is_stale = false;
        if state.status == Status::Accepted {
            self.facts.accepting = false;
            if matches!(self.record.phase, Phase::Assigned | Phase::Fetching | Phase::Preparing) {
                self.tell_accepted();
            }
        }
        self.facts.chain = Some(state);
        Ok(Flow::On)
    }

    async fn ask_engine(&mut self) {
        match self.host.engine.state(self.id).await {
            Ok(state) => {
                self.facts.engine_away_since = None;
                self.facts.engine_was_away &= state != engine::State::Running;
                self.facts.container = Some(state);
            }
            Err(error) => {
                if self.facts.engine_away_since.is_none() {
                    tracing::warn!(job = %self.id.short(), %error, "the engine is away while the job runs");
                }
                self.facts.engine_away_since.get_or_insert_with(Instant::now);
                self.facts.engine_was_away = true;
                self.facts.container = None;
            }
        }
    }

    /// What the state machine sees.
    pub(super) fn seen(&self) -> Seen {
        let facts = &self.facts;
        let passed = |since: Option<Instant>, limit| since.is_some_and(|since| since.elapsed() > limit);
        let told_at = self.record.prepared.as_ref().map_or(u64::MAX, |prepared| prepared.since);
        let waited = Duration::from_secs(wall().saturating_sub(told_at));
        let delivering = Duration::from_secs(wall().saturating_sub(self.record.delivering_since.unwrap_or(u64::MAX)));
        Seen {
            chain: facts.chain.map(|state| state.status),
            container: match facts.container {
                None => Container::Unknown,
                Some(engine::State::Missing) => Container::Missing,
                Some(engine::State::Created { .. }) => Container::Created,
                Some(engine::State::Running) => Container::Running,
                Some(engine::State::Exited { .. }) => Container::Exited,
            },
            accepting: facts.accepting,
            refused: facts.refusal.is_some(),
            is_news: facts.start_sent_at.is_none_or(|sent| facts.asked_chain_at >= sent),
            prepared: self.record.prepared.is_some() && !self.record.program_started,
            go: self.record.go.as_ref().map(|go| {
                let fresh = self.is_fresh(go.at).is_ok();
                if fresh { Go::Fresh } else { Go::Stale }
            }),
            ready_overdue: waited > self.host.config.ready_within,
            ready_told: self.record.prepared.as_ref().is_some_and(|prepared| prepared.since != u64::MAX),
            may_start: self.chain_now() >= Timestamp(self.terms.notBefore.to()),
            clock_over: self.clock_is_over(),
            disk_over: facts.disk_over,
            engine_lost: passed(facts.engine_away_since, ENGINE_AWAY_MAX),
            undone_too_long: passed(facts.undone_since, UNDONE_MAX),
            pause_due: facts.pause_due,
            payment_due: facts.paid_at.elapsed() > PAYMENT_EVERY,
            completion_refused: facts.completion_refused,
            delivered: facts.delivered || delivering > DELIVER_WITHIN,
        }
    }

    /// Chain time now, from the newest block and the time since.
    pub(super) fn chain_now(&self) -> Timestamp {
        self.host.clock.now()
    }

    /// Whether the seconds that were bought are over.
    fn clock_is_over(&self) -> bool {
        let Some(state) = self.facts.chain.filter(|state| state.status.has_clock()) else { return false };
        let bought = Seconds(u64::from(self.terms.maxDuration) + state.extra.0 + state.paused.0);
        let by_chain = self.chain_now().since(state.started_at);
        let by_wall = Seconds(wall().saturating_sub(self.record.clock_seen_at.unwrap_or(u64::MAX)));
        let seen_for = self.facts.clock_seen.map(|seen| seen.elapsed());
        let passed = passed(by_chain, seen_for, by_wall, self.host.clock.quiet());
        state.status == Status::Running && passed >= bought
    }

    /// Whether something signed `at` is about now, by the chain's clock or, where no block came for a while, by this
    /// machine's. The contract has the last word.
    fn is_fresh(&self, at: u64) -> Result<(), WireError> {
        signed::fresh("Ready", at, self.chain_now().0).or_else(|error| {
            let skew = wall().abs_diff(self.chain_now().0);
            // A machine whose clock is ahead must not believe itself where the chain's clock goes.
            if skew > signed::FRESH_S + limits::CLOCK_SKEW_MAX.0 {
                Err(error)
            } else {
                signed::fresh("Ready", at, wall())
            }
        })
    }

    /// Takes news in.
    pub(super) fn take(&mut self, nudge: Nudge) {
        match nudge {
            Nudge::Chain | Nudge::Engine => self.facts.chain_is_stale |= matches!(nudge, Nudge::Chain),
            Nudge::DiskOver => self.facts.disk_over = true,
            Nudge::Accepted(outcome) => self.accepted(outcome),
            // A gateway hands a Ready over again whenever it hears of the job; the first was enough.
            Nudge::Ready(_) if self.record.phase != Phase::Ready => {}
            Nudge::Ready(body) => match self.verify_ready(&body) {
                Ok(()) => self.record.go = Some(body),
                Err(error) => tracing::warn!(job = %self.id.short(), %error, "a Ready was refused"),
            },
        }
    }

    /// Whether the controller (or the renter) agreed to this very readiness record, now.
    fn verify_ready(&self, body: &ReadyBody) -> Result<(), WireError> {
        let wrong = |found: String, expected: String| WireError::Signer { what: "Ready", found, expected };
        let Some(prepared) = &self.record.prepared else {
            return Err(wrong("whoever signs before there is a record".into(), "who was asked".into()));
        };
        if body.ready_record != prepared.digest {
            return Err(wrong(body.ready_record.to_string(), format!("record {}", prepared.digest)));
        }
        self.is_fresh(body.at)?;
        let statement = signed::Ready {
            jobId: B256::from(self.id.0),
            readyRecord: body.ready_record,
            at: U40::saturating_from(body.at),
        };
        match self.host.market.domain().signer(&statement, &body.signature) {
            Some(signer) if signer == self.terms.controller || signer == self.terms.renter => Ok(()),
            other => Err(wrong(
                other.map_or_else(|| "nobody (malformed)".into(), |signer| signer.to_string()),
                format!("controller {} or renter {}", self.terms.controller, self.terms.renter),
            )),
        }
    }
}

/// The seconds since a job's clock began, by whoever can tell: the chain, and a clock of this machine that nobody sets,
/// as long as this process has seen it all. After a restart the chain alone; the machine's own time of day, which may
/// be set, is believed only where no block came for long.
fn passed(by_chain: Seconds, seen_for: Option<Duration>, by_wall: Seconds, quiet: Duration) -> Seconds {
    let by_machine = match seen_for {
        Some(seen_for) => Seconds(seen_for.as_secs()),
        None if quiet > CHAIN_QUIET => by_wall,
        None => Seconds(0),
    };
    by_chain.max(by_machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_machines_clock_ends_no_rental() {
        let (day, quiet, lively) = (Seconds(86_400), CHAIN_QUIET * 2, Duration::ZERO);
        let for_ = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(passed(Seconds(10), for_(11), day, lively), Seconds(11));
        assert_eq!(passed(Seconds(10), for_(11), day, quiet), Seconds(11));
        assert_eq!(passed(Seconds(12), for_(11), Seconds(0), lively), Seconds(12));
        assert_eq!(passed(Seconds(10), None, day, lively), Seconds(10));
        assert_eq!(passed(Seconds(10), None, day, quiet), day, "nobody else can tell");
    }
}
