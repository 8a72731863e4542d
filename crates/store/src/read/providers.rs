//! Providers and their listings.

use std::collections::HashMap;

use alloy_primitives::{Address, B256};
use market::{ResourceId, Timestamp};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::PAGE_MAX;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, Small, Whole};
use crate::entity::{market_row, provider, reporter, resource};
use crate::error::StoreError;
use crate::rows::{MarketRow, ProviderRow, ReporterRow, ResourceRow};

impl Store {
    /// Listings that changed above height `after`, they or their provider, each with its provider; all of them with 0.
    ///
    /// Not a page: a gateway holds all listings in memory, and asks for those that changed.
    pub async fn resources_changed(&self, after: u64) -> Result<Vec<(ResourceRow, ProviderRow)>, StoreError> {
        let db = self.readers();
        let changed = provider::Entity::find().filter(provider::Column::Changed.gt(Whole(after)));
        let mut find = resource::Entity::find();
        if after > 0 {
            let theirs = changed.clone().select_only().column(provider::Column::Id).into_query();
            let either = Condition::any()
                .add(resource::Column::Changed.gt(Whole(after)))
                .add(resource::Column::Provider.in_subquery(theirs));
            find = find.filter(either);
        }
        let resources = find.order_by_asc(resource::Column::Id).all(db).await?;
        let ids: std::collections::HashSet<u32> = resources.iter().map(|row| row.provider.0).collect();
        let providers = if after == 0 {
            provider::Entity::find().all(db).await?
        } else {
            crate::bulk::find::<provider::Entity, _>(db, provider::Column::Id, ids.into_iter().map(Small)).await?
        };
        let providers: HashMap<u32, ProviderRow> = providers.into_iter().map(|row| (row.id.0, row.into())).collect();
        let with = |row: resource::Model| providers.get(&row.provider.0).map(|owner| (row.into(), owner.clone()));
        Ok(resources.into_iter().filter_map(with).collect())
    }

    /// A listing.
    pub async fn resource(&self, id: ResourceId) -> Result<Option<ResourceRow>, StoreError> {
        let row = resource::Entity::find_by_id(Hash(B256::new(id.0))).one(self.readers()).await?;
        Ok(row.map(Into::into))
    }

    /// All listings of a provider, oldest first. Registering each costs gas: nobody has very many.
    pub async fn resources_of(&self, provider: u32) -> Result<Vec<ResourceRow>, StoreError> {
        let find = resource::Entity::find().filter(resource::Column::Provider.eq(Small(provider)));
        let find = find.order_by_asc(resource::Column::ListedAt).order_by_asc(resource::Column::Id);
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// A provider by its number.
    pub async fn provider(&self, id: u32) -> Result<Option<ProviderRow>, StoreError> {
        Ok(provider::Entity::find_by_id(Small(id)).one(self.readers()).await?.map(Into::into))
    }

    /// The provider that this address owns, or runs jobs for.
    pub async fn provider_by(&self, address: Address) -> Result<Option<ProviderRow>, StoreError> {
        let either = Condition::any()
            .add(provider::Column::Owner.eq(Account(address)))
            .add(provider::Column::Agent.eq(Account(address)));
        let find = provider::Entity::find().filter(either).order_by_asc(provider::Column::Id);
        Ok(find.one(self.readers()).await?.map(Into::into))
    }

    /// Providers with a number above `after`, in their order; at most [`PAGE_MAX`].
    pub async fn providers(&self, after: u32, limit: u64) -> Result<Vec<ProviderRow>, StoreError> {
        let find = provider::Entity::find().filter(provider::Column::Id.gt(Small(after)));
        let find = find.order_by_asc(provider::Column::Id).limit(limit.min(PAGE_MAX));
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// Providers that registered at `since` or later, newest first; at most [`PAGE_MAX`].
    pub async fn providers_since(&self, since: Timestamp, limit: u64) -> Result<Vec<ProviderRow>, StoreError> {
        let find = provider::Entity::find().filter(provider::Column::RegisteredAt.gte(Whole(since.0)));
        let find = find.order_by_desc(provider::Column::RegisteredAt).order_by_desc(provider::Column::Id);
        Ok(find.limit(limit.min(PAGE_MAX)).all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// What this address is registered for as a reporter of silence: at most two rows.
    pub async fn reporter(&self, address: Address) -> Result<Vec<ReporterRow>, StoreError> {
        let find = reporter::Entity::find().filter(reporter::Column::Address.eq(Account(address)));
        let find = find.order_by_asc(reporter::Column::IsOracle);
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// The market as a whole; as it began where no event changed it.
    pub async fn market(&self) -> Result<MarketRow, StoreError> {
        let row = market_row::Entity::find_by_id(market_row::ONLY).one(self.readers()).await?;
        Ok(row.map(Into::into).unwrap_or_default())
    }
}
