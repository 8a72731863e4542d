//! `GET /api/v1/health`: it is alive, and what it serves.

pub(crate) mod ready;

use axum::{Json, extract::State};
use wire::http::Health;

use crate::state::Shared;

/// Whether it lives
///
/// Asks nobody: an answer means that the process lives.
#[utoipa::path(
    get,
    path = "/api/v1/health",
    tag = "health",
    responses((status = 200, description = "It lives.", body = Health))
)]
pub(crate) async fn health(State(shared): State<Shared>) -> Json<Health> {
    let domain = shared.market.domain();
    Json(Health {
        status: "ok".into(),
        chain_id: domain.chain_id,
        market: domain.market,
        token: shared.market.token(),
        watcher: shared.watcher.as_ref().map(chain::Account::address),
        recorder: shared.recorder,
        indexed_block: shared.index.borrow().head.map(|head| head.number),
        agents: shared.links.count(),
        blocks: shared.blocks.len() as u64,
    })
}
