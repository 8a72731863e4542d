//! Many rows in few statements.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IdenStatic, InsertMany, IntoActiveModel, Iterable,
    PrimaryKeyToColumn, QueryFilter,
};

/// Parameters of one statement. SQLite takes 32,766 and PostgreSQL 65,535; beyond some hundred, longer statements are
/// not quicker, and equal ones are prepared once.
const PARAMETERS_MAX: usize = 2_000;
const _: () = assert!(PARAMETERS_MAX < 32_766);
/// Keys of one question.
const KEYS_MAX: usize = 500;

/// Adds rows that are not there yet.
pub(crate) async fn insert<E>(db: &impl ConnectionTrait, models: Vec<E::Model>) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    write::<E>(db, models, |insert| insert).await
}

/// Adds rows, or makes those that are there like them.
pub(crate) async fn upsert<E>(db: &impl ConnectionTrait, models: Vec<E::Model>) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let key: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let is_key = |column: &E::Column| key.iter().any(|other| other.as_str() == column.as_str());
    let rest: Vec<E::Column> = E::Column::iter().filter(|column| !is_key(column)).collect();
    let mut conflict = OnConflict::columns(key.iter().copied());
    conflict.update_columns(rest);
    write::<E>(db, models, |insert| insert.on_conflict(conflict.clone())).await
}

/// Adds the rows whose key is not there yet, and leaves the others as they are.
pub(crate) async fn insert_missing<E>(db: &impl ConnectionTrait, models: Vec<E::Model>) -> Result<u64, DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut added = 0;
    for chunk in chunks::<E>(models) {
        let conflict = OnConflict::new().do_nothing().to_owned();
        added += match E::insert_many(chunk).on_conflict(conflict).exec_without_returning(db).await {
            Err(DbErr::RecordNotInserted) => 0,
            other => other?,
        };
    }
    Ok(added)
}

async fn write<E>(
    db: &impl ConnectionTrait,
    models: Vec<E::Model>,
    finish: impl Fn(InsertMany<E::ActiveModel>) -> InsertMany<E::ActiveModel>,
) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    for chunk in chunks::<E>(models) {
        finish(E::insert_many(chunk)).exec_without_returning(db).await?;
    }
    Ok(())
}

fn chunks<E>(models: Vec<E::Model>) -> impl Iterator<Item = Vec<E::ActiveModel>>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let rows = (PARAMETERS_MAX / E::Column::iter().count()).max(1);
    let mut models = models.into_iter().map(IntoActiveModel::into_active_model);
    std::iter::from_fn(move || {
        let chunk: Vec<_> = models.by_ref().take(rows).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// The rows whose `column` is one of `values`.
pub(crate) async fn find<E, V>(
    db: &impl ConnectionTrait,
    column: E::Column,
    values: impl IntoIterator<Item = V>,
) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    V: Into<sea_orm::Value>,
{
    let values: Vec<sea_orm::Value> = values.into_iter().map(Into::into).collect();
    let mut found = Vec::with_capacity(values.len());
    for chunk in values.chunks(KEYS_MAX) {
        found.extend(E::find().filter(column.is_in(chunk.iter().cloned())).all(db).await?);
    }
    Ok(found)
}

/// Removes the rows whose `column` is one of `values`.
pub(crate) async fn delete<E, V>(
    db: &impl ConnectionTrait,
    column: E::Column,
    values: impl IntoIterator<Item = V>,
) -> Result<(), DbErr>
where
    E: EntityTrait,
    V: Into<sea_orm::Value>,
{
    let values: Vec<sea_orm::Value> = values.into_iter().map(Into::into).collect();
    for chunk in values.chunks(KEYS_MAX) {
        let those = Condition::all().add(column.is_in(chunk.iter().cloned()));
        E::delete_many().filter(those).exec(db).await?;
    }
    Ok(())
}
