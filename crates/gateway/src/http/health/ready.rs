//! `GET /api/v1/health/ready`: whether everything it depends on answers.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::state::Shared;

/// The state of everything that the gateway depends on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// `chain`, `content`, `database` and `index`.
    dependencies: BTreeMap<&'static str, Dependency>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Dependency {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// What was seen.
    detail: String,
}

/// Whether it can work
///
/// Asks the chain, the content store and the database, and compares the index with the chain.
#[utoipa::path(
    get,
    path = "/api/v1/health/ready",
    tag = "health",
    responses(
        (status = 200, description = "All of them answer.", body = Readiness),
        (status = 503, description = "Something does not answer.", body = Readiness),
    )
)]
pub(crate) async fn ready(State(shared): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let (chain, content, database) = tokio::join!(chain(&shared), content(&shared), database(&shared));
    let index = index(&shared, chain.as_ref().ok());
    let chain = chain.map(|head| format!("block {}", head.number));
    let dependencies =
        BTreeMap::from([("chain", chain), ("content", content), ("database", database), ("index", index)]);
    let ok = dependencies.values().all(Result::is_ok);
    let dependencies = dependencies.into_iter().map(|(name, seen)| (name, dependency(seen))).collect();
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { status: word(ok), dependencies }))
}

async fn chain(shared: &Shared) -> Result<chain::Block, String> {
    match timeout(shared.limits.chain_within, shared.market.chain().head()).await {
        Ok(Ok(head)) => Ok(head),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(late(shared)),
    }
}

async fn content(shared: &Shared) -> Result<String, String> {
    let found = tokio::fs::metadata(shared.blocks.dir()).await;
    found.map(|_| format!("{} blocks", shared.blocks.len())).map_err(|error| error.to_string())
}

async fn database(shared: &Shared) -> Result<String, String> {
    match timeout(shared.limits.chain_within, shared.store.ping()).await {
        Ok(Ok(())) => Ok("it answers".into()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(late(shared)),
    }
}

/// How far the index is behind the chain; without a chain there is nothing to be behind.
fn index(shared: &Shared, head: Option<&chain::Block>) -> Result<String, String> {
    let Some(indexed) = shared.index.borrow().head else {
        return Err("nothing is indexed yet".into());
    };
    let seen = format!("block {}", indexed.number);
    match head {
        // Blocks may be rare: only one that has been there for a while and is not indexed is late.
        Some(head) if head.number > indexed.number => {
            let behind_s = head.timestamp.0.saturating_sub(indexed.at.0);
            let (behind, most_s) = (head.number - indexed.number, shared.limits.index_lag.as_secs());
            if behind_s > most_s {
                return Err(format!("{seen}, {behind} blocks and {behind_s} s behind the chain"));
            }
            Ok(format!("{seen}, {behind} blocks behind the chain"))
        }
        _ => Ok(seen),
    }
}

fn late(shared: &Shared) -> String {
    format!("no answer within {} s", shared.limits.chain_within.as_secs())
}

fn dependency(seen: Result<String, String>) -> Dependency {
    let status = word(seen.is_ok());
    Dependency { status, detail: seen.unwrap_or_else(|reason| reason) }
}

fn word(ok: bool) -> &'static str {
    if ok { "ok" } else { "unavailable" }
}
