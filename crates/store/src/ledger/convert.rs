//! Rows to columns and back.

use alloy_primitives::B256;
use market::{JobId, ResourceId, Timestamp};

use super::rows::{
    AccountId, AssetId, AssetRow, AssetTotals, BalanceRow, DepositKey, DepositRow, DepositState, HoldRow, HoldState,
    PostingRow, WithdrawalRow, WithdrawalState,
};
use crate::entity::stored::{Account, Hash, Whole};
use crate::entity::{asset, balance, deposit, hold, posting, withdrawal};
use crate::error::StoreError;

/// States and the words that stand for them.
macro_rules! words {
    ($state:ident: $($variant:ident = $word:literal),+) => {
        impl $state {
            /// As it stands in the database.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(super) fn named(word: &str) -> Result<Self, StoreError> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(corrupt(concat!("a row is in no ", stringify!($state)))),
                }
            }
        }
    };
}

words!(HoldState: Open = "open", Settled = "settled", Released = "released");
words!(DepositState: Seen = "seen", Credited = "credited", Suspense = "suspense", Reorganised = "reorganised");
words!(WithdrawalState: Requested = "requested", Signed = "signed", Sent = "sent", Mined = "mined", Final = "final",
       Failed = "failed");

fn corrupt(reason: &str) -> StoreError {
    StoreError::Corrupt { reason: reason.to_owned() }
}

pub(super) fn asset_id(column: Whole) -> Result<AssetId, StoreError> {
    u32::try_from(column.0).map(AssetId).map_err(|_| corrupt("the number of an asset"))
}

pub(super) fn id_column(asset: AssetId) -> Whole {
    Whole(asset.0.into())
}

pub(super) fn account_id(column: Hash) -> AccountId {
    AccountId(column.0)
}

impl From<&AssetRow> for asset::Model {
    fn from(row: &AssetRow) -> Self {
        let AssetTotals { available, held, fees, suspense, shortfall, treasury, locks, withdrawing } = row.totals;
        Self {
            asset: id_column(row.asset),
            chain_id: Whole(row.chain_id),
            token: Account(row.token),
            symbol: row.symbol.clone(),
            decimals: u16::from(row.decimals).into(),
            testnet: row.testnet,
            available,
            held,
            fees,
            suspense,
            shortfall,
            treasury,
            locks,
            withdrawing,
            scanned: Whole(row.scanned),
        }
    }
}

impl TryFrom<asset::Model> for AssetRow {
    type Error = StoreError;

    fn try_from(model: asset::Model) -> Result<Self, StoreError> {
        Ok(Self {
            asset: asset_id(model.asset)?,
            chain_id: model.chain_id.0,
            token: model.token.0,
            symbol: model.symbol,
            decimals: u8::try_from(model.decimals.0).map_err(|_| corrupt("the decimals of an asset"))?,
            testnet: model.testnet,
            totals: AssetTotals {
                available: model.available,
                held: model.held,
                fees: model.fees,
                suspense: model.suspense,
                shortfall: model.shortfall,
                treasury: model.treasury,
                locks: model.locks,
                withdrawing: model.withdrawing,
            },
            scanned: model.scanned.0,
        })
    }
}

impl From<&PostingRow> for posting::Model {
    fn from(row: &PostingRow) -> Self {
        let AssetTotals { available, held, fees, suspense, shortfall, treasury, locks, withdrawing } = row.moved;
        Self {
            posting: Whole(row.posting),
            reference: row.reference.clone(),
            why: row.why.to_owned(),
            digest: Hash(row.digest),
            at: Whole(row.at.0),
            asset: id_column(row.asset),
            account: row.account.map(|id| Hash(id.0)),
            available,
            held,
            fees,
            suspense,
            shortfall,
            treasury,
            locks,
            withdrawing,
        }
    }
}

impl From<&BalanceRow> for balance::Model {
    fn from(row: &BalanceRow) -> Self {
        Self {
            account: Hash(row.account.0),
            asset: id_column(row.asset),
            available: row.available,
            held: row.held,
            owed: row.owed,
        }
    }
}

impl TryFrom<balance::Model> for BalanceRow {
    type Error = StoreError;

    fn try_from(model: balance::Model) -> Result<Self, StoreError> {
        Ok(Self {
            account: account_id(model.account),
            asset: asset_id(model.asset)?,
            available: model.available,
            held: model.held,
            owed: model.owed,
        })
    }
}

pub(super) fn job_column(job: JobId) -> Hash {
    Hash(B256::new(job.0))
}

impl From<&HoldRow> for hold::Model {
    fn from(row: &HoldRow) -> Self {
        Self {
            job: job_column(row.job),
            account: Hash(row.account.0),
            asset: id_column(row.asset),
            amount: row.amount,
            locked: row.locked,
            state: row.state.name().to_owned(),
            price_per_hour: row.price_per_hour,
            resource: row.resource.map(|id| Hash(B256::new(id.0))),
            created_at: Whole(row.created_at.0),
            started_at: row.started_at.map(|at| Whole(at.0)),
            ended_at: row.ended_at.map(|at| Whole(at.0)),
            spent: row.spent,
            refunded: row.refunded,
            fee: row.fee,
        }
    }
}

impl TryFrom<hold::Model> for HoldRow {
    type Error = StoreError;

    fn try_from(model: hold::Model) -> Result<Self, StoreError> {
        Ok(Self {
            job: JobId(model.job.0.0),
            account: account_id(model.account),
            asset: asset_id(model.asset)?,
            amount: model.amount,
            locked: model.locked,
            state: HoldState::named(&model.state)?,
            price_per_hour: model.price_per_hour,
            resource: model.resource.map(|id| ResourceId(id.0.0)),
            created_at: Timestamp(model.created_at.0),
            started_at: model.started_at.map(|at| Timestamp(at.0)),
            ended_at: model.ended_at.map(|at| Timestamp(at.0)),
            spent: model.spent,
            refunded: model.refunded,
            fee: model.fee,
        })
    }
}

impl From<&DepositRow> for deposit::Model {
    fn from(row: &DepositRow) -> Self {
        Self {
            asset: id_column(row.key.asset),
            tx: Hash(row.key.tx),
            log_index: Whole(row.key.log_index),
            sender: Account(row.sender),
            account: row.account.map(|id| Hash(id.0)),
            amount: row.amount,
            block: Whole(row.block),
            block_hash: Hash(row.block_hash),
            depth: Whole(row.depth),
            state: row.state.name().to_owned(),
            round: Whole(row.round),
            seen_at: Whole(row.seen_at.0),
        }
    }
}

impl TryFrom<deposit::Model> for DepositRow {
    type Error = StoreError;

    fn try_from(model: deposit::Model) -> Result<Self, StoreError> {
        Ok(Self {
            key: DepositKey { asset: asset_id(model.asset)?, tx: model.tx.0, log_index: model.log_index.0 },
            sender: model.sender.0,
            account: model.account.map(account_id),
            amount: model.amount,
            block: model.block.0,
            block_hash: model.block_hash.0,
            depth: model.depth.0,
            state: DepositState::named(&model.state)?,
            round: model.round.0,
            seen_at: Timestamp(model.seen_at.0),
        })
    }
}

impl From<&WithdrawalRow> for withdrawal::Model {
    fn from(row: &WithdrawalRow) -> Self {
        let txs: Vec<u8> = row.txs.iter().flat_map(|tx| tx.0).collect();
        Self {
            id: Hash(row.id),
            account: Hash(row.account.0),
            request_key: row.request_key.clone(),
            asset: id_column(row.asset),
            destination: Account(row.destination),
            amount: row.amount,
            state: row.state.name().to_owned(),
            requested_at: Whole(row.requested_at.0),
            signer: row.signer.map(Account),
            tx_nonce: row.nonce.map(Whole),
            tx: row.tx.map(Hash),
            txs: (!txs.is_empty()).then_some(txs),
            raw: (!row.raw.is_empty()).then(|| row.raw.clone()),
            sent_at: row.sent_at.map(|at| Whole(at.0)),
            block: row.block.map(Whole),
            reason: row.reason.clone(),
        }
    }
}

impl TryFrom<withdrawal::Model> for WithdrawalRow {
    type Error = StoreError;

    fn try_from(model: withdrawal::Model) -> Result<Self, StoreError> {
        let txs = model.txs.unwrap_or_default();
        let (chunks, rest) = txs.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(corrupt("the hashes of a withdrawal"));
        }
        Ok(Self {
            id: model.id.0,
            account: account_id(model.account),
            request_key: model.request_key,
            asset: asset_id(model.asset)?,
            destination: model.destination.0,
            amount: model.amount,
            state: WithdrawalState::named(&model.state)?,
            requested_at: Timestamp(model.requested_at.0),
            signer: model.signer.map(|it| it.0),
            nonce: model.tx_nonce.map(|it| it.0),
            tx: model.tx.map(|it| it.0),
            txs: chunks.iter().map(|bytes| B256::from(*bytes)).collect(),
            raw: model.raw.unwrap_or_default(),
            sent_at: model.sent_at.map(|at| Timestamp(at.0)),
            block: model.block.map(|it| it.0),
            reason: model.reason,
        })
    }
}
