//! The steps after the program: store, settle, deliver, remove.

use std::time::Duration;

use alloy_primitives::B256;
use chain::{ChainError, MarketRevert};
use content::{Block, Cid, RAW};
use market::{Outcome, Status};
use wire::record::CompletionRecord;
use wire::{JobNews, document, feed};

use super::state::{Completion, Ended, Verdict};
use super::{Flow, Job, Phase, keep};
use crate::AgentError;
use crate::host::{pin_name, wall};

/// The gateway confirms a feed within this time, or is asked again.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);

impl Job {
    /// Stores outputs and log and signs the record of the end.
    pub(super) async fn collect(&mut self) -> Result<Flow, AgentError> {
        self.tell_phase(feed::Phase::Collecting);
        // Until it is pinned, below.
        let _kept = self.host.store.hold();
        let mut ended = self.record.ended.clone().unwrap_or(Ended {
            exit_code: None,
            outcome: Verdict::Aborted,
            reason: Some("the agent lost sight of the program".into()),
        });
        let result = match self.store_outputs().await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(job = %self.id.short(), %error, "the outputs could not be stored");
                not_stored(&mut ended, &error);
                None
            }
        };
        let log = match keep::log(&self.host, &self.journal).await {
            Ok(log) => Some(log),
            Err(error) => {
                tracing::error!(job = %self.id.short(), %error, "the log could not be stored");
                None
            }
        };
        let record = CompletionRecord {
            job_id: B256::from(self.id.0),
            exit_code: ended.exit_code,
            reason: ended.reason.clone(),
            result: result.as_ref().map(ToString::to_string),
            log: log.as_ref().map(ToString::to_string),
            simulated: self.host.machine.hardware.simulated,
        };
        let document = document(&record)?;
        let mut roots: Vec<Cid> = result.into_iter().chain(log).collect();
        // The digest of what stood ready is on chain as well: who judges a dispute asks for both.
        let ready = self.record.prepared.as_ref().map(|prepared| wire::document(&prepared.record)).transpose()?;
        for (cid, bytes) in
            ready.map(|ready| (ready.cid, ready.bytes)).into_iter().chain([(document.cid, document.bytes)])
        {
            let block = Block::verified(cid, bytes)?;
            debug_assert_eq!(block.cid().codec(), RAW);
            match self.host.store.put_async(vec![block]).await {
                Ok(_) => roots.push(cid),
                // The records travel in the feed too.
                Err(error) => tracing::error!(job = %self.id.short(), %error, "a record could not be stored"),
            }
        }
        for root in &roots {
            if let Err(error) = self.host.store.pin(&pin_name(self.id), root) {
                tracing::error!(job = %self.id.short(), %error, "the result could not be pinned");
            }
        }
        let signature = self.attest(document.digest)?;
        let roots = roots.iter().map(ToString::to_string).collect();
        self.record.completion = Some(Completion { record, digest: document.digest, signature, roots });
        self.record.ended = Some(ended);
        self.tell_phase(feed::Phase::Settling);
        Ok(self.enter(Phase::Completing))
    }

    async fn store_outputs(&self) -> Result<Option<Cid>, AgentError> {
        if !self.record.spec.as_ref().is_some_and(|spec| spec.outputs) || !self.record.program_started {
            return Ok(None);
        }
        keep::outputs(&self.host, &self.find_room()).await.map(Some)
    }

    /// Reports the end.
    pub(super) async fn complete(&mut self) -> Result<Flow, AgentError> {
        let verdict = self.record.ended.as_ref().map(|ended| ended.outcome);
        let digest = self.record.completion.as_ref().map(|completion| completion.digest).unwrap_or_default();
        // An end on chain that the chain took back is reported as ours: the renter pays no minimum for it.
        let outcome = verdict.and_then(Verdict::outcome).unwrap_or(Outcome::AbortedByProvider);
        let sent = self.host.account.complete_job(&self.terms, outcome, digest).await;
        self.facts.chain_is_stale = true;
        match sent {
            Ok(_) => Ok(Flow::On),
            Err(ChainError::Reverted(MarketRevert::WrongStatus { .. })) => Ok(Flow::Wait),
            Err(ChainError::Reverted(MarketRevert::TooLate(_))) => {
                self.facts.completion_refused = true;
                Ok(Flow::On)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Settles a job that can no longer be completed; anyone may.
    pub(super) async fn close(&mut self) -> Result<Flow, AgentError> {
        let sent = self.host.account.close_job(&self.terms).await;
        self.facts.chain_is_stale = true;
        match sent {
            Ok(_) => Ok(Flow::On),
            Err(ChainError::Reverted(_)) => Ok(Flow::Wait),
            Err(error) => Err(error.into()),
        }
    }

    /// The chain knows the end.
    pub(super) fn settled(&mut self) -> Result<Flow, AgentError> {
        self.record.delivering_since = Some(wall());
        Ok(self.enter(Phase::Delivering))
    }

    /// Hands over result, log, record and the rest of the feed. Content goes first, so that who hears of the end finds
    /// it; but who waits for news is not kept waiting for a gateway that takes none.
    pub(super) async fn deliver(&mut self) -> Result<Flow, AgentError> {
        let pushed = self.push().await;
        if !self.journal.kept().ended {
            if let Some(completion) = &self.record.completion {
                let (record, signature) = (completion.record.clone(), completion.signature);
                self.tell(JobNews::JobCompleted { record, signature });
            } else if let Some(reason) = self.record.refusal.clone() {
                self.tell(JobNews::JobDeclined { reason });
            }
        }
        pushed?;
        if self.host.config.gateway.is_some() {
            let (feeds, last) = (self.host.feeds.clone(), self.journal.last());
            let confirmed = tokio::time::timeout(CONFIRM_WITHIN, feeds.confirmed(self.id, last)).await;
            if confirmed.is_err() {
                return Ok(Flow::Wait);
            }
        }
        self.facts.delivered = true;
        Ok(Flow::On)
    }

    async fn push(&mut self) -> Result<(), AgentError> {
        let (Some(gateway), Some(completion)) = (&self.host.config.gateway, &self.record.completion) else {
            return Ok(());
        };
        if self.facts.pushed {
            return Ok(());
        }
        keep::push(&self.host, gateway, &completion.roots).await?;
        self.facts.pushed = true;
        Ok(())
    }

    /// Removes container, scratch and inputs.
    pub(super) async fn remove_traces(&mut self) -> Result<(), AgentError> {
        self.host.engine.remove(self.id).await?;
        let folder = self.folder.clone();
        let clear = tokio::task::spawn_blocking(move || folder.clear());
        clear.await.map_err(|_| AgentError::ShuttingDown)?
    }

    /// Removes what is left. What the chain does not know is forgotten altogether: should it come back, it is new.
    pub(super) async fn clean_up(&mut self) -> Result<Flow, AgentError> {
        self.watchers = None;
        self.remove_traces().await?;
        let forget = self.facts.chain.is_some_and(|state| state.status == Status::None);
        if forget {
            self.host.unpin(self.id)?;
            self.folder.remove()?;
            self.host.feeds.remove(self.id);
            return Ok(Flow::Over);
        }
        self.tell_phase(feed::Phase::Done);
        self.record.done_at = Some(wall());
        Ok(self.enter(Phase::Done))
    }
}

/// Outputs that could not be stored: a full store is this machine's fault, files that no store takes are the program's.
fn not_stored(ended: &mut Ended, error: &AgentError) {
    let by_program =
        matches!(error, AgentError::Content(content::Error::UnsafePath { .. } | content::Error::TooLarge { .. }));
    if ended.outcome == Verdict::EndedOnChain {
        ended.reason =
            Some(format!("{}; the outputs could not be stored: {error}", ended.reason.clone().unwrap_or_default()));
        return;
    }
    ended.outcome = if by_program { Verdict::Failed } else { Verdict::Aborted };
    ended.reason = Some(format!("the outputs could not be stored: {error}"));
}
