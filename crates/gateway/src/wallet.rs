//! The market wallet as a gateway serves it: which assets it keeps, where their money lies, whose money it is.

use alloy_primitives::Address;
use axum::{extract::FromRequestParts, http::request::Parts};
use market::Amount;
use payments::{
    PaymentsError,
    accounts::Accounts,
    facilitator::Sender,
    ledger::{Ledger, Refusal, Runway, RunwayWarning},
};
use store::{AccountId, AssetRow};
use wire::http::{AssetJson, Money, WalletRunwayJson};

use crate::{GatewayError, auth::Session, http::page::malformed, state::Shared};

/// A wallet that a gateway keeps for people: the ledger, and where the money of each asset lies.
#[derive(Clone, Debug)]
pub struct MarketWallet {
    /// Written by everybody in this process.
    pub ledger: Ledger,
    /// People with a password, and what belongs to them.
    pub accounts: Accounts,
    /// What is kept, the market's own token first.
    pub assets: Vec<WalletAsset>,
    /// How jobs are paid for; without it accounts with a password rent nothing.
    pub funding: Option<Funding>,
}

/// How jobs of accounts are paid for. The treasury's key signs and sends nothing but withdrawals.
#[derive(Clone, Debug)]
pub struct Funding {
    /// The treasury's key.
    pub signer: chain::Wallet,
    /// Sends with a gas wallet, each purpose once.
    pub sender: Sender,
}

/// One asset of the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletAsset {
    /// The chain.
    pub chain_id: u64,
    /// The token.
    pub token: Address,
    /// Where its money lies.
    pub treasury: Address,
    /// Takes deposits for accounts.
    pub till: Option<Address>,
    /// Blocks after which a deposit counts, its own included.
    pub confirmations: u64,
    /// The least that is paid out at once, in smallest units: more than the gas is worth.
    pub least_out: Amount,
    /// The most that is paid out at once, in smallest units.
    pub most_out: Amount,
}

/// A request by somebody whose money it is.
pub(crate) struct Holder {
    pub(crate) account: AccountId,
    /// Who signs, of somebody who signed in with a wallet.
    pub(crate) wallet: Option<Address>,
}

impl Holder {
    /// Whose money a session is about: a wallet that was linked to an account speaks for it.
    pub(crate) async fn of(shared: &Shared, session: &Session) -> Result<Self, GatewayError> {
        if let Some(account) = session.account {
            return Ok(Self { account: AccountId(account), wallet: None });
        }
        let linked = shared.store.owner(session.address).await?;
        let account = linked.unwrap_or(AccountId::of(session.address));
        Ok(Self { account, wallet: Some(session.address) })
    }
}

impl FromRequestParts<Shared> for Holder {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, GatewayError> {
        let session = Session::from_request_parts(parts, shared).await?;
        Self::of(shared, &session).await
    }
}

/// The wallet, where this gateway keeps one.
pub(crate) fn kept(shared: &Shared) -> Result<&MarketWallet, GatewayError> {
    shared.wallet.as_ref().ok_or_else(|| GatewayError::NotHere {
        what: "this gateway keeps no money for anybody: pay with a wallet of your own, GET /api/v1/gpus and POST \
               /api/v1/jobs tell how"
            .into(),
    })
}

/// The asset that is meant: that of the token named, on the chain named or else on the market's own.
pub(crate) async fn asset(
    shared: &Shared,
    token: Address,
    chain_id: Option<u64>,
) -> Result<(AssetRow, WalletAsset), GatewayError> {
    let chain_id = chain_id.unwrap_or(shared.market.domain().chain_id);
    let wallet = kept(shared)?;
    let setting = wallet.assets.iter().find(|asset| asset.chain_id == chain_id && asset.token == token);
    let rows = shared.store.assets().await?;
    let row = rows.into_iter().find(|row| row.chain_id == chain_id && row.token == token);
    match (row, setting) {
        (Some(row), Some(setting)) => Ok((row, *setting)),
        _ => {
            let known = wallet.assets.iter().map(|asset| format!("{} on chain {}", asset.token, asset.chain_id));
            let known = known.collect::<Vec<_>>().join(", ");
            Err(malformed("amount.token", format!("{token} on chain {chain_id} is not kept here; what is: {known}")))
        }
    }
}

/// Reads an amount of an asset: digits are smallest units, a value with a point whole tokens.
pub(crate) fn amount(money: &Money, asset: &AssetRow) -> Result<i64, GatewayError> {
    let amount = money.amount(asset.token, asset.decimals).map_err(|error| match error {
        wire::WireError::Field { field, reason } => malformed(&format!("amount.{field}"), reason),
        other => other.into(),
    })?;
    match i64::try_from(amount.0) {
        Ok(0) => Err(malformed("amount.amount", "is nothing; name how much")),
        Ok(amount) => Ok(amount),
        Err(_) => Err(malformed("amount.amount", "is more than there is of any token")),
    }
}

/// An amount of the ledger; what is below nought has its own field.
pub(crate) fn money(units: i64, asset: &AssetRow) -> Money {
    Money::new(Amount(u128::try_from(units).unwrap_or(0)), asset.token)
}

/// As it is shown.
pub(crate) fn shown(asset: &AssetRow) -> AssetJson {
    AssetJson {
        chain_id: asset.chain_id,
        token: asset.token,
        symbol: asset.symbol.clone(),
        decimals: asset.decimals,
        testnet: asset.testnet,
    }
}

/// How long money lasts, as it is shown.
pub(crate) fn lasts(runway: &Runway, asset: &AssetRow) -> WalletRunwayJson {
    let word = |warning| match warning {
        RunwayWarning::Low => "low",
        RunwayWarning::Critical => "critical",
        RunwayWarning::Empty => "empty",
    };
    WalletRunwayJson {
        per_hour: money(runway.per_hour, asset),
        left_s: runway.left.0,
        warning: runway.warning.map(|warning| word(warning).into()),
    }
}

/// Why the ledger did not post, for whoever asked.
pub(crate) fn refused(error: &PaymentsError) -> GatewayError {
    match error.refusal() {
        Some(Refusal::Insufficient { .. }) => GatewayError::Funds {
            what: format!(
                "{error}; GET /api/v1/wallets/balance shows what there is, POST /api/v1/wallets/deposit how to add"
            ),
        },
        Some(_) => GatewayError::Conflict { what: error.to_string() },
        None => GatewayError::Unknown { what: format!("{error}") },
    }
}

/// Why an account is not made, known or given a wallet, for whoever asked.
pub(crate) fn account_refused(error: PaymentsError) -> GatewayError {
    match error {
        PaymentsError::BadEmail => malformed("email", "is no e-mail address; write it like name@host.example"),
        PaymentsError::WeakPassword { why } => malformed("password", why),
        PaymentsError::EmailTaken => GatewayError::Conflict {
            what: "this e-mail address has an account: sign in with POST /api/v1/auth/login".into(),
        },
        PaymentsError::WrongCredentials => GatewayError::SignIn {
            reason: "e-mail address or password is wrong; after many wrong ones wait for a while".into(),
        },
        PaymentsError::TooManyTries { wait_s } => GatewayError::TooMany { retry_after_s: wait_s },
        PaymentsError::LooksBusy => GatewayError::Busy { what: "too many passwords are being looked at" },
        PaymentsError::OwnMoney { address } => GatewayError::Conflict {
            what: format!(
                "{address} has money of its own here, which nobody could reach any more: sign in with it, take the \
                 money out (POST /api/v1/wallets/withdraw), then link it"
            ),
        },
        PaymentsError::LinkedElsewhere { address } => {
            GatewayError::Conflict { what: format!("{address} belongs to another account; link another wallet") }
        }
        PaymentsError::Store(error) => error.into(),
        other => refused(&other),
    }
}
