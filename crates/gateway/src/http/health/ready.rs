//! `GET /api/v1/health/ready`: whether everything it depends on answers.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use tokio::time::timeout;

use crate::state::Shared;

/// The state of everything that the gateway depends on.
#[derive(Serialize)]
pub(crate) struct Readiness {
    /// `ok` or `unavailable`.
    status: &'static str,
    dependencies: BTreeMap<&'static str, Dependency>,
}

#[derive(Serialize)]
struct Dependency {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// What was seen.
    detail: String,
}

/// 200 when all dependencies answer, else 503.
pub(crate) async fn ready(State(shared): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let chain = match timeout(shared.limits.chain_within, shared.market.chain().head()).await {
        Ok(Ok(head)) => Ok(format!("block {}", head.number)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", shared.limits.chain_within.as_secs())),
    };
    let store = match tokio::fs::metadata(shared.store.dir()).await {
        Ok(_) => Ok(format!("{} blocks", shared.store.len())),
        Err(error) => Err(error.to_string()),
    };
    let ok = chain.is_ok() && store.is_ok();
    let dependencies = BTreeMap::from([("chain", dependency(chain)), ("store", dependency(store))]);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { status: word(ok), dependencies }))
}

fn dependency(seen: Result<String, String>) -> Dependency {
    let status = word(seen.is_ok());
    Dependency { status, detail: seen.unwrap_or_else(|reason| reason) }
}

fn word(ok: bool) -> &'static str {
    if ok { "ok" } else { "unavailable" }
}
