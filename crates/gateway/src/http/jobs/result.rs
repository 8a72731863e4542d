//! `GET /api/v1/jobs/{id}/result`: how it ended, and what its provider says came out.

use axum::{Json, extract::State};
use store::JobRow;
use wire::{Document, http::OutcomeJson, http::ResultJson, record::CompletionRecord};

use super::{found, view};
use crate::{GatewayError, http::path::Id, state::Shared};

/// How a job ended. The record is there when this gateway holds it; its bytes have the digest that the chain knows, so
/// it is what the provider signed and nothing else.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/result", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    responses(
        (status = 200, description = "How it ended.", body = ResultJson),
        (status = 404, description = "There is no such job, or it has not ended yet."),
    ),
)]
pub(crate) async fn result(State(shared): State<Shared>, Id(id): Id) -> Result<Json<ResultJson>, GatewayError> {
    let row = found(&shared, id).await?;
    if !row.status.is_over() {
        let what = format!(
            "job {id} is {:?}: it has no result before it ends; GET /api/v1/jobs/{id}/status says how far it is",
            row.status
        );
        return Err(GatewayError::NotFound { what });
    }
    let record = if view::has_record(&row) { record(&shared, &row).await } else { None };
    Ok(Json(ResultJson { outcome: OutcomeJson::of(row.outcome), result_digest: row.result_digest, record }))
}

/// The record, when it is here and is one. What cannot be read is as good as not there.
async fn record(shared: &Shared, row: &JobRow) -> Option<CompletionRecord> {
    let cid = Document::cid_of(row.result_digest?).ok()?;
    let bytes = shared.blocks.get_async(cid).await.ok().flatten()?;
    let record: CompletionRecord = serde_json::from_slice(&bytes).ok()?;
    (record.job_id.0 == row.id.0).then_some(record)
}
