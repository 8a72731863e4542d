//! The steps before the clock runs: accept, fetch, prepare, agree, start.

use std::time::Instant;

use alloy_primitives::B256;
use chain::{ChainError, MarketRevert};
use wire::{JobNews, document, feed, signed, spec};

use super::state::Prepared;
use super::{Flow, Job, Nudge, Phase, budget, fetch, make};
use crate::engine::State;
use crate::host::{pin_name, wall};
use crate::limits::{DOUBT_WAIT, REASON_BYTES_MAX};
use crate::{AgentError, image};

impl Job {
    /// Sends the acceptance and goes on without it: fetching needs no lock.
    pub(super) fn accept(&mut self) -> Result<Flow, AgentError> {
        // A job whose end could not be written down is better not begun.
        if let Err(full) = budget::store_left(&self.host) {
            self.facts.refusal.get_or_insert(full.to_string());
            return Ok(Flow::On);
        }
        if self.host.is_leased() {
            self.facts.refusal.get_or_insert("the machine is let by the tick now; order again later".into());
            return Ok(Flow::On);
        }
        self.facts.accepting = true;
        let (account, terms, post) = (self.host.account.clone(), self.terms.clone(), self.post.clone());
        tokio::spawn(async move {
            let outcome = account.accept_job(&terms).await.map(drop);
            if outcome.as_ref().is_err_and(|error| error.revert().is_none()) {
                tokio::time::sleep(DOUBT_WAIT).await;
            }
            // A job that is gone meanwhile needs no answer.
            drop(post.send(Nudge::Accepted(outcome)).await);
        });
        Ok(Flow::On)
    }

    pub(super) fn accepted(&mut self, outcome: Result<(), ChainError>) {
        self.facts.chain_is_stale = true;
        match outcome {
            Ok(()) => self.tell_accepted(),
            // It was accepted by an earlier transaction of ours, or is over: the chain says which.
            Err(ChainError::Reverted(MarketRevert::WrongStatus { .. })) => self.facts.accepting = false,
            Err(ChainError::Reverted(revert)) => {
                self.facts.accepting = false;
                self.facts.refusal.get_or_insert(format!("cannot be accepted: {revert}"));
            }
            Err(error) => {
                tracing::warn!(job = %self.id.short(), %error, "the acceptance is in doubt");
                self.facts.accepting = false;
            }
        }
    }

    pub(super) fn tell_accepted(&self) {
        if self.journal.kept().phase.is_none() {
            self.tell_phase(feed::Phase::Accepted);
        }
    }

    /// Fetches and checks spec, image and inputs.
    pub(super) async fn fetch(&mut self) -> Result<Flow, AgentError> {
        if self.record.phase == Phase::Assigned {
            self.enter(Phase::Fetching);
        }
        let (host, terms) = (self.host.clone(), self.terms.clone());
        if self.record.spec.is_none() {
            let Some(spec) = self.unless_over(fetch::job_spec(&host, &terms)).await else { return Ok(Flow::On) };
            self.record.spec = Some(spec?);
        }
        let Some(spec) = self.record.spec.clone() else { return Ok(Flow::On) };
        let (folder, journal) = (self.folder.clone(), self.journal.clone());
        let work = fetch::image_and_inputs(host, spec.clone(), folder, journal);
        let Some(fetched) = self.unless_over(work).await else { return Ok(Flow::On) };
        self.record.inputs_bytes = fetched?;
        for root in std::iter::once(&spec.image).chain(spec.inputs.iter().map(|input| &input.cid)) {
            self.host.store.pin(&pin_name(self.id), &spec::cid("image", root)?)?;
        }
        image::keep(&self.host.store, &spec::cid("image", &spec.image)?)?;
        Ok(self.enter(Phase::Preparing))
    }

    /// Loads the image, makes the container and signs what stands ready.
    pub(super) async fn prepare(&mut self) -> Result<Flow, AgentError> {
        let Some(prepared) = self.prepare_container().await? else { return Ok(Flow::On) };
        self.facts.engine_away_since = None;
        self.record.prepared = Some(prepared);
        Ok(self.enter(Phase::Ready))
    }

    async fn prepare_container(&mut self) -> Result<Option<Prepared>, AgentError> {
        let Some(spec) = self.record.spec.clone() else { return Err(AgentError::refused("the spec is gone")) };
        self.tell_phase(feed::Phase::Preparing);
        let (host, folder, id) = (self.host.clone(), self.folder.clone(), self.id);
        let limit = self.record.room_limit();
        // Boxed, as it holds the engine's large settings.
        let work = Box::pin(make::container(&host, id, &spec, &folder, (limit, None)));
        let Some(done) = self.unless_over(work).await else { return Ok(None) };
        let record = make::record(&self.host, self.id, &spec, done?);
        let digest = document(&record)?.digest;
        let signature = self.attest(digest)?;
        Ok(Some(Prepared { record, digest, signature, since: u64::MAX }))
    }

    /// The agent's word for a document of this job.
    pub(super) fn attest(&self, digest: B256) -> Result<wire::SignatureBytes, AgentError> {
        let statement = signed::Attest { jobId: B256::from(self.id.0), digest };
        Ok(self.host.account.wallet().sign(&self.host.market.domain(), &statement)?)
    }

    /// Tells the controller that everything stands.
    pub(super) fn tell_ready(&mut self) -> Result<Flow, AgentError> {
        let Some(prepared) = &mut self.record.prepared else { return Ok(self.enter(Phase::Preparing)) };
        prepared.since = wall();
        let news = JobNews::JobReady { record: prepared.record.clone(), signature: prepared.signature };
        self.tell_phase(feed::Phase::Ready);
        self.tell(news);
        Ok(self.enter(Phase::Ready))
    }

    /// The controller agreed: what it agreed to must still be there.
    pub(super) async fn agree(&mut self) -> Result<Flow, AgentError> {
        match self.host.engine.state(self.id).await? {
            State::Created { .. } => {
                self.record.start_sent = true;
                self.enter_surely(Phase::Starting)
            }
            _ => {
                self.record.go = None;
                Ok(self.enter(Phase::Preparing))
            }
        }
    }

    /// Sends the start; also again, after the chain lost it.
    pub(super) async fn start(&mut self) -> Result<Flow, AgentError> {
        let Some(go) = self.record.go.clone() else { return Ok(Flow::Wait) };
        let sent = self.host.account.start_job(&self.terms, go.ready_record, go.at, &go.signature).await;
        self.facts.start_sent_at = Some(Instant::now());
        self.facts.chain_is_stale = true;
        let is_running = self.record.phase != Phase::Starting;
        match sent {
            Ok(mined) => {
                self.host.clock.saw(mined.timestamp);
                Ok(Flow::On)
            }
            // While a lost start is waited for, the container runs on and only time decides.
            Err(ChainError::Reverted(_)) if is_running => Ok(Flow::Wait),
            Err(ChainError::Reverted(MarketRevert::WrongStatus { .. } | MarketRevert::TooEarly(_))) => Ok(Flow::Wait),
            Err(ChainError::Reverted(MarketRevert::ReadyExpired(_) | MarketRevert::BadSignature(_))) => {
                // Another is asked for as soon as the chain says that no earlier start was mined.
                self.record.go = None;
                Ok(Flow::On)
            }
            Err(ChainError::Reverted(revert)) => {
                self.facts.refusal.get_or_insert(format!("cannot be started: {revert}"));
                Ok(Flow::On)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The signature is too old: the same record is told again, for another.
    pub(super) fn ask_again(&mut self) -> Result<Flow, AgentError> {
        self.record.go = None;
        if let Some(prepared) = &self.record.prepared {
            self.tell(JobNews::JobReady { record: prepared.record.clone(), signature: prepared.signature });
        }
        Ok(self.enter(Phase::Ready))
    }

    /// The clock runs on chain.
    pub(super) fn confirm(&mut self) -> Result<Flow, AgentError> {
        self.record.clock_seen_at = Some(wall());
        self.facts.clock_seen = Some(Instant::now());
        // What was found against the job before is no longer ours to say.
        self.facts.refusal = None;
        self.record.refusal = None;
        self.enter_surely(Phase::Running)
    }

    /// Goes over to refusing.
    pub(super) fn refuse(&mut self) -> Result<Flow, AgentError> {
        let reason = self.facts.refusal.clone().unwrap_or_else(|| "no Ready came in time".into());
        self.record.refusal = Some(short(&reason).to_owned());
        Ok(self.enter(Phase::Declining))
    }

    /// Sends the refusal: the renter gets everything back.
    pub(super) async fn decline(&mut self) -> Result<Flow, AgentError> {
        let reason = self.record.refusal.clone().unwrap_or_default();
        let sent = self.host.account.decline_job(&self.terms, &reason).await;
        self.facts.chain_is_stale = true;
        match sent {
            Ok(_) => Ok(Flow::On),
            Err(ChainError::Reverted(MarketRevert::WrongStatus { .. })) => Ok(Flow::Wait),
            Err(error) => Err(error.into()),
        }
    }
}

/// A reason as it may stand on chain.
fn short(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(short("no"), "no");
        let cut = short(&"é".repeat(REASON_BYTES_MAX)).to_owned();
        assert!(cut.len() <= REASON_BYTES_MAX && cut.chars().all(|letter| letter == 'é'));
        assert!(short(&format!("x{}", "é".repeat(REASON_BYTES_MAX))).len() < REASON_BYTES_MAX);
    }
}
