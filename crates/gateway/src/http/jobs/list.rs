//! `GET /api/v1/jobs` and its page of those that are over: newest first.

use axum::{Json, extract::State};
use store::JobFilter;
use wire::http::{JobJson, Page};

use super::{JobQuery, view};
use crate::{GatewayError, http::page, state::Shared};

/// Jobs, newest first. What the chain knows of them is public.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(JobQuery), responses(
    (status = 200, description = "A page of jobs.", body = Page<JobJson>),
))]
pub(crate) async fn list(State(shared): State<Shared>, asked: JobQuery) -> Result<Json<Page<JobJson>>, GatewayError> {
    jobs(&shared, &asked).await.map(Json)
}

/// Jobs that are over, newest first.
#[utoipa::path(get, path = "/api/v1/jobs/history", tag = "jobs", params(JobQuery), responses(
    (status = 200, description = "A page of jobs.", body = Page<JobJson>),
))]
pub(crate) async fn history(
    State(shared): State<Shared>,
    asked: JobQuery,
) -> Result<Json<Page<JobJson>>, GatewayError> {
    jobs(&shared, &JobQuery { live: Some(false), ..asked }).await.map(Json)
}

/// A page of the jobs that are asked for.
pub(crate) async fn jobs(shared: &Shared, asked: &JobQuery) -> Result<Page<JobJson>, GatewayError> {
    let limit = page::limit(asked.limit)?;
    let before: Option<(u64, u64)> = page::place(asked.cursor.as_deref())?;
    if asked.is_contradictory() {
        return Ok(Page { items: Vec::new(), next_cursor: None });
    }
    let filter: JobFilter = asked.filter();
    let rows = shared.store.jobs(&filter, before, limit as u64 + 1).await?;
    let page = page::page(rows, limit, |last| last.created);
    let shown = shared.gpus();
    let token = shared.market.token();
    let job = |row| {
        let listed = shown.get(view::resource(&row));
        view::job(&row, listed.map(|entry| &entry.gpu.hardware), token)
    };
    Ok(Page { items: page.items.into_iter().map(job).collect(), next_cursor: page.next_cursor })
}
