//! `GET /api/v1/wallets/transactions`: what happened to somebody's money, newest first.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::http::{Page, WalletEntryJson};

use crate::{
    GatewayError,
    http::{
        jobs::view::moment,
        page::{self, Query},
    },
    state::Shared,
    wallet::{Holder, kept, shown},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntriesQuery {
    /// Entries of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
}

/// What happened to the money of who is signed in, newest first.
#[utoipa::path(get, path = "/api/v1/wallets/transactions", tag = "wallets", params(EntriesQuery),
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "A page of the history.", body = Page<WalletEntryJson>),
        (status = 501, description = "This gateway keeps no money."),
    ),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    holder: Holder,
    Query(asked): Query<EntriesQuery>,
) -> Result<Json<Page<WalletEntryJson>>, GatewayError> {
    kept(&shared)?;
    let limit = page::limit(asked.limit)?;
    let before: Option<u64> = page::place(asked.cursor.as_deref())?;
    let rows = shared.store.history(holder.account, before, limit as u64 + 1).await?;
    let assets = shared.store.assets().await?;
    let entry = |row: store::HistoryRow| {
        let asset = assets.iter().find(|asset| asset.asset == row.asset)?;
        Some(WalletEntryJson {
            id: row.posting,
            kind: row.why,
            reference: row.reference,
            at: moment(row.at),
            asset: shown(asset),
            available: row.available.to_string(),
            held: row.held.to_string(),
        })
    };
    let entries = rows.into_iter().filter_map(entry).collect();
    Ok(Json(page::page(entries, limit, |last: &WalletEntryJson| last.id)))
}
