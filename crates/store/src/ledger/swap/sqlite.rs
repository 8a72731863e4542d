//! With SQLite, a transaction that reads nothing: a few statements, padded to few sizes so that each is prepared once.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    PrimaryKeyToColumn, Value,
};

use crate::connect::Store;
use crate::entity::stored::Whole;
use crate::entity::{balance, hold, posting};
use crate::error::StoreError;
use crate::ledger::transaction::{LedgerChanges, write_totals};

/// What is done with a row whose key is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It fails the statement.
    Fails,
    /// It becomes like the new one.
    Changes,
}

pub(super) async fn write(store: &Store, next: u64, changes: &LedgerChanges) -> Result<bool, StoreError> {
    let db = store.begin_durable().await?;
    let after = next + changes.postings.len() as u64;
    let swap = "UPDATE ledger SET next = $1 WHERE id = 1 AND next = $2";
    let swap = store.statement(swap, [Whole(after).into(), Whole(next).into()]);
    if db.execute_raw(swap).await?.rows_affected() != 1 {
        return Ok(false);
    }
    insert::<posting::Entity>(store, &db, changes.postings.iter().map(Into::into), Known::Fails).await?;
    for row in &changes.assets {
        write_totals(&db, row).await?;
    }
    insert::<balance::Entity>(store, &db, changes.balances.iter().map(Into::into), Known::Changes).await?;
    insert::<hold::Entity>(store, &db, changes.opened.iter().map(Into::into), Known::Fails).await?;
    insert::<hold::Entity>(store, &db, changes.holds.iter().map(Into::into), Known::Changes).await?;
    db.commit().await?;
    Ok(true)
}

/// One statement for all rows. Rows without a key fill it up to the next power of two and are left out by the engine:
/// a batch of any size finds its statement prepared.
async fn insert<E>(
    store: &Store,
    db: &DatabaseTransaction,
    models: impl ExactSizeIterator<Item = E::Model>,
    known: Known,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let rows = models.len();
    if rows == 0 {
        return Ok(());
    }
    let columns: Vec<E::Column> = E::Column::iter().collect();
    let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let keys: Vec<&str> = keys.iter().map(IdenStatic::as_str).collect();
    let padded = rows.next_power_of_two();
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    let mut sql = format!(
        "INSERT INTO {} ({}) SELECT * FROM (VALUES {}) WHERE column1 IS NOT NULL",
        E::default().table_name(),
        names.join(","),
        vec![row; padded].join(",")
    );
    if known == Known::Changes {
        let rest = names.iter().filter(|name| !keys.contains(name));
        let rest: Vec<String> = rest.map(|name| format!("{name} = excluded.{name}")).collect();
        sql += &format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(","), rest.join(","));
    }
    let mut values = Vec::with_capacity(padded * columns.len());
    for model in models {
        let mut model = model.into_active_model();
        values.extend(columns.iter().map(|column| model.take(*column).into_value().unwrap_or(Value::BigInt(None))));
    }
    values.resize(padded * columns.len(), Value::BigInt(None));
    db.execute_raw(store.statement(&sql, values)).await?;
    Ok(())
}
