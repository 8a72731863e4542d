//! `GET /api/v1/wallets/balance`, of who is signed in, and `GET /api/v1/wallets/{address}/balance`, of anybody on chain.

use alloy_primitives::Address;
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use market::Timestamp;
use payments::ledger::{runway, wallets};
use wire::http::{AddressBalanceJson, BalanceJson, Money, WalletJson};

use crate::{
    GatewayError,
    http::{jobs::ask, page::malformed},
    state::{Shared, now},
    wallet::{Holder, kept, lasts, money, refused, shown},
};

/// What the account of who is signed in has in the market wallet, asset by asset.
#[utoipa::path(get, path = "/api/v1/wallets/balance", tag = "wallets",
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What it has.", body = WalletJson),
        (status = 501, description = "This gateway keeps no money."),
    ),
)]
pub(crate) async fn mine(State(shared): State<Shared>, holder: Holder) -> Result<Json<WalletJson>, GatewayError> {
    kept(&shared)?;
    let found = wallets(&shared.store, holder.account).await.map_err(|error| refused(&error))?;
    let holds = shared.store.open_holds(holder.account).await?;
    let at = Timestamp(now());
    let balance = |wallet: payments::ledger::Wallet| {
        let asset = &wallet.asset;
        let left = runway(wallet.available, &holds, asset.asset, at).map(|runway| lasts(&runway, asset));
        BalanceJson {
            asset: shown(asset),
            available: money(wallet.available, asset),
            held: money(wallet.held, asset),
            pending: money(wallet.pending, asset),
            owed: money(wallet.owed, asset),
            runway: left,
        }
    };
    Ok(Json(WalletJson { account: holder.account.0, balances: found.into_iter().map(balance).collect() }))
}

/// What an address has on chain: of the settlement token, and for gas.
#[utoipa::path(get, path = "/api/v1/wallets/{address}/balance", tag = "wallets",
    params(("address" = wire::schema::Account, Path, description = "The address.")),
    responses((status = 200, description = "What it has.", body = AddressBalanceJson)),
)]
pub(crate) async fn of(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<AddressBalanceJson>, GatewayError> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    let address: Option<Address> = text.starts_with("0x").then(|| text.parse().ok()).flatten();
    let address = address.ok_or_else(|| malformed("address", "an address is 0x and 40 hexadecimal digits"))?;
    let market = &shared.market;
    let (balance, gas) =
        ask(&shared, async { tokio::try_join!(market.token_balance(address), market.chain().balance(address)) })
            .await?;
    Ok(Json(AddressBalanceJson { address, balance: Money::new(balance, market.token()), gas_wei: gas.to_string() }))
}
