//! `GET /api/v1/wallets/suspense`: deposits that belong to nobody known, for operators.

use axum::{Json, extract::State};
use wire::http::{Page, SuspenseJson};

use crate::{
    GatewayError,
    auth::{SignedIn, is_operator},
    http::jobs::view::moment,
    state::Shared,
    wallet::{kept, money, shown},
};

/// Deposits that belong to nobody known, oldest first. Whoever signs in with the wallet that sent one gets it.
#[utoipa::path(get, path = "/api/v1/wallets/suspense", tag = "wallets",
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "At most 200 of them.", body = Page<SuspenseJson>),
        (status = 501, description = "This gateway keeps no money."),
    ),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
) -> Result<Json<Page<SuspenseJson>>, GatewayError> {
    if !is_operator(&shared, who) {
        return Err(GatewayError::Forbidden { who, reason: "only this market's operators may".into() });
    }
    kept(&shared)?;
    let assets = shared.store.assets().await?;
    let entry = |row: store::DepositRow| {
        let asset = assets.iter().find(|asset| asset.asset == row.key.asset)?;
        Some(SuspenseJson {
            asset: shown(asset),
            amount: money(row.amount, asset),
            sender: row.sender,
            tx: row.key.tx,
            log_index: row.key.log_index,
            seen_at: moment(row.seen_at),
        })
    };
    let items = shared.store.suspense().await?.into_iter().filter_map(entry).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
