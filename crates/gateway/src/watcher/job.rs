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
    deadline::{clock_end, close_after},
    next::{Phase, Rules},
};
use crate::{
    GatewayError,
    state::{Shared, now},
};

pub(super) struct Watched {
    pub(super) phase: Phase,
    pub(super) agent: Address,
    terms: Terms,
    /// Block time of the last change of its status.
    since: Timestamp,
    status: Status,
    /// When its bought seconds are over, and when anybody may close it.
    ends: (Timestamp, Timestamp),
    /// When it was closed last, as far as this gateway can.
    closed: Option<Moment>,
    /// The record that was looked at last, and found wrong.
    refused: Option<B256>,
}

impl Watched {
    pub(super) fn new(row: &JobRow, agent: Address) -> Self {
        Self {
            phase: Phase::Waiting { record: None, signed: None },
            agent,
            terms: row.terms.clone(),
            since: row.since,
            status: Status::None,
            ends: (clock_end(row), close_after(row)),
            closed: None,
            refused: None,
        }
    }

    /// As the index has it at `now`. A clock that begins to run, or runs again, is counted from this moment.
    pub(super) fn is_now(&mut self, row: &JobRow, agent: Address, now: Moment) {
        // An extension moves these, and is no change of status.
        self.ends = (clock_end(row), close_after(row));
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
        (self.status, self.since, self.closed) = (row.status, row.since, None);
    }

    pub(super) fn is_counted(&self) -> bool {
        matches!(self.phase, Phase::Counting { .. })
    }

    pub(super) fn rules(&self, heartbeat: Duration, hearing: bool) -> Rules {
        let (clock_end, close_after) = self.ends;
        let not_before = Timestamp(self.terms.notBefore.to());
        Rules { heartbeat, hearing, not_before, clock_end, close_after, closed: self.closed }
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

    pub(super) fn closed(&mut self, now: Moment) {
        self.closed = Some(now);
    }

    /// What an act on chain is decided by.
    pub(super) fn seen(&self) -> Seen {
        Seen { terms: self.terms.clone(), status: self.status, since: self.since }
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

/// A job as it was when something was decided about it. Nothing is sent once the chain has gone on, so it does no harm to
/// try again, whatever became of the try before.
pub(super) struct Seen {
    terms: Terms,
    status: Status,
    since: Timestamp,
}

impl Seen {
    /// Reports the silence that began after `last_seen`.
    pub(super) async fn report(
        &self,
        account: &Account,
        job: JobId,
        last_seen: Timestamp,
    ) -> Result<Option<Mined>, ChainError> {
        match self.is_still(account, job).await? {
            true => account.report_silence(&self.terms, last_seen).await.map(Some),
            false => Ok(None),
        }
    }

    /// Moves the job on as anybody may past its deadline: closes it, so that what is left goes back to its renter; pays
    /// its tail; or settles a dispute that nobody decided.
    pub(super) async fn close(&self, account: &Account, job: JobId) -> Result<Option<Mined>, ChainError> {
        match self.is_still(account, job).await? {
            true => match self.status {
                Status::Ended => account.finalize(std::slice::from_ref(&self.terms)).await.map(Some),
                Status::Disputed => account.settle_dispute(&self.terms).await.map(Some),
                _ => account.close_job(&self.terms).await.map(Some),
            },
            false => Ok(None),
        }
    }

    async fn is_still(&self, account: &Account, job: JobId) -> Result<bool, ChainError> {
        let state = account.market().job(job).await?;
        Ok((state.status, state.since) == (self.status, self.since))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{super::deadline::tests::row, *};

    #[test]
    fn what_one_agent_said_does_not_bind_the_next() {
        let (first, second) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let now = Moment { block: Timestamp(2000), real: Instant::now() };
        let accepted = row(Status::Accepted, 0);
        let mut job = Watched::new(&accepted, first);
        job.is_now(&accepted, first, now);
        let agreed = Phase::Waiting { record: Some(B256::ZERO), signed: None };
        job.phase = agreed;
        job.is_now(&accepted, first, now);
        assert_eq!(job.phase, agreed);
        job.is_now(&accepted, second, now);
        assert_eq!(job.phase, Phase::Waiting { record: None, signed: None });
        // A start that the chain takes back leads to waiting again, and one that it takes anew to counting.
        for status in [Status::Running, Status::Accepted, Status::Running, Status::Silent, Status::Running] {
            job.is_now(&row(status, 0), second, now);
            let phase = match status {
                Status::Running => Phase::Counting { heard: now, reported: None },
                Status::Silent => Phase::Standing,
                _ => Phase::Waiting { record: None, signed: None },
            };
            assert_eq!(job.phase, phase, "{status:?}");
        }
    }
}
