//! Jobs, and what they do to their resource and provider.

use alloy_primitives::{Address, B256};
use chain::MarketEvent;
use market::{Amount, BasisPoints, JobId, Outcome, Seconds, Status};
use store::{BlockRef, JobRow, ProviderRow, ResourceRow, Row};
use wire::Terms;

use super::Drawn;
use crate::{Contradiction, Rows};

/// Before the clock runs.
const WAITING: &[Status] = &[Status::Created, Status::Accepted];
/// While there is a clock.
const STARTED: &[Status] = &[Status::Running, Status::Paused, Status::Silent];
/// While the clock stands for a while.
const STANDING: &[Status] = &[Status::Paused, Status::Silent];

/// Money is locked for a new job.
pub(super) fn created(
    before: &Rows,
    block: BlockRef,
    log_index: u64,
    id: JobId,
    fee_bps: BasisPoints,
    terms: &Terms,
) -> Result<Drawn, Contradiction> {
    if before.job(id).is_ok() {
        return Err(Contradiction::JobExists(id));
    }
    let resource = before.resource(terms.resource())?;
    let job = JobRow {
        id,
        terms: terms.clone(),
        provider: resource.provider,
        fee_bps,
        status: Status::Created,
        outcome: Outcome::None,
        since: block.at,
        created: (block.number, log_index),
        created_at: block.at,
        accepted_at: None,
        started_at: None,
        ended_at: None,
        ready_record: None,
        locked: terms.stream(Seconds(0), fee_bps).locked(),
        extra: Seconds(0),
        paused: Seconds(0),
        paid_seconds: Seconds(0),
        paid: Amount::ZERO,
        seconds_run: None,
        refunded: Amount::ZERO,
        fee: None,
        result_digest: None,
        ended_by: None,
        reason: None,
        changed: block.number,
    };
    let drawn = about(&job);
    Ok(Drawn { who: Some(terms.renter), rows: vec![Row::Job(job)], ..drawn })
}

/// An existing job went on.
pub(super) fn went_on(before: &Rows, block: BlockRef, event: &MarketEvent) -> Result<Drawn, Contradiction> {
    use MarketEvent as E;
    let id = event.job().ok_or(Contradiction::UnknownEvent)?;
    let mut scene = Scene::of(before, block, id)?;
    let agent = scene.provider.agent;
    let renter = scene.job.terms.renter;
    let mut earned = None;
    let who = match event {
        E::JobAccepted { .. } => scene.accepted()?,
        E::JobDeclined { refunded, reason, .. } => {
            scene.job.reason = Some(reason.clone());
            scene.called_off(agent, *refunded)?
        }
        E::JobCancelled { by, refunded, .. } => scene.called_off(*by, *refunded)?,
        E::JobStarted { ready_record, .. } => scene.started(*ready_record)?,
        E::JobPaused { .. } => scene.moved(&[Status::Running], Status::Paused).map(|()| Some(agent))?,
        E::JobResumed { paused, .. } => {
            scene.moved(STANDING, Status::Running)?;
            scene.job.paused = *paused;
            Some(agent)
        }
        E::JobSilent { reporter, .. } => scene.moved(&[Status::Running], Status::Silent).map(|()| Some(*reporter))?,
        E::JobExtended { extra, locked, .. } => {
            scene.is(&[Status::Running])?;
            (scene.job.extra, scene.job.locked) = (*extra, *locked);
            Some(renter)
        }
        E::JobPaid { seconds, amount, .. } => {
            scene.is(STARTED)?;
            scene.job.paid_seconds = *seconds;
            scene.job.paid = scene.job.paid.saturating_add(*amount);
            earned = Some(*amount);
            None
        }
        E::JobEnded { by, outcome, seconds, refunded, result_digest, .. } => {
            scene.ended(*outcome, *seconds)?;
            scene.job.refunded = *refunded;
            scene.job.result_digest = Some(*result_digest).filter(|digest| *digest != B256::ZERO);
            scene.job.ended_by = Some(*by);
            Some(*by)
        }
        E::JobFinalized { paid, fee, .. } => {
            scene.moved(&[Status::Ended], Status::Final)?;
            (scene.job.paid, scene.job.fee) = (*paid, Some(*fee));
            None
        }
        _ => return Err(Contradiction::UnknownEvent),
    };
    Ok(Drawn { who, earned, ..scene.close() })
}

fn about(job: &JobRow) -> Drawn {
    Drawn { job: Some(job.id), resource: Some(job.terms.resource()), provider: Some(job.provider), ..Drawn::default() }
}

/// A job with its resource and provider: the rows that its events change.
struct Scene<'a> {
    block: BlockRef,
    job: JobRow,
    resource: &'a ResourceRow,
    provider: &'a ProviderRow,
    /// What is changed of the two.
    others: Vec<Row>,
}

impl<'a> Scene<'a> {
    fn of(before: &'a Rows, block: BlockRef, id: JobId) -> Result<Self, Contradiction> {
        let job = JobRow { changed: block.number, ..before.job(id)?.clone() };
        let resource = before.resource(job.terms.resource())?;
        let provider = before.provider(job.provider)?;
        Ok(Self { block, job, resource, provider, others: Vec::new() })
    }

    fn is(&self, statuses: &[Status]) -> Result<(), Contradiction> {
        let JobRow { id: job, status, .. } = self.job;
        if statuses.contains(&status) { Ok(()) } else { Err(Contradiction::WrongStatus { job, status }) }
    }

    /// Every change of status passes here, as in the contract.
    fn moved(&mut self, from: &[Status], to: Status) -> Result<(), Contradiction> {
        self.is(from)?;
        (self.job.status, self.job.since) = (to, self.block.at);
        Ok(())
    }

    fn accepted(&mut self) -> Result<Option<Address>, Contradiction> {
        self.moved(&[Status::Created], Status::Accepted)?;
        self.job.accepted_at = Some(self.block.at);
        if let Some(by) = self.resource.held_by {
            return Err(Contradiction::Held { resource: self.resource.id, by });
        }
        self.hold(Some(self.job.id));
        Ok(Some(self.provider.agent))
    }

    /// Ends a job whose clock never ran.
    fn called_off(&mut self, by: Address, refunded: Amount) -> Result<Option<Address>, Contradiction> {
        self.moved(WAITING, Status::Cancelled)?;
        (self.job.ended_at, self.job.ended_by) = (Some(self.block.at), Some(by));
        self.job.refunded = refunded;
        self.free();
        Ok(Some(by))
    }

    fn started(&mut self, ready_record: B256) -> Result<Option<Address>, Contradiction> {
        self.moved(&[Status::Accepted], Status::Running)?;
        (self.job.started_at, self.job.ready_record) = (Some(self.block.at), Some(ready_record));
        self.count(|provider| provider.jobs_started += 1);
        Ok(Some(self.provider.agent))
    }

    /// The seconds run count as paid from here on, however little they brought.
    fn ended(&mut self, outcome: Outcome, seconds: Seconds) -> Result<(), Contradiction> {
        self.moved(STARTED, Status::Ended)?;
        (self.job.outcome, self.job.ended_at) = (outcome, Some(self.block.at));
        (self.job.seconds_run, self.job.paid_seconds) = (Some(seconds), seconds);
        self.free();
        if outcome == Outcome::Succeeded {
            self.count(|provider| provider.jobs_succeeded += 1);
        }
        Ok(())
    }

    /// The resource is let go if it is this job that it holds: a job that was never accepted holds none.
    fn free(&mut self) {
        if self.resource.held_by == Some(self.job.id) {
            self.hold(None);
        }
    }

    fn hold(&mut self, held_by: Option<JobId>) {
        let changed = self.block.number;
        self.others.push(Row::Resource(ResourceRow { held_by, changed, ..self.resource.clone() }));
    }

    fn count(&mut self, up: impl FnOnce(&mut ProviderRow)) {
        let mut provider = ProviderRow { changed: self.block.number, ..self.provider.clone() };
        up(&mut provider);
        self.others.push(Row::Provider(provider));
    }

    fn close(self) -> Drawn {
        let drawn = about(&self.job);
        let mut rows = self.others;
        rows.push(Row::Job(self.job));
        Drawn { rows, ..drawn }
    }
}
