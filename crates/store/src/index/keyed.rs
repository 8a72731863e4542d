//! Rows of eight tables by one kind of key.

use alloy_primitives::B256;
use sea_orm::{ConnectionTrait, DbErr};

use crate::bulk;
use crate::entity::stored::{Account, Hash, Small, Whole};
use crate::entity::{credit, dispute, job, market_row, provider, reporter, resource, slash};
use crate::rows::{Key, Row};

/// Keys or rows, sorted by their table.
struct Keys {
    providers: Vec<Small>,
    resources: Vec<Hash>,
    jobs: Vec<Hash>,
    credits: Vec<Account>,
    oracles: Vec<Account>,
    controllers: Vec<Account>,
    market: bool,
    disputes: Vec<Hash>,
    slashes: Vec<Whole>,
}

impl Keys {
    fn of<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Self {
        let mut sorted = Self {
            providers: vec![],
            resources: vec![],
            jobs: vec![],
            credits: vec![],
            oracles: vec![],
            controllers: vec![],
            market: false,
            disputes: vec![],
            slashes: vec![],
        };
        for key in keys {
            match *key {
                Key::Provider(id) => sorted.providers.push(id.into()),
                Key::Resource(id) => sorted.resources.push(B256::new(id.0).into()),
                Key::Job(id) => sorted.jobs.push(B256::new(id.0).into()),
                Key::Credit(account) => sorted.credits.push(account.into()),
                Key::Reporter(address, true) => sorted.oracles.push(address.into()),
                Key::Reporter(address, false) => sorted.controllers.push(address.into()),
                Key::Market => sorted.market = true,
                Key::Dispute(job) => sorted.disputes.push(B256::new(job.0).into()),
                Key::Slash(id) => sorted.slashes.push(id.into()),
            }
        }
        sorted
    }
}

/// Those that exist.
pub(super) async fn find<'a>(
    db: &impl ConnectionTrait,
    keys: impl IntoIterator<Item = &'a Key>,
) -> Result<Vec<Row>, DbErr> {
    let keys = Keys::of(keys);
    let mut rows = Vec::new();
    let found = bulk::find::<provider::Entity, _>(db, provider::Column::Id, keys.providers).await?;
    rows.extend(found.into_iter().map(|model| Row::Provider(model.into())));
    let found = bulk::find::<resource::Entity, _>(db, resource::Column::Id, keys.resources).await?;
    rows.extend(found.into_iter().map(|model| Row::Resource(model.into())));
    let found = bulk::find::<job::Entity, _>(db, job::Column::Id, keys.jobs).await?;
    rows.extend(found.into_iter().map(|model| Row::Job(model.into())));
    let found = bulk::find::<credit::Entity, _>(db, credit::Column::Account, keys.credits).await?;
    rows.extend(found.into_iter().map(|model| Row::Credit(model.into())));
    for (is_oracle, addresses) in [(true, keys.oracles), (false, keys.controllers)] {
        let found = bulk::find::<reporter::Entity, _>(db, reporter::Column::Address, addresses).await?;
        let found = found.into_iter().filter(|model| model.is_oracle == is_oracle);
        rows.extend(found.map(|model| Row::Reporter(model.into())));
    }
    if keys.market {
        let found = bulk::find::<market_row::Entity, _>(db, market_row::Column::Id, [market_row::ONLY]).await?;
        rows.extend(found.into_iter().map(|model| Row::Market(model.into())));
    }
    let found = bulk::find::<dispute::Entity, _>(db, dispute::Column::Job, keys.disputes).await?;
    rows.extend(found.into_iter().map(|model| Row::Dispute(model.into())));
    let found = bulk::find::<slash::Entity, _>(db, slash::Column::Id, keys.slashes).await?;
    rows.extend(found.into_iter().map(|model| Row::Slash(model.into())));
    Ok(rows)
}

/// Makes the tables have these rows.
pub(super) async fn write<'a>(db: &impl ConnectionTrait, rows: impl IntoIterator<Item = &'a Row>) -> Result<(), DbErr> {
    let (mut providers, mut resources, mut jobs) = (vec![], vec![], vec![]);
    let (mut credits, mut reporters, mut markets) = (vec![], vec![], vec![]);
    let (mut disputes, mut slashes) = (vec![], vec![]);
    for row in rows {
        match row {
            Row::Provider(row) => providers.push(row.into()),
            Row::Resource(row) => resources.push(row.into()),
            Row::Job(row) => jobs.push(row.into()),
            Row::Credit(row) => credits.push(row.into()),
            Row::Reporter(row) => reporters.push(row.into()),
            Row::Market(row) => markets.push(row.into()),
            Row::Dispute(row) => disputes.push(row.into()),
            Row::Slash(row) => slashes.push(row.into()),
        }
    }
    bulk::upsert::<provider::Entity>(db, providers).await?;
    bulk::upsert::<resource::Entity>(db, resources).await?;
    bulk::upsert::<job::Entity>(db, jobs).await?;
    bulk::upsert::<credit::Entity>(db, credits).await?;
    bulk::upsert::<reporter::Entity>(db, reporters).await?;
    bulk::upsert::<market_row::Entity>(db, markets).await?;
    bulk::upsert::<dispute::Entity>(db, disputes).await?;
    bulk::upsert::<slash::Entity>(db, slashes).await
}

/// Removes these rows.
pub(super) async fn delete<'a>(
    db: &impl ConnectionTrait,
    keys: impl IntoIterator<Item = &'a Key>,
) -> Result<(), DbErr> {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let keys = Keys::of(keys);
    bulk::delete::<provider::Entity, _>(db, provider::Column::Id, keys.providers).await?;
    bulk::delete::<resource::Entity, _>(db, resource::Column::Id, keys.resources).await?;
    bulk::delete::<job::Entity, _>(db, job::Column::Id, keys.jobs).await?;
    bulk::delete::<credit::Entity, _>(db, credit::Column::Account, keys.credits).await?;
    for (is_oracle, addresses) in [(true, keys.oracles), (false, keys.controllers)] {
        for address in addresses {
            let row = reporter::Entity::delete_many().filter(reporter::Column::Address.eq(address));
            row.filter(reporter::Column::IsOracle.eq(is_oracle)).exec(db).await?;
        }
    }
    bulk::delete::<dispute::Entity, _>(db, dispute::Column::Job, keys.disputes).await?;
    bulk::delete::<slash::Entity, _>(db, slash::Column::Id, keys.slashes).await?;
    let market = keys.market.then_some(market_row::ONLY);
    bulk::delete::<market_row::Entity, _>(db, market_row::Column::Id, market).await
}
