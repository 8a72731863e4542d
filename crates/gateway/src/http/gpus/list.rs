//! `GET /api/v1/gpus?limit=&cursor=`: what connected agents offer, as the chain has it now.

use alloy_primitives::B256;
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use wire::http::{GpuJson, Page};

use crate::{GatewayError, config::PAGE_MAX, state::Shared};

#[derive(Deserialize)]
pub(crate) struct Wish {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// One page, ordered by id.
pub(crate) async fn list(
    State(shared): State<Shared>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Json<Page<GpuJson>>, GatewayError> {
    let Query(wish) = wish.map_err(|rejection| malformed("query", rejection.body_text()))?;
    let (page, next_cursor) = page(super::announced(&shared), &wish)?;
    let items = shared.listings.joined(page).await?;
    Ok(Json(Page { items, next_cursor }))
}

/// The wished part of `all` (ordered by id) and where the next one begins.
fn page(all: Vec<GpuJson>, wish: &Wish) -> Result<(Vec<GpuJson>, Option<String>), GatewayError> {
    let limit = wish.limit.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(malformed("limit", format!("a page has 1 to {PAGE_MAX} entries")));
    }
    let after = match &wish.cursor {
        None => None,
        Some(cursor) => Some(
            cursor
                .parse::<B256>()
                .map_err(|_| malformed("cursor", "take it as the page before gave it, or leave it out".into()))?,
        ),
    };
    let mut rest = all.into_iter().filter(|gpu| after.is_none_or(|after| gpu.id > after));
    let items: Vec<GpuJson> = rest.by_ref().take(limit).collect();
    let next = if rest.next().is_some() { items.last().map(|gpu| format!("{:x}", gpu.id)) } else { None };
    Ok((items, next))
}

fn malformed(field: &str, reason: String) -> GatewayError {
    GatewayError::Malformed { field: field.into(), reason }
}
