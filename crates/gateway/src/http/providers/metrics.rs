//! `GET /api/v1/providers/{id}/metrics`: what its agent measured.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use wire::http::{MetricsPoint, Page};

use crate::{
    GatewayError,
    http::{
        openapi::ProviderName,
        page::{Query, cursor, limit, malformed, place, seconds},
        path::ProviderId,
    },
    state::{Shared, now},
};

/// How far back a request that does not say looks.
const BACK_S: u64 = 3600;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// From this time on, RFC 3339; the last hour when left out.
    since: Option<Timestamp>,
    /// Before this time; until now when left out.
    until: Option<Timestamp>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page begins, as the page before said.
    #[param(max_length = 512)]
    cursor: Option<String>,
}

/// Show a provider's metrics
///
/// One measurement every ten seconds, kept for seven days. A page is oldest first and the next one is older.
#[utoipa::path(
    get,
    path = "/api/v1/providers/{id}/metrics",
    tag = "providers",
    params(("id" = ProviderName, Path, description = "Number, or address of owner or agent."), Wish),
    responses((status = 200, description = "A page of measurements.", body = Page<MetricsPoint>))
)]
pub(crate) async fn metrics(
    State(shared): State<Shared>,
    id: ProviderId,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<MetricsPoint>>, GatewayError> {
    let limit = limit(wish.limit)?;
    let provider = super::named(&shared, id).await?;
    let until = wish.until.map_or(market::Timestamp(now() + 1), seconds);
    let since = wish.since.map_or(market::Timestamp(until.0.saturating_sub(BACK_S)), seconds);
    if since > until {
        return Err(malformed("since", "it lies after until"));
    }
    let until = place(wish.cursor.as_deref())?.map_or(until, market::Timestamp);
    let mut items = shared.store.metrics(provider.id, since, until, limit as u64 + 1).await?;
    let older = items.len().saturating_sub(limit);
    items.drain(..older);
    let next_cursor = items.first().filter(|_| older > 0).map(|first| cursor(&seconds(first.at).0));
    Ok(Json(Page { items, next_cursor }))
}
