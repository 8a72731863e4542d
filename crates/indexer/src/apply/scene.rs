//! A job with its resource, provider and dispute: the rows that its events change.

use alloy_primitives::{Address, B256};
use market::{Amount, JobId, Outcome, Seconds, Status};
use store::{BlockRef, DecisionRow, DisputeRow, JobRow, ProviderRow, ResourceRow, Row};

use super::{Drawn, job::about, stake::free};
use crate::{Contradiction, Rows};

/// Before the clock runs.
const WAITING: &[Status] = &[Status::Created, Status::Accepted];
/// While there is a clock.
const STARTED: &[Status] = &[Status::Running, Status::Paused, Status::Silent];

/// The rows round one job, before and after an event.
pub(super) struct Scene<'a> {
    block: BlockRef,
    pub(super) job: JobRow,
    pub(super) provider: ProviderRow,
    resource: ResourceRow,
    dispute: Option<DisputeRow>,
    before: (&'a ResourceRow, &'a ProviderRow, Option<&'a DisputeRow>),
}

impl<'a> Scene<'a> {
    pub(super) fn of(before: &'a Rows, block: BlockRef, id: JobId) -> Result<Self, Contradiction> {
        let job = JobRow { changed: block.number, ..before.job(id)?.clone() };
        let resource = before.resource(job.terms.resource())?;
        let provider = before.provider(job.provider)?;
        let dispute = before.dispute(id);
        Ok(Self {
            block,
            job,
            provider: provider.clone(),
            resource: resource.clone(),
            dispute: dispute.cloned(),
            before: (resource, provider, dispute),
        })
    }

    pub(super) fn is(&self, statuses: &[Status]) -> Result<(), Contradiction> {
        let JobRow { id: job, status, .. } = self.job;
        if statuses.contains(&status) { Ok(()) } else { Err(Contradiction::WrongStatus { job, status }) }
    }

    /// Every change of status passes here, as in the contract.
    pub(super) fn moved(&mut self, from: &[Status], to: Status) -> Result<(), Contradiction> {
        self.is(from)?;
        (self.job.status, self.job.since) = (to, self.block.at);
        Ok(())
    }

    pub(super) fn accepted(&mut self, cover: Seconds) -> Result<Option<Address>, Contradiction> {
        self.moved(&[Status::Created], Status::Accepted)?;
        (self.job.accepted_at, self.job.cover) = (Some(self.block.at), cover);
        if let Some(by) = self.resource.held_by {
            return Err(Contradiction::Held { resource: self.resource.id, by });
        }
        self.resource.held_by = Some(self.job.id);
        let (tie, free) = (self.tie(), free(&self.resource));
        if tie > free {
            return Err(Contradiction::Overstaked { resource: self.resource.id, stake: self.resource.stake, free });
        }
        self.resource.tied = self.resource.tied.saturating_add(tie);
        Ok(Some(self.provider.agent))
    }

    /// Ends a job whose clock never ran.
    pub(super) fn called_off(&mut self, by: Address, refunded: Amount) -> Result<Option<Address>, Contradiction> {
        self.moved(WAITING, Status::Cancelled)?;
        (self.job.ended_at, self.job.ended_by) = (Some(self.block.at), Some(by));
        self.job.refunded = refunded;
        self.free();
        self.untie();
        Ok(Some(by))
    }

    pub(super) fn started(&mut self, ready_record: B256) -> Result<Option<Address>, Contradiction> {
        self.moved(&[Status::Accepted], Status::Running)?;
        (self.job.started_at, self.job.ready_record) = (Some(self.block.at), Some(ready_record));
        self.provider.jobs_started += 1;
        Ok(Some(self.provider.agent))
    }

    /// The clock stands for good. What was earned late is still to be paid.
    pub(super) fn ended(&mut self, outcome: Outcome, seconds: Seconds) -> Result<(), Contradiction> {
        self.moved(STARTED, Status::Ended)?;
        (self.job.outcome, self.job.ended_at) = (outcome, Some(self.block.at));
        self.job.seconds_run = Some(seconds);
        self.free();
        if outcome == Outcome::Succeeded {
            self.provider.jobs_succeeded += 1;
        }
        Ok(())
    }

    pub(super) fn disputed(
        &mut self,
        opener: Address,
        pot: Amount,
        bond: Amount,
        reason: &str,
    ) -> Result<(), Contradiction> {
        self.moved(&[Status::Ended], Status::Disputed)?;
        self.dispute = Some(DisputeRow {
            job: self.job.id,
            opener,
            opened_at: self.block.at,
            pot,
            bond,
            reason: reason.to_owned(),
            decision: None,
            changed: self.block.number,
        });
        Ok(())
    }

    /// A verdict. What came out of the cover is stake no more.
    pub(super) fn decided(&mut self, decision: DecisionRow) -> Result<(), Contradiction> {
        self.is(&[Status::Disputed])?;
        let open = self.dispute.as_mut().filter(|dispute| dispute.decision.is_none());
        let dispute = open.ok_or(Contradiction::NoDispute(self.job.id))?;
        self.job.refunded = self.job.refunded.saturating_add(decision.returned);
        self.resource.stake = self.resource.stake.saturating_sub(decision.from_cover);
        (dispute.decision, dispute.changed) = (Some(decision), self.block.number);
        Ok(())
    }

    /// Nothing moves any more, and nothing is vouched for. Without a dispute every second counts as paid, however little
    /// the last ones brought.
    pub(super) fn settled(&mut self) -> Result<(), Contradiction> {
        if self.job.status == Status::Ended {
            self.job.paid_seconds = self.job.seconds_run.unwrap_or(self.job.paid_seconds);
        }
        self.moved(&[Status::Ended, Status::Disputed], Status::Final)?;
        self.untie();
        Ok(())
    }

    /// What the job's cover ties: what the contract computes from the same figures.
    fn tie(&self) -> Amount {
        self.job.terms.stream(Seconds(0), self.job.fee_bps).price.tie(self.job.cover)
    }

    fn untie(&mut self) {
        self.resource.tied = self.resource.tied.saturating_sub(self.tie());
    }

    /// The resource is let go if it is this job that it holds: a job that was never accepted holds none.
    fn free(&mut self) {
        if self.resource.held_by == Some(self.job.id) {
            self.resource.held_by = None;
        }
    }

    /// The rows that changed.
    pub(super) fn close(mut self) -> Drawn {
        let drawn = about(&self.job);
        let changed = self.block.number;
        let mut rows = Vec::new();
        if self.resource != *self.before.0 {
            self.resource.changed = changed;
            rows.push(Row::Resource(self.resource));
        }
        if self.provider != *self.before.1 {
            self.provider.changed = changed;
            rows.push(Row::Provider(self.provider));
        }
        if self.dispute.as_ref() != self.before.2 {
            rows.extend(self.dispute.map(Row::Dispute));
        }
        rows.push(Row::Job(self.job));
        Drawn { rows, ..drawn }
    }
}
