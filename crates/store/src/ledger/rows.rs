//! The rows of the market wallet, as everybody else sees them. Amounts are smallest units of their asset.

use std::fmt;

use alloy_primitives::{Address, B256};
use market::{JobId, ResourceId, Timestamp};
use serde::Serialize;

/// Whose money it is: an address with zeros before it, as `Till.deposit` takes it, or 32 bytes by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AccountId(pub B256);

impl AccountId {
    /// The account of whoever can sign for this address.
    #[must_use]
    pub fn of(address: Address) -> Self {
        Self(address.into_word())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of an asset in this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AssetId(pub u32);

/// A token on a chain, and what the wallet has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetRow {
    /// Its number.
    pub asset: AssetId,
    /// The chain.
    pub chain_id: u64,
    /// The token's contract.
    pub token: Address,
    /// What people call it.
    pub symbol: String,
    /// Decimal places, at most 9.
    pub decimals: u8,
    /// Its money is free.
    pub testnet: bool,
    /// The totals.
    pub totals: AssetTotals,
    /// Height up to which all deposits were read and are final.
    pub scanned: u64,
}

/// What the wallet has of an asset and to whom it belongs: available + held + fees + suspense = treasury + locks −
/// withdrawing, which the database checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetTotals {
    /// What accounts may spend.
    pub available: i64,
    /// What accounts have set aside.
    pub held: i64,
    /// What the operator earned.
    pub fees: i64,
    /// What belongs to nobody known, less the shortfall: below zero, the operator is short.
    pub suspense: i64,
    /// What accounts owe since a reorganisation took back a deposit that was spent.
    pub shortfall: i64,
    /// What the treasury has on chain, as deep as deposits are credited.
    pub treasury: i64,
    /// What is locked in jobs that the treasury pays for.
    pub locks: i64,
    /// What was signed out of the treasury and is not final.
    pub withdrawing: i64,
}

impl AssetTotals {
    /// Each bucket's total.
    #[must_use]
    pub fn by_bucket(&self) -> [(Bucket, i64); 7] {
        [
            (Bucket::Available, self.available),
            (Bucket::Held, self.held),
            (Bucket::Fees, self.fees),
            (Bucket::Suspense, self.suspense),
            (Bucket::Treasury, self.treasury),
            (Bucket::Locks, self.locks),
            (Bucket::Withdrawing, self.withdrawing),
        ]
    }

    /// A bucket's total, to be changed.
    pub fn bucket_mut(&mut self, bucket: Bucket) -> &mut i64 {
        match bucket {
            Bucket::Available => &mut self.available,
            Bucket::Held => &mut self.held,
            Bucket::Fees => &mut self.fees,
            Bucket::Suspense => &mut self.suspense,
            Bucket::Treasury => &mut self.treasury,
            Bucket::Locks => &mut self.locks,
            Bucket::Withdrawing => &mut self.withdrawing,
        }
    }

    /// Whether the equation of the wallet holds.
    #[must_use]
    pub fn agree(&self) -> bool {
        let wide = i128::from;
        let owed = wide(self.available) + wide(self.held) + wide(self.fees) + wide(self.suspense);
        owed == wide(self.treasury) + wide(self.locks) - wide(self.withdrawing)
    }
}

/// What an account has of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceRow {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// What it may spend.
    pub available: i64,
    /// What is set aside for its jobs and withdrawals.
    pub held: i64,
    /// What it spent of a deposit that the chain took back. While it owes anything, it spends nothing.
    pub owed: i64,
}

/// Where money stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// An account may spend it.
    Available,
    /// An account has set it aside.
    Held,
    /// The operator earned it.
    Fees,
    /// It belongs to nobody known.
    Suspense,
    /// On chain, in the treasury.
    Treasury,
    /// On chain, locked in jobs.
    Locks,
    /// Signed out of the treasury and not final.
    Withdrawing,
}

impl Bucket {
    /// As it stands in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held => "held",
            Self::Fees => "fees",
            Self::Suspense => "suspense",
            Self::Treasury => "treasury",
            Self::Locks => "locks",
            Self::Withdrawing => "withdrawing",
        }
    }
}

/// Something that happened, once for its reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingRow {
    /// Its number.
    pub posting: u64,
    /// What it is about.
    pub reference: String,
    /// Its kind.
    pub why: &'static str,
    /// Digest of everything it says.
    pub digest: B256,
    /// When.
    pub at: Timestamp,
    /// The asset; a posting is of one.
    pub asset: AssetId,
    /// Whose money it changes, of one account at most; nobody where it moves the market's own only.
    pub account: Option<AccountId>,
    /// Change of each bucket: the equation of the wallet holds for every posting by itself.
    pub moved: AssetTotals,
}

/// Money set aside for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// The job.
    pub job: JobId,
    /// Who pays.
    pub account: AccountId,
    /// In what.
    pub asset: AssetId,
    /// What is set aside now.
    pub amount: i64,
    /// What of it is locked on chain.
    pub locked: i64,
    /// Whether it is over.
    pub state: HoldState,
    /// What the job costs in an hour.
    pub price_per_hour: i64,
    /// What is rented.
    pub resource: Option<ResourceId>,
    /// When it was set aside.
    pub created_at: Timestamp,
    /// When the job began to cost.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// What the job cost on chain.
    pub spent: i64,
    /// What the chain gave back.
    pub refunded: i64,
    /// What the operator took beside.
    pub fee: i64,
}

/// Whether a hold is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// Not yet.
    Open,
    /// The job was paid.
    Settled,
    /// Nothing was locked; all went back.
    Released,
}

/// Which transfer to the treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DepositKey {
    /// The asset: chain and token.
    pub asset: AssetId,
    /// The transaction.
    pub tx: B256,
    /// Place of its event in the block.
    pub log_index: u64,
}

/// A transfer to the treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepositRow {
    /// Which.
    pub key: DepositKey,
    /// Who sent it.
    pub sender: Address,
    /// Whose it is; nothing while nobody knows.
    pub account: Option<AccountId>,
    /// How much.
    pub amount: i64,
    /// Height of its block.
    pub block: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Blocks on it and its own, when last looked at.
    pub depth: u64,
    /// What became of it.
    pub state: DepositState,
    /// How often a reorganisation took it back.
    pub round: u64,
    /// When it was first seen.
    pub seen_at: Timestamp,
}

/// What became of a transfer to the treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositState {
    /// In a block that is not deep enough.
    Seen,
    /// Its account has it.
    Credited,
    /// Nobody knows whose it is.
    Suspense,
    /// Its block is no longer in the chain.
    Reorganised,
}

/// A payment out of the treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalRow {
    /// Its id.
    pub id: B256,
    /// Who asked.
    pub account: AccountId,
    /// Under which an account asks once.
    pub request_key: String,
    /// Of what.
    pub asset: AssetId,
    /// Where to.
    pub destination: Address,
    /// How much.
    pub amount: i64,
    /// How far it is.
    pub state: WithdrawalState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Whose key signed.
    pub signer: Option<Address>,
    /// Nonce of the transaction.
    pub nonce: Option<u64>,
    /// Hash of what was signed last, or of what was mined.
    pub tx: Option<B256>,
    /// Hashes of everything that was signed at this nonce: one of them is mined at most.
    pub txs: Vec<B256>,
    /// Signed bytes.
    pub raw: Vec<u8>,
    /// When they were handed in first.
    pub sent_at: Option<Timestamp>,
    /// Height of its block.
    pub block: Option<u64>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// How far a payment out of the treasury is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawalState {
    /// Set aside, and nothing was signed.
    Requested,
    /// Signed, and nobody has seen the bytes.
    Signed,
    /// Handed to a node, perhaps.
    Sent,
    /// In a block that may still be taken back.
    Mined,
    /// In a final block.
    Final,
    /// It will never be mined, or did nothing; the money is available again.
    Failed,
}
