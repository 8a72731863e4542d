//! One job that is watched over: what is known of it, and what is done about it.

use std::time::Duration;

use alloy_primitives::{Address, B256, aliases::U40};
use chain::{Account, ChainError, Mined};
use market::{Hardware, JobId, ResourceId, Status, Timestamp};
use store::JobRow;
use wire::{
    Document, JobSpec, SignatureBytes, Terms, document, http::ReadyBody, link::FromGateway, record::ReadyRecord,
    signed::Ready,
};

use super::{
    Moment,
    next::{Phase, Rules},
};
use crate::{
    GatewayError,
    state::{Shared, now},
};

pub(super) struct Watched {
    pub(super) terms: Terms,
    pub(super) phase: Phase,
    /// Block time of the last change of its status.
    pub(super) since: Timestamp,
    agent: Address,
    status: Status,
    /// The record that was looked at last, and found wrong.
    refused: Option<B256>,
}

impl Watched {
    pub(super) fn new(row: &JobRow, agent: Address) -> Self {
        Self {
            terms: row.terms.clone(),
            phase: Phase::Waiting { record: None, signed: None },
            since: row.since,
            agent,
            status: Status::None,
            refused: None,
        }
    }

    /// As the index has it at `now`. A clock that begins to run, or runs again, is counted from this moment.
    pub(super) fn is_now(&mut self, row: &JobRow, agent: Address, now: Moment) {
        if agent != self.agent {
            // What the one before said does not bind the new one.
            (self.agent, self.refused) = (agent, None);
            self.phase = Phase::Waiting { record: None, signed: None };
            self.status = Status::None;
        }
        if (row.status, row.since) == (self.status, self.since) {
            return;
        }
        self.phase = match (row.status, self.phase) {
            (Status::Created | Status::Accepted, waiting @ Phase::Waiting { .. }) => waiting,
            (Status::Created | Status::Accepted, _) => Phase::Waiting { record: None, signed: None },
            (Status::Running, _) => Phase::Counting { heard: now, reported: None },
            _ => Phase::Standing,
        };
        (self.status, self.since) = (row.status, row.since);
    }

    pub(super) fn is_counted(&self) -> bool {
        matches!(self.phase, Phase::Counting { .. })
    }

    pub(super) fn rules(&self, heartbeat: Duration, hearing: bool) -> Rules {
        Rules { heartbeat, hearing, not_before: Timestamp(self.terms.notBefore.to()) }
    }

    /// Nothing before `now` could be heard.
    pub(super) fn begin_anew(&mut self, now: Moment) {
        if let Phase::Counting { heard, .. } = &mut self.phase {
            *heard = now;
        }
    }

    /// The newest beat came then. A beat ends a silence: the next one is another.
    pub(super) fn hear(&mut self, at: Option<Moment>) {
        if let (Phase::Counting { heard, reported }, Some(at)) = (&mut self.phase, at)
            && at.real > heard.real
        {
            (*heard, *reported) = (at, None);
        }
    }

    pub(super) fn reported(&mut self, now: Moment) {
        if let Phase::Counting { reported, .. } = &mut self.phase {
            *reported = Some(now);
        }
    }

    /// Looks at the last record that the job's agent sent, once for each that can be judged.
    pub(super) async fn check_record(&mut self, shared: &Shared, job: JobId, own: Address) {
        let Phase::Waiting { record: agreed, .. } = self.phase else {
            return;
        };
        let Some((teller, (record, signature))) = shared.watch.ready(job) else {
            return;
        };
        let Ok(Document { digest, .. }) = document(&record) else {
            return;
        };
        if teller != self.agent
            || self.terms.controller != own
            || agreed == Some(digest)
            || self.refused == Some(digest)
        {
            return;
        }
        match self.is_right(shared, job, &record, &signature).await {
            Ok(Ok(())) => self.phase = Phase::Waiting { record: Some(digest), signed: None },
            Ok(Err(reason)) => {
                tracing::warn!(%job, reason, "a readiness record is not what was ordered; its clock is not let start");
                self.refused = Some(digest);
                self.phase = Phase::Waiting { record: None, signed: None };
            }
            // It is looked at again.
            Err(error) => tracing::debug!(%job, %error, "a readiness record cannot be judged yet"),
        }
    }

    /// Whether the record is signed by the job's agent, and is what the spec and the listing say; an error when that cannot
    /// be known now.
    async fn is_right(
        &self,
        shared: &Shared,
        job: JobId,
        record: &ReadyRecord,
        signature: &SignatureBytes,
    ) -> Result<Result<(), String>, GatewayError> {
        if let Err(error) = record.attested(&shared.market.domain(), job, self.agent, signature) {
            return Ok(Err(error.to_string()));
        }
        let resource = ResourceId(self.terms.resourceId.0);
        let Some(listing) = shared.store.resource(resource).await? else {
            return Err(GatewayError::NotFound { what: format!("resource {resource} is not indexed yet") });
        };
        let cid = Document::cid_of(self.terms.specDigest)?;
        let bytes = shared
            .blocks
            .get_async(cid)
            .await
            .map_err(|error| GatewayError::NotFound { what: format!("the spec cannot be read: {error}") })?;
        let Some(bytes) = bytes else {
            return Err(GatewayError::NotFound { what: format!("the spec {cid} was not uploaded here") });
        };
        let spec = match JobSpec::parse(&bytes) {
            Ok(spec) => spec,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let judged = record.check(job, &spec, listing.hardware.simulated).map_err(|error| error.to_string());
        Ok(judged.and_then(|()| within(&(&record.hardware).into(), &listing.hardware)))
    }

    /// Lets the clock start: the agent is told now, or on its return.
    pub(super) fn sign(&mut self, shared: &Shared, job: JobId, account: &Account, record: B256, at: Moment) {
        let ready = Ready { jobId: B256::from(job.0), readyRecord: record, at: U40::saturating_from(at.block.0) };
        let signature = match account.wallet().sign(&shared.market.domain(), &ready) {
            Ok(signature) => signature,
            Err(error) => {
                tracing::warn!(%job, %error, "the watcher cannot sign");
                return;
            }
        };
        let body = ReadyBody { ready_record: record, at: at.block.0, signature };
        let link = shared.feeds.keep_ready(job, body.clone(), now());
        let told =
            link.is_some_and(|link| shared.links.send(link, FromGateway::Ready { job: B256::from(job.0), body }));
        tracing::info!(%job, told, "the watcher lets a clock start");
        self.phase = Phase::Waiting { record: Some(record), signed: Some(at) };
    }
}

/// Nothing is granted that the listing does not have: whoever has more has another machine.
fn within(granted: &Hardware, listed: &Hardware) -> Result<(), String> {
    let fits = granted.model == listed.model
        && granted.simulated == listed.simulated
        && granted.gpus <= listed.gpus
        && granted.vram <= listed.vram
        && granted.cpus <= listed.cpus
        && granted.memory <= listed.memory
        && granted.disk <= listed.disk;
    if fits { Ok(()) } else { Err("the hardware is not that of the listing".into()) }
}

/// Reports the silence that began after `last_seen`, unless the chain has gone on meanwhile: then nothing. So it does no
/// harm to try again, whatever became of the try before.
pub(super) async fn report(
    account: &Account,
    job: JobId,
    terms: &Terms,
    since: Timestamp,
    last_seen: Timestamp,
) -> Result<Option<Mined>, ChainError> {
    let state = account.market().job(job).await?;
    if state.status != Status::Running || state.since != since {
        return Ok(None);
    }
    account.report_silence(terms, last_seen).await.map(Some)
}
