//! `GET /api/v1/gpus`: every listing of the market, filtered, ordered, page by page.

use axum::{
    extract::State,
    http::{Uri, header},
    response::{IntoResponse, Response},
};
use wire::http::{GpuJson, GpuQuery, Page};

use crate::{GatewayError, board::Search, http::page::Query, state::Shared};

/// List GPUs
///
/// Every listing of the market with its price, whether a job holds it and whether its agent is heard. Also at
/// `/api/v1/gpus/search`. Pages of one query neither skip nor repeat an entry that stays as it is.
#[utoipa::path(
    get,
    path = "/api/v1/gpus",
    tag = "gpus",
    params(GpuQuery),
    responses((status = 200, description = "A page of listings.", body = Page<GpuJson>))
)]
pub(crate) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, GatewayError> {
    let shown = shared.gpus();
    // What most ask for is ready.
    let page = if uri.query().unwrap_or_default().is_empty() {
        shown.first.clone()
    } else {
        let query: Query<GpuQuery> = Query::of(&uri)?;
        Search::read(&query.0, shared.market.decimals())?.page(&shown)
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], page).into_response())
}
