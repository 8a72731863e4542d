//! With PostgreSQL, one statement that is its own transaction: one way to the server and back, one plan for batches of
//! all sizes, because every column comes as an array.

use std::sync::Arc;

use sea_orm::sqlx::{self, Postgres, Row, postgres::PgArguments, query::Query};
use sea_orm::{DbErr, RuntimeErr};

use crate::connect::Store;
use crate::error::StoreError;
use crate::ledger::rows::{AssetTotals, HoldRow, PostingRow};
use crate::ledger::transaction::LedgerChanges;

/// Each part reads `head`, which has a row only where nobody else wrote; whoever writes beside waits for that row.
const WRITE: &str = "\
WITH head AS (UPDATE ledger SET next = $2 WHERE id = 1 AND next = $1 RETURNING id), \
written AS (INSERT INTO postings (posting, reference, why, digest, at, asset, account, \
    available, held, fees, suspense, shortfall, treasury, locks, withdrawing) \
    SELECT given.* FROM head, UNNEST($3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bigint[], $8::bigint[], \
        $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], \
        $16::bigint[], $17::bigint[]) AS given), \
totals AS (UPDATE assets SET available = given.available, held = given.held, fees = given.fees, \
    suspense = given.suspense, shortfall = given.shortfall, treasury = given.treasury, locks = given.locks, \
    withdrawing = given.withdrawing \
    FROM head, UNNEST($18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], \
        $24::bigint[], $25::bigint[], $26::bigint[]) \
        AS given (asset, available, held, fees, suspense, shortfall, treasury, locks, withdrawing) \
    WHERE assets.asset = given.asset), \
changed AS (INSERT INTO balances (account, asset, available, held, owed) \
    SELECT given.* FROM head, UNNEST($27::bytea[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[]) AS given \
    ON CONFLICT (account, asset) DO UPDATE \
    SET available = excluded.available, held = excluded.held, owed = excluded.owed), \
opened AS (INSERT INTO holds (job, account, asset, amount, locked, state, price_per_hour, resource, created_at, \
    started_at, ended_at, spent, refunded, fee) \
    SELECT given.* FROM head, UNNEST($32::bytea[], $33::bytea[], $34::bigint[], $35::bigint[], $36::bigint[], \
        $37::text[], $38::bigint[], $39::bytea[], $40::bigint[], $41::bigint[], $42::bigint[], $43::bigint[], \
        $44::bigint[], $45::bigint[]) AS given), \
moved AS (INSERT INTO holds (job, account, asset, amount, locked, state, price_per_hour, resource, created_at, \
    started_at, ended_at, spent, refunded, fee) \
    SELECT given.* FROM head, UNNEST($46::bytea[], $47::bytea[], $48::bigint[], $49::bigint[], $50::bigint[], \
        $51::text[], $52::bigint[], $53::bytea[], $54::bigint[], $55::bigint[], $56::bigint[], $57::bigint[], \
        $58::bigint[], $59::bigint[]) AS given \
    ON CONFLICT (job) DO UPDATE SET amount = excluded.amount, locked = excluded.locked, state = excluded.state, \
    started_at = excluded.started_at, ended_at = excluded.ended_at, spent = excluded.spent, \
    refunded = excluded.refunded, fee = excluded.fee) \
SELECT count(*) FROM head";

type Ask<'q> = Query<'q, Postgres, PgArguments>;

pub(super) async fn write(store: &Store, next: u64, changes: &LedgerChanges) -> Result<bool, StoreError> {
    let then = next + changes.postings.len() as u64;
    let ask = sqlx::query(WRITE).bind(next.cast_signed()).bind(then.cast_signed());
    let moved: Vec<_> = changes.postings.iter().map(|row| &row.moved).collect();
    let ask = totals(postings(ask, &changes.postings), &moved);
    let ask = ask.bind(changes.assets.iter().map(|row| i64::from(row.asset.0)).collect::<Vec<_>>());
    let after: Vec<_> = changes.assets.iter().map(|row| &row.totals).collect();
    let ask = totals(ask, &after);
    let balances = &changes.balances;
    let ask = ask
        .bind(balances.iter().map(|row| row.account.0.as_slice()).collect::<Vec<_>>())
        .bind(balances.iter().map(|row| i64::from(row.asset.0)).collect::<Vec<_>>())
        .bind(balances.iter().map(|row| row.available).collect::<Vec<_>>())
        .bind(balances.iter().map(|row| row.held).collect::<Vec<_>>())
        .bind(balances.iter().map(|row| row.owed).collect::<Vec<_>>());
    let ask = holds(holds(ask, &changes.opened), &changes.holds);
    let row = ask.fetch_one(store.durable().get_postgres_connection_pool()).await.map_err(failed)?;
    Ok(row.try_get::<i64, _>(0).map_err(failed)? == 1)
}

fn failed(error: sqlx::Error) -> StoreError {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))).into()
}

fn postings<'q>(ask: Ask<'q>, rows: &'q [PostingRow]) -> Ask<'q> {
    ask.bind(rows.iter().map(|row| row.posting.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.reference.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.why).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.digest.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at.0.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| i64::from(row.asset.0)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.account.as_ref().map(|id| id.0.as_slice())).collect::<Vec<_>>())
}

fn totals<'q>(ask: Ask<'q>, rows: &[&AssetTotals]) -> Ask<'q> {
    let columns: [fn(&AssetTotals) -> i64; 8] = [
        |row| row.available,
        |row| row.held,
        |row| row.fees,
        |row| row.suspense,
        |row| row.shortfall,
        |row| row.treasury,
        |row| row.locks,
        |row| row.withdrawing,
    ];
    columns.into_iter().fold(ask, |ask, column| ask.bind(rows.iter().map(|row| column(row)).collect::<Vec<_>>()))
}

fn holds<'q>(ask: Ask<'q>, rows: &'q [HoldRow]) -> Ask<'q> {
    ask.bind(rows.iter().map(|row| row.job.0.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.account.0.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| i64::from(row.asset.0)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.amount).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.locked).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.state.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.price_per_hour).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.resource.as_ref().map(|id| id.0.as_slice())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.created_at.0.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.started_at.map(|at| at.0.cast_signed())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.ended_at.map(|at| at.0.cast_signed())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.spent).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.refunded).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.fee).collect::<Vec<_>>())
}
