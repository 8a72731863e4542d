//! Disputes and proposals to slash.

use alloy_primitives::B256;
use market::{JobId, ResourceId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::PAGE_MAX;
use crate::connect::Store;
use crate::entity::stored::Hash;
use crate::entity::{dispute, slash};
use crate::error::StoreError;
use crate::rows::{DisputeRow, SlashRow};

impl Store {
    /// The dispute over a job, open or decided.
    pub async fn dispute(&self, job: JobId) -> Result<Option<DisputeRow>, StoreError> {
        let row = dispute::Entity::find_by_id(Hash(B256::new(job.0))).one(self.readers()).await?;
        Ok(row.map(Into::into))
    }

    /// Disputes that nobody decided yet, oldest first; at most [`PAGE_MAX`].
    pub async fn open_disputes(&self, limit: u64) -> Result<Vec<DisputeRow>, StoreError> {
        let find = dispute::Entity::find().filter(dispute::Column::DecidedAt.is_null());
        let find = find.order_by_asc(dispute::Column::OpenedAt).order_by_asc(dispute::Column::Job);
        Ok(find.limit(limit.min(PAGE_MAX)).all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// Proposals to slash the stake of a resource, newest first; at most [`PAGE_MAX`].
    pub async fn slashes_of(&self, resource: ResourceId, limit: u64) -> Result<Vec<SlashRow>, StoreError> {
        let find = slash::Entity::find().filter(slash::Column::Resource.eq(Hash(B256::new(resource.0))));
        let find = find.order_by_desc(slash::Column::Id).limit(limit.min(PAGE_MAX));
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }
}
