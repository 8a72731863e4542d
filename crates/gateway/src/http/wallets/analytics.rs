//! `GET /api/v1/wallets/analytics`: what was spent, by day, week or month.

use axum::{Json, extract::State};
use market::Timestamp;
use payments::ledger::{Period, Spending};
use serde::Deserialize;
use store::AnalyticsBy;
use utoipa::{IntoParams, ToSchema};
use wire::http::{Page, SpendingJson};

use crate::{
    GatewayError,
    http::page::{Query, malformed, seconds},
    state::{Shared, now},
    wallet::{Holder, kept, money, shown},
};

/// So far back is looked when nothing is said: thirty days.
const SINCE_S: u64 = 30 * 86_400;
/// The longest span: two years of days are some hundred lines.
const SPAN_S_MAX: u64 = 731 * 86_400;

/// By what spending is added up.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum By {
    /// Days in UTC.
    #[default]
    Day,
    /// Weeks that begin on Monday.
    Week,
    /// Months.
    Month,
}

/// Which span.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpendingQuery {
    /// `day`, `week` or `month`; days when left out.
    #[serde(default)]
    #[param(inline)]
    period: By,
    /// From then on; thirty days back when left out.
    since: Option<jiff::Timestamp>,
    /// Before then; now when left out.
    until: Option<jiff::Timestamp>,
}

/// What the jobs of who is signed in cost, by the time at which they were settled.
#[utoipa::path(get, path = "/api/v1/wallets/analytics", tag = "wallets", params(SpendingQuery),
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "A line for each period in which something was settled, oldest first.", body = Page<SpendingJson>),
        (status = 501, description = "This gateway keeps no money."),
    ),
)]
pub(crate) async fn analytics(
    State(shared): State<Shared>,
    holder: Holder,
    Query(asked): Query<SpendingQuery>,
) -> Result<Json<Page<SpendingJson>>, GatewayError> {
    kept(&shared)?;
    let until = asked.until.map_or(Timestamp(now() + 1), seconds);
    let since = asked.since.map_or(Timestamp(until.0.saturating_sub(SINCE_S)), seconds);
    if since > until || until.0 - since.0 > SPAN_S_MAX {
        return Err(malformed("since", "lies before `until`, at most two years"));
    }
    let days = shared.store.analytics(holder.account, AnalyticsBy::Day, since, until).await?;
    let period = match asked.period {
        By::Day => Period::Day,
        By::Week => Period::Week,
        By::Month => Period::Month,
    };
    let assets = shared.store.assets().await?;
    let line = |line: Spending| {
        let asset = assets.iter().find(|asset| asset.asset == line.asset)?;
        Some(SpendingJson {
            from: line.from.to_string(),
            asset: shown(asset),
            jobs: line.jobs,
            spent: money(line.spent, asset),
            refunded: money(line.refunded, asset),
        })
    };
    let items = Spending::by(period, &days).into_iter().filter_map(line).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
