//! The market wallet: money that a market keeps for people, in and out, and what it was spent on.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, UnsignedTx};

/// A token on a chain. Assets never mix: the same dollar on two chains is two assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssetJson {
    /// The chain.
    pub chain_id: u64,
    /// The token's contract.
    #[schema(value_type = crate::schema::Account)]
    pub token: Address,
    /// What people call it.
    pub symbol: String,
    /// Decimal places.
    pub decimals: u8,
    /// Its money is free and buys nothing elsewhere.
    pub testnet: bool,
}

/// `GET /api/v1/wallets/balance`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletJson {
    /// Whose it is: 32 bytes, as `Till.deposit` takes them.
    #[schema(value_type = crate::schema::Hash)]
    pub account: B256,
    /// What it has of each asset that this market keeps.
    pub balances: Vec<BalanceJson>,
}

/// What an account has of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceJson {
    /// Of what.
    pub asset: AssetJson,
    /// What may be spent.
    pub available: Money,
    /// What is set aside for jobs and withdrawals.
    pub held: Money,
    /// What was deposited and is not deep enough in the chain yet.
    pub pending: Money,
    /// What is owed for a deposit that the chain took back; while there is any, nothing can be spent.
    pub owed: Money,
    /// How long it pays for the jobs that run; absent when none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runway: Option<WalletRunwayJson>,
}

/// How long an account's money lasts at the rate of its running jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletRunwayJson {
    /// What the running jobs cost in an hour.
    pub per_hour: Money,
    /// Seconds for which that can be paid.
    pub left_s: u64,
    /// `low` below a day, `critical` below an hour, `empty` when nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// `GET /api/v1/wallets/{address}/balance`: what an address has on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressBalanceJson {
    /// The address.
    #[schema(value_type = crate::schema::Account)]
    pub address: Address,
    /// Of the settlement token.
    pub balance: Money,
    /// Of the chain's own coin, in wei: what gas is paid with.
    pub gas_wei: String,
}

/// `POST /api/v1/wallets/deposit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DepositBody {
    /// How much.
    pub amount: Money,
    /// On which chain; the market's own when left out.
    #[serde(default)]
    pub chain_id: Option<u64>,
}

/// How to deposit. Nothing happened yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DepositJson {
    /// Whose money it will be.
    #[schema(value_type = crate::schema::Hash)]
    pub account: B256,
    /// Of what.
    pub asset: AssetJson,
    /// How much.
    pub amount: Money,
    /// Where the market's money lies. A plain transfer to it counts when it comes from an address that proved to be yours;
    /// from any other it waits until its owner is known.
    #[schema(value_type = crate::schema::Account)]
    pub treasury: Address,
    /// Takes deposits for an account, whoever sends them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Account>)]
    pub till: Option<Address>,
    /// Blocks after which it counts, its own included.
    pub confirmations: u64,
    /// What to sign and send, in order. Of who signed in with a password `from` is the zero address: any wallet may.
    pub calls: Vec<UnsignedTx>,
}

/// `POST /api/v1/wallets/withdraw`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawBody {
    /// How much.
    pub amount: Money,
    /// Where to.
    #[schema(value_type = crate::schema::Account)]
    pub destination: Address,
    /// On which chain; the market's own when left out.
    #[serde(default)]
    pub chain_id: Option<u64>,
    /// What the preview gave. Without it the answer is the preview, and nothing happens.
    #[serde(default)]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub confirm: Option<B256>,
}

/// What a withdrawal would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawPreviewJson {
    /// Of what.
    pub asset: AssetJson,
    /// What arrives: the market pays the gas.
    pub amount: Money,
    /// Where.
    #[schema(value_type = crate::schema::Account)]
    pub destination: Address,
    /// What may be spent now.
    pub available: Money,
    /// What may be spent after it.
    pub after: Money,
    /// The least that is paid out at once.
    pub least: Money,
    /// The most that is paid out at once.
    pub most: Money,
    /// Send the same again with this as `confirm` and an `Idempotency-Key`.
    #[schema(value_type = crate::schema::Hash)]
    pub confirm: B256,
}

/// How far a withdrawal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WithdrawalStage {
    /// The money is set aside, and nothing was signed.
    Requested,
    /// It is signed and perhaps sent. Its outcome is not known; it is never paid twice.
    Sending,
    /// In a block that may still be taken back.
    Mined,
    /// In a final block.
    Final,
    /// It did nothing and never will; the money is available again.
    Failed,
}

/// A withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawalJson {
    /// Its id.
    #[schema(value_type = crate::schema::Hash)]
    pub id: B256,
    /// Of what.
    pub asset: AssetJson,
    /// How much.
    pub amount: Money,
    /// Where to.
    #[schema(value_type = crate::schema::Account)]
    pub destination: Address,
    /// How far it is.
    pub stage: WithdrawalStage,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// The transaction, once it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub tx: Option<B256>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The answer of `POST /api/v1/wallets/withdraw`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum WithdrawJson {
    /// What it would do.
    Preview(WithdrawPreviewJson),
    /// It is on its way.
    Taken(WithdrawalJson),
}

/// A line of an account's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletEntryJson {
    /// Its number; newer ones have larger numbers.
    pub id: u64,
    /// What happened: `deposit`, `hold`, `jobLocked`, `jobSettled`, `release`, `withdrawal` and others.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about: the job, the deposit or the withdrawal.
    pub reference: String,
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub asset: AssetJson,
    /// Change of what may be spent, in smallest units, with its sign.
    #[schema(example = "-360000")]
    pub available: String,
    /// Change of what is set aside, in smallest units, with its sign.
    #[schema(example = "360000")]
    pub held: String,
}

/// `GET /api/v1/wallets/analytics`: what was spent, by period, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpendingJson {
    /// The first day of the period, like `2026-11-20`.
    #[schema(example = "2026-11-20")]
    pub from: String,
    /// Of what.
    pub asset: AssetJson,
    /// Jobs that were settled in it.
    pub jobs: u64,
    /// What they cost, fees included.
    pub spent: Money,
    /// What came back of what was set aside for them.
    pub refunded: Money,
}

/// A deposit that belongs to nobody known, for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuspenseJson {
    /// Of what.
    pub asset: AssetJson,
    /// How much.
    pub amount: Money,
    /// Who sent it.
    #[schema(value_type = crate::schema::Account)]
    pub sender: Address,
    /// The transaction.
    #[schema(value_type = crate::schema::Hash)]
    pub tx: B256,
    /// Place of its event in the block.
    pub log_index: u64,
    /// When it was first seen.
    pub seen_at: Timestamp,
}
