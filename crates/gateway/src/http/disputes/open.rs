//! `POST /api/v1/jobs/{id}/dispute`: the calls that dispute what a job earned.

use axum::{Json, extract::State};
use chain::calls;
use market::{Status, rules};
use wire::http::{CallsJson, DisputeBody, Money, REASON_BYTES_MAX};

use super::prepared;
use crate::{
    GatewayError,
    auth::{ByWallet, is_party},
    http::{
        body,
        jobs::{ask, found},
        page::malformed,
        path::Id,
    },
    state::{Shared, now},
};

/// The calls that dispute what a job earned last, for the wallet of its renter or its provider: leave to take the bond,
/// then the dispute. A job that runs ends with it. What the bond is in the end follows from the pot when the call is
/// mined; never more than is allowed here is taken.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/dispute", tag = "disputes",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    request_body = DisputeBody,
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What to sign and send, in order.", body = CallsJson),
        (status = 409, description = "There is nothing left to dispute, or it is disputed already."),
    ),
)]
pub(crate) async fn open(
    State(shared): State<Shared>,
    ByWallet(who): ByWallet,
    Id(id): Id,
    body::Json(body): body::Json<DisputeBody>,
) -> Result<Json<CallsJson>, GatewayError> {
    if body.reason.trim().is_empty() || body.reason.len() > REASON_BYTES_MAX {
        return Err(malformed("reason", format!("say what went wrong in 1 to {REASON_BYTES_MAX} bytes")));
    }
    let row = found(&shared, id).await?;
    let provider = shared.store.provider(row.provider).await?;
    let is_side = provider.is_some_and(|provider| is_party(&row, &provider, who)) && who != row.terms.controller;
    if !is_side && who != row.terms.renter {
        let reason = "only the job's renter and its provider may dispute it".into();
        return Err(GatewayError::Forbidden { who, reason });
    }
    let conflict = |what: String| Err(GatewayError::Conflict { what });
    let state = ask(&shared, shared.market.job(row.id)).await?;
    match state.status {
        Status::Running | Status::Paused | Status::Silent => {}
        Status::Ended if row.since.after(rules::DISPUTE_WINDOW).0 >= now() => {}
        Status::Ended => return conflict("it ended more than an hour ago: what it earned stands".into()),
        Status::Disputed => return conflict(format!("it is disputed already; see GET /api/v1/disputes/{id}")),
        other => return conflict(format!("nothing of it can be disputed: it is {other:?}")),
    }
    let least = ask(&shared, shared.market.min_bond()).await?;
    let bond = market::bond(row.locked, least);
    let (token, market) = (shared.market.token(), shared.market.address());
    let show =
        |amount: market::Amount| format!("{} {}", amount.in_tokens(shared.market.decimals()), shared.market.symbol());
    let allow = format!("lets the market take a bond of at most {}", show(bond));
    let dispute = "disputes what the job earned last; the bond comes back unless the verdict is wholly against you";
    let calls = vec![
        prepared(&shared, who, calls::erc20::approve(token, market, bond), allow),
        prepared(&shared, who, calls::dispute::dispute_job(market, &row.terms, &body.reason), dispute.into()),
    ];
    let does = format!("puts down at most {} and has a judge decide within seven days", show(bond));
    Ok(Json(CallsJson { does, moves: Some(Money::new(bond, token)), calls }))
}
