//! The steps of a lease, one after the other.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use content::Block;
use wire::record::CompletionRecord;
use wire::{JobNews, document, feed, signed, spec};

use super::state::{Completion, Ending, Phase};
use super::{Flow, Lease, resume};
use crate::egress::Exit;
use crate::engine::State;
use crate::host::{pin_name, wall};
use crate::job::{Folder, fetch, keep, logs, make};
use crate::limits::LOG_DRAIN;
use crate::{AgentError, image};

/// The gateway confirms a feed within this time, or is asked again.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);

impl Lease {
    /// Fetches image and inputs; the spec came with the opening.
    pub(super) async fn fetch(&mut self) -> Result<Flow, AgentError> {
        let record = self.shared.record();
        if record.phase == Phase::Opened {
            self.enter(Phase::Fetching)?;
        }
        self.tell_phase(feed::Phase::Fetching);
        let Some(wanted) = record.spec else { return Err(AgentError::refused("the spec is gone")) };
        let work =
            fetch::image_and_inputs(self.host.clone(), wanted.clone(), self.folder.clone(), self.journal.clone());
        let Some(fetched) = self.unless_stopped(work).await else { return Ok(Flow::On) };
        let bytes = fetched?;
        self.shared.change(|record| record.inputs_bytes = bytes)?;
        for root in std::iter::once(&wanted.image).chain(wanted.inputs.iter().map(|input| &input.cid)) {
            self.host.store.pin(&pin_name(self.id), &spec::cid("image", root)?)?;
        }
        image::keep(&self.host.store, &spec::cid("image", &wanted.image)?)?;
        self.enter(Phase::Preparing)
    }

    /// Loads the image and makes the container.
    pub(super) async fn prepare(&mut self) -> Result<Flow, AgentError> {
        self.tell_phase(feed::Phase::Preparing);
        let record = self.shared.record();
        let Some(wanted) = record.spec.clone() else { return Err(AgentError::refused("the spec is gone")) };
        let (host, folder, id) = (self.host.clone(), self.folder.clone(), self.id);
        let former = resume::named(&record.terms).map(|id| Folder::of_lease(&host.config.state_dir, id).room());
        // Boxed, as it holds the engine's large settings.
        let work = Box::pin(make::container(&host, id, &wanted, &folder, (record.room_limit(), former)));
        let Some(made) = self.unless_stopped(work).await else { return Ok(Flow::On) };
        made?;
        self.facts.engine_away_since = None;
        self.shared.change(|record| record.ready_at = Some(wall()))?;
        self.tell_phase(feed::Phase::Ready);
        self.enter(Phase::Ready)
    }

    /// Does long work, but not for a lease that was stopped meanwhile: then nothing.
    async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let shared = self.shared.clone();
        tokio::select! {
            done = work => Some(done),
            () = shared.stop_asked() => None,
        }
    }

    /// The first tick is paid.
    pub(super) fn begin(&mut self) -> Result<Flow, AgentError> {
        self.enter(Phase::Running)
    }

    /// Starts the program. The mark is on disk before the engine is asked, and the engine itself never starts a
    /// container that has run: it is only asked when the container is new.
    pub(super) async fn run_program(&mut self) -> Result<Flow, AgentError> {
        self.keep_exit();
        if let Some(exit) = &mut self.exit {
            exit.opened().await?;
        }
        self.shared.change(|record| record.program_started = true)?;
        self.find_room().reopen();
        self.tell_phase(feed::Phase::Running);
        match self.host.engine.start(self.id).await {
            Ok(()) => Ok(Flow::On),
            Err(AgentError::Engine { reason, .. }) => {
                let code = match self.host.engine.state(self.id).await? {
                    State::Created { exit_code } | State::Exited { code: exit_code, .. } => Some(exit_code),
                    State::Running => return Ok(Flow::On),
                    State::Missing => None,
                };
                self.shared.change(|record| {
                    (record.ending, record.exit_code) = (Some(Ending::Exited), code);
                    record.detail = Some(format!("the program could not be started: {reason}"));
                })?;
                self.enter(Phase::Stopping)
            }
            Err(error) => Err(error),
        }
    }

    fn keep_exit(&mut self) {
        if self.exit.is_none() {
            self.exit = self.shared.record().spec.and_then(|spec| Exit::keep(&self.host, self.id, &spec));
        }
    }

    /// Follows what the program says, and keeps its way out open.
    pub(super) fn follow_logs(&mut self) {
        self.keep_exit();
        if self.logs.is_none() {
            self.tell_phase(feed::Phase::Running);
            self.logs = Some(tokio::spawn(logs::follow(self.host.clone(), self.id, self.journal.clone())));
        }
    }

    /// The program ended by itself.
    pub(super) async fn note_exit(&mut self) -> Result<Flow, AgentError> {
        let Some(State::Exited { code, out_of_memory, .. }) = self.facts.container.clone() else {
            return Ok(Flow::On);
        };
        self.shared.change(|record| {
            (record.ending, record.exit_code) = (Some(Ending::Exited), Some(code));
            record.detail = match (code, out_of_memory) {
                (0, _) => None,
                (_, true) => Some("the program used more memory than it asked for".into()),
                (code, false) => Some(format!("the program ended with exit code {code}")),
            };
        })?;
        self.enter(Phase::Stopping)
    }

    /// Why it ends is on disk before the program is stopped.
    pub(super) fn end(&mut self, ending: Ending) -> Result<Flow, AgentError> {
        let refusal = self.facts.refusal.clone();
        let ending = if ending == Ending::Refused && self.facts.ours { Ending::Failed } else { ending };
        self.shared.change(|record| {
            record.ending = Some(ending);
            record.detail = refusal.filter(|_| matches!(ending, Ending::Refused | Ending::Failed));
        })?;
        self.enter(Phase::Stopping)
    }

    /// Stops the program, closes the account, and takes the rest of the output.
    pub(super) async fn stop(&mut self) -> Result<Flow, AgentError> {
        self.clock.halt(Instant::now());
        let record = self.shared.record();
        let stopped = self.host.engine.stop_within(self.id, self.grace()).await;
        match stopped {
            // An engine that stayed away is waited for when traces are removed.
            Err(_) if matches!(record.ending, Some(Ending::EngineGone | Ending::Failed)) => {}
            stopped => stopped?,
        }
        self.host.set_alive(self.id, false);
        self.save_served(true).await?;
        let ours = record.ending.is_some_and(Ending::is_ours);
        self.shop.close_account(record.channel, self.id, ours).await?;
        if record.program_started {
            self.follow_logs();
        }
        self.exit = None;
        if let Some(mut logs) = self.logs.take()
            && tokio::time::timeout(LOG_DRAIN, &mut logs).await.is_err()
        {
            logs.abort();
            tracing::warn!(lease = %self.id.short(), "the end of the log did not come");
        }
        self.enter(Phase::Collecting)
    }

    /// Stores outputs and log and signs the record of the end.
    pub(super) async fn collect(&mut self) -> Result<Flow, AgentError> {
        self.tell_phase(feed::Phase::Collecting);
        // Until it is pinned, below.
        let _kept = self.host.store.hold();
        let record = self.shared.record();
        let mut reason = record.reason();
        let keeps = record.spec.as_ref().is_some_and(|spec| spec.outputs) && record.program_started;
        let result = match keeps {
            false => None,
            true => match keep::outputs(&self.host, &self.find_room()).await {
                Ok(root) => Some(root),
                Err(error) => {
                    let before = reason.take().map(|reason| format!("{reason}; ")).unwrap_or_default();
                    reason = Some(format!("{before}the outputs could not be stored: {error}"));
                    None
                }
            },
        };
        let log = keep::log(&self.host, &self.journal).await?;
        let record = CompletionRecord {
            job_id: B256::from(self.id.0),
            exit_code: record.exit_code,
            reason,
            result: result.as_ref().map(ToString::to_string),
            log: Some(log.to_string()),
            simulated: self.host.machine.hardware.simulated,
        };
        let document = document(&record)?;
        let roots = [result, Some(log), Some(document.cid)].into_iter().flatten();
        self.host.store.put_async(vec![Block::verified(document.cid, document.bytes)?]).await?;
        let roots: Vec<_> = roots.collect();
        for root in &roots {
            self.host.store.pin(&pin_name(self.id), root)?;
        }
        let statement = signed::Attest { jobId: B256::from(self.id.0), digest: document.digest };
        let signature = self.host.account.wallet().sign(&self.host.market.domain(), &statement)?;
        let roots = roots.iter().map(ToString::to_string).collect();
        // A container that has ended holds nothing that is not stored; the workspace stays.
        drop(self.host.engine.remove(self.id).await);
        self.shared.change(|kept| {
            kept.completion = Some(Completion { record, signature, roots });
            kept.done_at = Some(wall());
        })?;
        self.enter(Phase::Done)
    }

    /// Hands over result, log, record and the rest of the feed.
    pub(super) async fn deliver(&mut self) -> Result<Flow, AgentError> {
        let Some(completion) = self.shared.record().completion else { return Ok(Flow::Wait) };
        let gateway = self.host.config.gateway.clone();
        let pushed = match &gateway {
            Some(gateway) => keep::push(&self.host, gateway, &completion.roots).await,
            None => Ok(()),
        };
        if !self.journal.kept().ended {
            self.tell(JobNews::JobCompleted { record: completion.record, signature: completion.signature });
            self.tell_phase(feed::Phase::Done);
        }
        pushed?;
        if gateway.is_some() {
            let (feeds, last) = (self.host.feeds.clone(), self.journal.last());
            if tokio::time::timeout(CONFIRM_WITHIN, feeds.confirmed(self.id, last)).await.is_err() {
                return Ok(Flow::Wait);
            }
        }
        self.facts.delivered = true;
        Ok(Flow::On)
    }

    /// Removes everything that was kept. Its money is settled long since.
    pub(super) async fn remove(&mut self) -> Result<Flow, AgentError> {
        self.host.engine.remove(self.id).await?;
        self.host.unpin(self.id)?;
        self.enter(Phase::Removed)?;
        self.host.feeds.remove(self.id);
        let folder = self.folder.clone();
        let removed = tokio::task::spawn_blocking(move || folder.remove());
        removed.await.map_err(|_| AgentError::ShuttingDown)??;
        self.shop.removed(self.id);
        Ok(Flow::Over)
    }
}
