//! Jobs and their events.

use alloy_primitives::{Address, B256};
use market::{JobId, ResourceId, Status};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::PAGE_MAX;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, Small, State, Whole};
use crate::entity::{event, job};
use crate::error::StoreError;
use crate::rows::{EventRow, JobRow};

/// Most events of one job that are read at once. A job that is paid every minute for a month has about 45,000.
pub const JOB_EVENTS_MAX: u64 = 100_000;

/// Which jobs; whatever is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Paid by this address.
    pub renter: Option<Address>,
    /// Controlled by this address.
    pub controller: Option<Address>,
    /// Of this provider.
    pub provider: Option<u32>,
    /// On this resource.
    pub resource: Option<ResourceId>,
    /// In one of these states; in any where there is none.
    pub statuses: Vec<Status>,
    /// Only those that are not over.
    pub live: bool,
    /// Only those whose money may still move: those that are not over, and those that are not settled.
    pub unsettled: bool,
}

const LIVE: [Status; 5] = [Status::Created, Status::Accepted, Status::Running, Status::Paused, Status::Silent];

const UNSETTLED: [Status; 7] = [
    Status::Created,
    Status::Accepted,
    Status::Running,
    Status::Paused,
    Status::Silent,
    Status::Ended,
    Status::Disputed,
];

impl JobFilter {
    fn condition(&self) -> Condition {
        let mut all = Condition::all()
            .add_option(self.renter.map(|it| job::Column::Renter.eq(Account(it))))
            .add_option(self.controller.map(|it| job::Column::Controller.eq(Account(it))))
            .add_option(self.provider.map(|it| job::Column::Provider.eq(Small(it))))
            .add_option(self.resource.map(|it| job::Column::Resource.eq(Hash(B256::new(it.0)))));
        if !self.statuses.is_empty() {
            all = all.add(job::Column::Status.is_in(self.statuses.iter().copied().map(State)));
        }
        if self.unsettled {
            all = all.add(job::Column::Status.is_in(UNSETTLED.map(State)));
        }
        if self.live {
            all = all.add(job::Column::Status.is_in(LIVE.map(State)));
        }
        all
    }
}

impl Store {
    /// A job.
    pub async fn job(&self, id: JobId) -> Result<Option<JobRow>, StoreError> {
        let row = job::Entity::find_by_id(Hash(B256::new(id.0))).one(self.readers()).await?;
        Ok(row.map(Into::into))
    }

    /// Jobs, newest first, those created before the place `before`; at most [`PAGE_MAX`].
    pub async fn jobs(
        &self,
        filter: &JobFilter,
        before: Option<(u64, u64)>,
        limit: u64,
    ) -> Result<Vec<JobRow>, StoreError> {
        let mut condition = filter.condition();
        if let Some((block, index)) = before {
            let same = Condition::all()
                .add(job::Column::CreatedBlock.eq(Whole(block)))
                .add(job::Column::CreatedIndex.lt(Whole(index)));
            // The first line is implied by the second; an index understands it.
            condition = condition
                .add(job::Column::CreatedBlock.lte(Whole(block)))
                .add(Condition::any().add(job::Column::CreatedBlock.lt(Whole(block))).add(same));
        }
        let find = job::Entity::find()
            .filter(condition)
            .order_by_desc(job::Column::CreatedBlock)
            .order_by_desc(job::Column::CreatedIndex)
            .limit(limit.min(PAGE_MAX));
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// What happened to a job, oldest first; the first [`JOB_EVENTS_MAX`].
    pub async fn job_events(&self, job: JobId) -> Result<Vec<EventRow>, StoreError> {
        let find = event::Entity::find()
            .filter(event::Column::Job.eq(Hash(B256::new(job.0))))
            .order_by_asc(event::Column::Block)
            .order_by_asc(event::Column::LogIndex)
            .limit(JOB_EVENTS_MAX);
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }
}
