//! What agents measured and when they were heard; and the forgetting of what is too old.

use std::collections::BTreeMap;

use market::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, TryGetable,
};
use wire::http::MetricsPoint;

use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Small, Whole};
use crate::entity::{metrics, nonce, presence, request, session};
use crate::error::StoreError;
use crate::read::PAGE_MAX;
use crate::request::REQUESTS_KEPT_S;

/// How long measurements are kept, in seconds: a week is what people look at.
pub const METRICS_KEPT_S: u64 = 7 * 24 * 3600;
/// How long it is kept in which hours a provider was heard, in seconds. The first hour stays.
pub const PRESENCE_KEPT_S: u64 = 30 * 24 * 3600;
/// Seconds of an hour.
pub const HOUR_S: u64 = 3600;
/// Most points of one answer: the pixels of a wide screen.
const POINTS_MAX: u64 = 20 * PAGE_MAX;

/// Hours that are added to in one statement, far below what an engine takes.
const PROVIDERS_AT_ONCE: usize = 1000;

impl Store {
    /// Adds measurements; one that is there already, from another gateway, stays as it is. Times are kept to the
    /// millisecond.
    pub async fn add_metrics(&self, points: &[(u32, MetricsPoint)]) -> Result<(), StoreError> {
        let rows = points.iter().map(|(provider, point)| metrics::Model {
            provider: (*provider).into(),
            at_ms: point.at.as_millisecond(),
            utilisation_pct: point.utilisation_pct.into(),
            memory_mib: point.memory_mib.into(),
            temperature_c: point.temperature_c.into(),
            power_w: point.power_w.into(),
        });
        bulk::insert_missing::<metrics::Entity>(self.writer(), rows.collect()).await?;
        Ok(())
    }

    /// Measurements of a provider from `since` until before `until`, oldest first; the newest `limit` of them.
    pub async fn metrics(
        &self,
        provider: u32,
        since: Timestamp,
        until: Timestamp,
        limit: u64,
    ) -> Result<Vec<MetricsPoint>, StoreError> {
        let ms = |at: Timestamp| i64::try_from(at.0.saturating_mul(1000)).unwrap_or(i64::MAX);
        let find = metrics::Entity::find()
            .filter(metrics::Column::Provider.eq(Small(provider)))
            .filter(metrics::Column::AtMs.gte(ms(since)))
            .filter(metrics::Column::AtMs.lt(ms(until)))
            .order_by_desc(metrics::Column::AtMs)
            .limit(limit.min(POINTS_MAX));
        let newest_first = find.all(self.readers()).await?;
        let mut points = newest_first.iter().map(point).collect::<Result<Vec<_>, _>>()?;
        points.reverse();
        Ok(points)
    }

    /// Adds seconds in which providers were heard to their hours (since 1970). No hour has more than it has.
    pub async fn add_presence(&self, heard: &[(u32, u64, u32)]) -> Result<(), StoreError> {
        let mut sums: BTreeMap<(u32, u64), u32> = BTreeMap::new();
        for (provider, hour, seconds) in heard {
            let sum = sums.entry((*provider, *hour)).or_default();
            *sum = sum.saturating_add(*seconds).min(3600);
        }
        let rows: Vec<presence::ActiveModel> = sums
            .into_iter()
            .map(|((provider, hour), seconds)| presence::Model {
                provider: provider.into(),
                hour: hour.into(),
                seconds: seconds.into(),
            })
            .map(IntoActiveModel::into_active_model)
            .collect();
        let sum = "CASE WHEN presence.seconds + excluded.seconds > 3600 THEN 3600 \
                   ELSE presence.seconds + excluded.seconds END";
        for chunk in rows.chunks(PROVIDERS_AT_ONCE) {
            let conflict = OnConflict::columns([presence::Column::Provider, presence::Column::Hour])
                .value(presence::Column::Seconds, Expr::cust(sum))
                .to_owned();
            let insert = presence::Entity::insert_many(chunk.iter().cloned()).on_conflict(conflict);
            insert.exec_without_returning(self.writer()).await?;
        }
        Ok(())
    }

    /// The first hour in which a provider was ever heard, and the seconds in which it was heard from `since_hour` on;
    /// nothing where it never was.
    pub async fn uptime(&self, provider: u32, since_hour: u64) -> Result<Option<(u64, u64)>, StoreError> {
        let ask = self.statement(
            "SELECT (SELECT MIN(hour) FROM presence WHERE provider = $1), \
             (SELECT CAST(COALESCE(SUM(seconds), 0) AS BIGINT) FROM presence WHERE provider = $1 AND hour >= $2)",
            [Small(provider).into(), Whole(since_hour).into()],
        );
        let Some(row) = self.readers().query_one_raw(ask).await? else {
            return Ok(None);
        };
        let first = Option::<Whole>::try_get_by(&row, 0_usize).map_err(sea_orm::DbErr::from)?;
        let seconds = Whole::try_get_by(&row, 1_usize).map_err(sea_orm::DbErr::from)?;
        Ok(first.map(|first| (first.0, seconds.0)))
    }

    /// Forgets what is too old: nonces, sessions, answers, measurements, hours. To be called now and then.
    pub async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        let db = self.writer();
        let before = |kept: u64| Whole(now.0.saturating_sub(kept));
        nonce::Entity::delete_many().filter(nonce::Column::Expires.lte(before(0))).exec(db).await?;
        session::Entity::delete_many().filter(session::Column::Expires.lte(before(0))).exec(db).await?;
        let answered = request::Column::BegunAt.lte(before(REQUESTS_KEPT_S));
        request::Entity::delete_many().filter(answered).exec(db).await?;
        let measured = i64::try_from(before(METRICS_KEPT_S).0.saturating_mul(1000)).unwrap_or(i64::MAX);
        metrics::Entity::delete_many().filter(metrics::Column::AtMs.lt(measured)).exec(db).await?;
        let hours = self.statement(
            "DELETE FROM presence WHERE hour < $1 AND hour > \
             (SELECT MIN(hour) FROM presence AS oldest WHERE oldest.provider = presence.provider)",
            [Whole(before(PRESENCE_KEPT_S).0 / HOUR_S).into()],
        );
        db.execute_raw(hours).await?;
        Ok(())
    }
}

fn point(row: &metrics::Model) -> Result<MetricsPoint, StoreError> {
    let corrupt = |error: jiff::Error| StoreError::Corrupt { reason: format!("a measurement's time: {error}") };
    Ok(MetricsPoint {
        at: jiff::Timestamp::from_millisecond(row.at_ms).map_err(corrupt)?,
        utilisation_pct: row.utilisation_pct.0,
        memory_mib: row.memory_mib.0,
        temperature_c: row.temperature_c.0,
        power_w: row.power_w.0,
    })
}
