//! `GET /api/v1/health`: it is alive, and what it serves.

pub(crate) mod ready;

use axum::{Json, extract::State};
use wire::http::Health;

use crate::state::Shared;

/// Asks nobody: an answer means that the process lives.
pub(crate) async fn health(State(shared): State<Shared>) -> Json<Health> {
    let domain = shared.market.domain();
    Json(Health {
        status: "ok".into(),
        chain_id: domain.chain_id,
        market: domain.market,
        agents: shared.links.count(),
        blocks: shared.store.len() as u64,
    })
}
