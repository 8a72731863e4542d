//! `GET /api/v1/jobs/{id}/logs?since=&limit=`: what the program wrote, as far as this gateway holds it.

use axum::{Json, extract::State};
use market::JobId;
use serde::Deserialize;
use wire::{
    feed::{JobEvent, JobNews},
    http::{LogLine, LogsJson, ToClient},
};

use crate::{
    GatewayError,
    auth::{SignedIn, job_of_party},
    config::{FEED_BATCH, LOG_EVENTS_READ_MAX, LOG_LINES_MAX},
    feed::Read,
    http::{
        page::{Query, malformed},
        path::Id,
    },
    state::Shared,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// The last number seen; what comes after it is given.
    pub(crate) since: Option<u64>,
    /// Lines of the answer, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<usize>,
}

/// Read a job's log
///
/// For the job's parties. Lines are numbered with the job's other news, so their numbers have gaps; ask again with `next`
/// as `since` for what comes after.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/logs",
    tag = "jobs",
    security(("bearer" = []), ("session" = [])),
    params(("id" = wire::schema::Hash, Path, description = "The job's id."), Wish),
    responses((status = 200, description = "Lines, oldest first.", body = LogsJson)),
)]
pub(crate) async fn logs(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
    Id(id): Id,
    Query(wish): Query<Wish>,
) -> Result<Json<LogsJson>, GatewayError> {
    let limit = wish.limit.unwrap_or(LOG_LINES_MAX);
    if !(1..=LOG_LINES_MAX).contains(&limit) {
        return Err(malformed("limit", format!("an answer has 1 to {LOG_LINES_MAX} lines")));
    }
    let job = job_of_party(&shared, JobId(id.0), who).await?.id;
    Ok(Json(held(&shared, job, wish.since.unwrap_or(0), limit)))
}

/// Lines after number `since`, at most `limit`.
pub(crate) fn held(shared: &Shared, job: JobId, since: u64, limit: usize) -> LogsJson {
    let (mut lines, mut next) = (Vec::new(), since);
    for _ in 0..LOG_EVENTS_READ_MAX / FEED_BATCH {
        let texts = match shared.feeds.read(job, next, FEED_BATCH) {
            Read::Events { texts, .. } if texts.is_empty() => break,
            Read::Events { texts, .. } => texts,
            Read::Behind { oldest } => {
                next = oldest - 1;
                continue;
            }
        };
        for event in texts.iter().filter_map(|text| event(text)) {
            if lines.len() == limit {
                return LogsJson { lines, next };
            }
            next = event.seq;
            if let JobNews::JobLog { stream, line } = event.news {
                lines.push(LogLine { seq: event.seq, at: event.at, stream, line });
            }
        }
    }
    LogsJson { lines, next }
}

/// The event of a text that clients get.
pub(crate) fn event(text: &str) -> Option<JobEvent> {
    match serde_json::from_str(text) {
        Ok(ToClient::News { event, .. }) => Some(event),
        _ => None,
    }
}
