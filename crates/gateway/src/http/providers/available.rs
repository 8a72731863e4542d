//! `GET /api/v1/providers/available`: who has something free now.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde::Deserialize;
use store::{Key, Row};
use utoipa::IntoParams;
use wire::http::{Page, ProviderJson};

use crate::{
    GatewayError,
    http::page::{Query, limit, page, place},
    state::Shared,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page begins, as the page before said.
    #[param(max_length = 512)]
    cursor: Option<String>,
}

/// List available providers
///
/// Those with a listing on which a job that is ordered now can begin now, by number.
#[utoipa::path(
    get,
    path = "/api/v1/providers/available",
    tag = "providers",
    params(Wish),
    responses((status = 200, description = "A page of providers.", body = Page<ProviderJson>))
)]
pub(crate) async fn available(
    State(shared): State<Shared>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ProviderJson>>, GatewayError> {
    let limit = limit(wish.limit)?;
    let after: u32 = place(wish.cursor.as_deref())?.unwrap_or(0);
    let shown = shared.gpus();
    let free = shown.all().iter().filter(|entry| entry.gpu.is_free() && entry.provider > after);
    let numbers: BTreeSet<u32> = free.map(|entry| entry.provider).collect();
    let keys: Vec<Key> = numbers.into_iter().take(limit + 1).map(Key::Provider).collect();
    let rows = shared.store.rows(&keys).await?.into_iter();
    let mut rows: Vec<_> = rows.filter_map(|row| if let Row::Provider(row) = row { Some(row) } else { None }).collect();
    rows.sort_unstable_by_key(|row| row.id);
    let Page { items, next_cursor } = page(rows, limit, |last| last.id);
    let items = items.iter().map(|row| super::shown(&shared, &shown, row)).collect();
    Ok(Json(Page { items, next_cursor }))
}
