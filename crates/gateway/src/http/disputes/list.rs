//! `GET /api/v1/disputes`: what waits for a verdict.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::http::{DisputeJson, Page};

use super::shown;
use crate::{
    GatewayError,
    auth::{SignedIn, is_operator, is_party_of},
    config::PAGE_MAX,
    http::page::{self, Query},
    state::Shared,
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DisputesQuery {
    /// Entries of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
}

/// Disputes that wait for a verdict, oldest first. Operators see all of them, others those over their own jobs.
#[utoipa::path(get, path = "/api/v1/disputes", tag = "disputes", params(DisputesQuery),
    security(("bearer" = []), ("session" = [])),
    responses((status = 200, description = "A page of disputes.", body = Page<DisputeJson>)),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
    Query(asked): Query<DisputesQuery>,
) -> Result<Json<Page<DisputeJson>>, GatewayError> {
    let limit = page::limit(asked.limit)?;
    let after: Option<(u64, alloy_primitives::B256)> = page::place(asked.cursor.as_deref())?;
    let all = is_operator(&shared, who);
    let mut entries = Vec::new();
    for row in shared.store.open_disputes(PAGE_MAX as u64).await? {
        let place = (row.opened_at.0, alloy_primitives::B256::from(row.job.0));
        if after.is_some_and(|after| place <= after) || entries.len() > limit {
            continue;
        }
        let Some(job) = shared.store.job(row.job).await? else { continue };
        if all || is_party_of(&shared, &job, who).await? {
            entries.push((place, shown(&shared, row, &job)));
        }
    }
    let page = page::page(entries, limit, |(place, _)| *place);
    let items = page.items.into_iter().map(|(_, dispute)| dispute).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}
