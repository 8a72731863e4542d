//! `POST /api/v1/wallets/withdraw`: first what it would do, then, with what the preview gave, the withdrawal; and
//! `GET /api/v1/wallets/withdrawals`.

use alloy_primitives::{Address, B256, keccak256};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use market::Timestamp;
use payments::ledger::{Posting, wallets};
use store::{AssetRow, WithdrawalRow, WithdrawalState};
use wire::http::{Page, WithdrawBody, WithdrawJson, WithdrawPreviewJson, WithdrawalJson, WithdrawalStage};

use crate::{
    GatewayError,
    auth::Headers,
    http::{body, jobs::view::moment, page::malformed},
    idempotency,
    state::{Shared, now},
    wallet::{Holder, WalletAsset, amount, asset, kept, money, refused, shown},
};

/// Withdraw money. Without `confirm` nothing happens: the answer says what would. With the preview's `confirm` and an
/// `Idempotency-Key` the money is set aside and goes out once, whatever is sent how often: the same key always means the
/// same withdrawal.
#[utoipa::path(post, path = "/api/v1/wallets/withdraw", tag = "wallets",
    request_body = WithdrawBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 160 characters; needed with `confirm`. It stands for this withdrawal for ever.")),
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What it would do.", body = WithdrawJson),
        (status = 202, description = "It is taken and will be sent.", body = WithdrawJson),
        (status = 409, description = "There is less, or the key stands for another withdrawal."),
        (status = 422, description = "The idempotency key was used for another body."),
        (status = 501, description = "This gateway keeps no money."),
        (status = 503, description = "Whether it is taken is not known: send the same again, with the same key."),
    ),
)]
pub(crate) async fn withdraw(
    State(shared): State<Shared>,
    holder: Holder,
    Headers(headers): Headers,
    body::Json(body): body::Json<WithdrawBody>,
) -> Result<Response, GatewayError> {
    let (row, setting) = asset(&shared, body.amount.token, body.chain_id).await?;
    let units = amount(&body.amount, &row)?;
    destination(&shared, &body, &setting)?;
    limits(units, &row, &setting)?;
    let confirm = confirmation(&holder, &row, units, body.destination);
    match body.confirm {
        None => preview(&shared, &holder, (&row, &setting), units, (body.destination, confirm)).await,
        Some(given) if given == confirm => {
            let key = idempotency::key(&headers)?;
            let missing = "is missing: a new one for each withdrawal, the same one to ask again";
            let key = key.ok_or_else(|| malformed("Idempotency-Key", missing))?;
            let taken = take(&shared, &holder, &row, units, (body.destination, key)).await?;
            Ok((StatusCode::ACCEPTED, Json(WithdrawJson::Taken(taken))).into_response())
        }
        Some(_) => Err(malformed("confirm", "is for another withdrawal; ask for a preview of this one")),
    }
}

/// Money that is sent to a contract of the market's own is nobody's any more.
fn destination(shared: &Shared, body: &WithdrawBody, setting: &WalletAsset) -> Result<(), GatewayError> {
    let ours = [Address::ZERO, shared.market.address(), setting.token, setting.treasury];
    if ours.contains(&body.destination) || setting.till == Some(body.destination) {
        return Err(malformed("destination", "is a contract of the market's; name a wallet of your own"));
    }
    Ok(())
}

fn limits(units: i64, row: &AssetRow, setting: &WalletAsset) -> Result<(), GatewayError> {
    let wide = u128::from(units.unsigned_abs());
    if wide < setting.least_out.0 || wide > setting.most_out.0 {
        let [least, most] = [setting.least_out, setting.most_out].map(|limit| limit.in_tokens(row.decimals));
        let reason = format!("a withdrawal is {least} to {most} {}", row.symbol);
        return Err(malformed("amount.amount", reason));
    }
    Ok(())
}

/// Binds the second step to what the first one showed.
fn confirmation(holder: &Holder, row: &AssetRow, units: i64, destination: Address) -> B256 {
    keccak256(format!("withdraw|{}|{}|{units}|{destination}", holder.account, row.asset.0))
}

async fn preview(
    shared: &Shared,
    holder: &Holder,
    (row, setting): (&AssetRow, &WalletAsset),
    units: i64,
    (destination, confirm): (Address, B256),
) -> Result<Response, GatewayError> {
    let found = wallets(&shared.store, holder.account).await.map_err(|error| refused(&error))?;
    let found = found.into_iter().find(|wallet| wallet.asset.asset == row.asset);
    let (available, owed) = found.map_or((0, 0), |wallet| (wallet.available, wallet.owed));
    if owed > 0 || available < units {
        let [has, wants, owes] =
            [available, units, owed].map(|units| market::Amount(units.unsigned_abs().into()).in_tokens(row.decimals));
        let what = format!(
            "{has} {} may be spent and {owes} are owed; {wants} are wanted. GET /api/v1/wallets/balance shows all",
            row.symbol
        );
        return Err(GatewayError::Funds { what });
    }
    let limit = |amount: market::Amount| wire::http::Money::new(amount, row.token);
    let shown = WithdrawPreviewJson {
        asset: shown(row),
        amount: money(units, row),
        destination,
        available: money(available, row),
        after: money(available - units, row),
        least: limit(setting.least_out),
        most: limit(setting.most_out),
        confirm,
    };
    Ok(Json(WithdrawJson::Preview(shown)).into_response())
}

/// Sets the money aside. The treasury signs and sends it, and looks it up before it ever sends anything again.
async fn take(
    shared: &Shared,
    holder: &Holder,
    row: &AssetRow,
    units: i64,
    (destination, key): (Address, String),
) -> Result<WithdrawalJson, GatewayError> {
    let id = keccak256(format!("withdrawal|{}|{key}", holder.account));
    let posting = Posting::WithdrawalRequested {
        id,
        account: holder.account,
        request_key: key,
        asset: row.asset,
        destination,
        amount: units,
    };
    kept(shared)?.ledger.post(posting, Timestamp(now())).await.map_err(|error| refused(&error))?;
    let unknown = || GatewayError::Unknown {
        what: "the withdrawal is taken and cannot be read now; GET /api/v1/wallets/withdrawals shows it".into(),
    };
    let taken = shared.store.withdrawal(id).await?.ok_or_else(unknown)?;
    tracing::info!(withdrawal = %id, "a withdrawal was asked for");
    Ok(withdrawal(taken, row))
}

fn withdrawal(row: WithdrawalRow, asset: &AssetRow) -> WithdrawalJson {
    WithdrawalJson {
        id: row.id,
        asset: shown(asset),
        amount: money(row.amount, asset),
        destination: row.destination,
        stage: match row.state {
            WithdrawalState::Requested => WithdrawalStage::Requested,
            WithdrawalState::Signed | WithdrawalState::Sent => WithdrawalStage::Sending,
            WithdrawalState::Mined => WithdrawalStage::Mined,
            WithdrawalState::Final => WithdrawalStage::Final,
            WithdrawalState::Failed => WithdrawalStage::Failed,
        },
        requested_at: moment(row.requested_at),
        tx: row.tx,
        reason: row.reason,
    }
}

/// Withdrawals of who is signed in, newest first.
#[utoipa::path(get, path = "/api/v1/wallets/withdrawals", tag = "wallets",
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "The newest 200 of them.", body = Page<WithdrawalJson>),
        (status = 501, description = "This gateway keeps no money."),
    ),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    holder: Holder,
) -> Result<Json<Page<WithdrawalJson>>, GatewayError> {
    kept(&shared)?;
    let assets = shared.store.assets().await?;
    let entry = |row: WithdrawalRow| {
        let asset = assets.iter().find(|asset| asset.asset == row.asset)?;
        Some(withdrawal(row, asset))
    };
    let items = shared.store.withdrawals_of(holder.account).await?.into_iter().filter_map(entry).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
