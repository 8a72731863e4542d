//! `GET /api/v1/jobs/{id}/events`: who did what, when and why.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::http::{ChainEventJson, Page};

use super::{found, view};
use crate::{
    GatewayError,
    http::{
        page::{self, Query},
        path::Id,
    },
    state::Shared,
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Entries of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
}

/// What the chain says happened to a job, oldest first: who did what, when and why.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/events", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job."), EventsQuery),
    responses((status = 200, description = "Its events, oldest first.", body = Page<ChainEventJson>)),
)]
pub(crate) async fn events(
    State(shared): State<Shared>,
    Id(id): Id,
    Query(asked): Query<EventsQuery>,
) -> Result<Json<Page<ChainEventJson>>, GatewayError> {
    let limit = page::limit(asked.limit)?;
    let after: Option<(u64, u64)> = page::place(asked.cursor.as_deref())?;
    let row = found(&shared, id).await?;
    let events = shared.store.job_events(row.id).await?;
    let rest = events.into_iter().filter(|event| after.is_none_or(|after| (event.block, event.log_index) > after));
    let events = rest.take(limit + 1).map(view::event).collect();
    Ok(Json(page::page(events, limit, |last: &ChainEventJson| (last.block, last.log_index))))
}
