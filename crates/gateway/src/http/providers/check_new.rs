//! `GET /api/v1/providers/check-new?since=`: who came since.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use wire::http::{Page, ProviderJson};

use crate::{
    GatewayError,
    http::page::{Query, limit, seconds},
    state::Shared,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// A time, RFC 3339.
    since: Timestamp,
    /// Entries, at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// List new providers
///
/// Those that registered at `since` or later, newest first. Ask again with the newest one's `registeredAt`.
#[utoipa::path(
    get,
    path = "/api/v1/providers/check-new",
    tag = "providers",
    params(Wish),
    responses((status = 200, description = "Providers; all where there are fewer than `limit`.", body = Page<ProviderJson>))
)]
pub(crate) async fn check_new(
    State(shared): State<Shared>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ProviderJson>>, GatewayError> {
    let limit = limit(wish.limit)?;
    let rows = shared.store.providers_since(seconds(wish.since), limit as u64).await?;
    let shown = shared.gpus();
    let items = rows.iter().map(|row| super::shown(&shared, &shown, row)).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
