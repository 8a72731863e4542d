//! `POST /api/v1/wallets/deposit`: how to put money into the market wallet.

use alloy_primitives::Address;
use axum::{Json, extract::State};
use chain::{Call, calls};
use market::{Amount, Timestamp};
use wire::http::{DepositBody, DepositJson, UnsignedTx};

use crate::{
    GatewayError,
    http::body,
    state::{Shared, now},
    wallet::{Holder, amount, asset, money, shown},
};

/// How to deposit: the calls for your wallet, where the money goes, and after how many blocks it counts. Nothing happens
/// until you send them; any wallet may, and the money is credited to this account.
#[utoipa::path(post, path = "/api/v1/wallets/deposit", tag = "wallets",
    request_body = DepositBody,
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What to sign and send, in order.", body = DepositJson),
        (status = 501, description = "This gateway keeps no money."),
    ),
)]
pub(crate) async fn deposit(
    State(shared): State<Shared>,
    holder: Holder,
    body::Json(body): body::Json<DepositBody>,
) -> Result<Json<DepositJson>, GatewayError> {
    let (row, setting) = asset(&shared, body.amount.token, body.chain_id).await?;
    let units = amount(&body.amount, &row)?;
    if let Some(wallet) = holder.wallet {
        // It has proven whose it is: what it sends is its account's from now on.
        shared.store.link(wallet, holder.account, Timestamp(now())).await?;
    }
    let whole = Amount(units.unsigned_abs().into());
    let show = format!("{} {}", whole.in_tokens(row.decimals), row.symbol);
    let from = holder.wallet.unwrap_or(Address::ZERO);
    let call = |call: Call, does: String| UnsignedTx {
        chain_id: row.chain_id,
        from,
        to: call.to,
        data: call.input,
        value: "0".into(),
        does,
    };
    let calls = match setting.till {
        Some(till) => vec![
            call(calls::erc20::approve(row.token, till, whole), format!("lets the till take {show}")),
            call(
                calls::deposits::pay_in(till, holder.account.0, whole),
                format!("deposits {show} for your account, whoever sends it"),
            ),
        ],
        // Without a till only an address that proved to be his tells whose money it is.
        None => match holder.wallet {
            Some(_) => vec![call(
                calls::erc20::transfer(row.token, setting.treasury, whole),
                format!("sends {show} to the treasury; it counts as yours when it comes from this wallet"),
            )],
            None => {
                let what = "there is no till for this token here: link the wallet that you deposit from with POST \
                            /api/v1/auth/link, then send to the treasury from it"
                    .into();
                return Err(GatewayError::Conflict { what });
            }
        },
    };
    Ok(Json(DepositJson {
        account: holder.account.0,
        asset: shown(&row),
        amount: money(units, &row),
        treasury: setting.treasury,
        till: setting.till,
        confirmations: setting.confirmations,
        calls,
    }))
}
