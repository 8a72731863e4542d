//! `GET /api/v1/receipts`: newest first.

use axum::{Json, extract::State};
use market::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use wire::{http::Page, receipt::Receipt};

use super::{nid, told};
use crate::{
    GatewayError,
    auth::Headers,
    http::page::{self, Query},
    state::Shared,
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReceiptsQuery {
    /// Entries of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
}

/// Receipts, newest first. What the agents say of results stands in each receipt by itself.
#[utoipa::path(get, path = "/api/v1/receipts", tag = "receipts", params(ReceiptsQuery), responses(
    (status = 200, description = "A page of receipts.", body = Page<Receipt>),
))]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Query(asked): Query<ReceiptsQuery>,
) -> Result<Json<Page<Receipt>>, GatewayError> {
    let limit = page::limit(asked.limit)?;
    let before: Option<(u64, String)> = page::place(asked.cursor.as_deref())?;
    if before.as_ref().is_some_and(|(_, last)| nid(last).is_none()) {
        return Err(page::malformed("cursor", "take it as the page before gave it, or leave it out"));
    }
    let before = before.as_ref().map(|(at, nid)| (Timestamp(*at), nid.as_str()));
    let rows = shared.store.receipts(before, limit as u64 + 1).await?;
    let page = page::page(rows, limit, |last| (last.occurred_at.0, last.nid.clone()));
    let items = page.items.into_iter().map(|row| told(&shared, &headers, row, None));
    Ok(Json(Page { items: items.collect::<Result<_, _>>()?, next_cursor: page.next_cursor }))
}
