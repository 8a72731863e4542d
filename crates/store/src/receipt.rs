//! Receipts, and how far each is on its way to the chain.

use alloy_primitives::{Address, B256};
use market::{JobId, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany, sea_query::Expr,
};
use wire::receipt::{DOCUMENT_BYTES_MAX, ReceiptKind};

use crate::bulk;
use crate::connect::Store;
use crate::entity::receipt;
use crate::entity::stored::{Account, Hash, Kind, NUL, Whole};
use crate::error::StoreError;
use crate::read::PAGE_MAX;

mod due;

/// The largest signed transaction that is kept: a commit is a NID and a line of JSON.
pub const RAW_BYTES_MAX: usize = 16 << 10;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// CID of the document.
    pub nid: String,
    /// The job.
    pub job: JobId,
    /// What it is about.
    pub kind: ReceiptKind,
    /// Under which it exists once.
    pub idempotency_key: String,
    /// The canonical document.
    pub document: Vec<u8>,
    /// Block time of what it is about.
    pub occurred_at: Timestamp,
    /// The first block to look in for the job's events.
    pub from_block: u64,
    /// The last.
    pub to_block: u64,
    /// How far it is.
    pub state: ReceiptState,
    /// Whose key signed last; nobody before that. Keys are changed, and what an old one signed stays its own.
    pub recorder: Option<Address>,
}

/// How far a receipt is on its way to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// Kept here, and nothing was signed.
    Stored,
    /// Signed, and perhaps sent: the bytes were kept before.
    Sending {
        /// Nonce of the transaction.
        nonce: u64,
        /// Its hash.
        tx: B256,
        /// Its signed bytes, which may be sent again without harm.
        raw: Vec<u8>,
    },
    /// In a block that may still be taken back.
    Mined {
        /// Hash of the transaction.
        tx: B256,
        /// Height of the block.
        block: u64,
        /// Nonce of the transaction.
        nonce: u64,
        /// Its signed bytes.
        raw: Vec<u8>,
    },
    /// In a final block.
    Committed {
        /// The transaction.
        tx: B256,
        /// Height of the block.
        block: u64,
    },
}

/// What became of a receipt that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there.
    New,
    /// The same bytes were there; its state was left alone.
    Same,
    /// Other bytes are there under its key, or its NID belongs to another key. Nothing was written.
    Conflict,
}

const STORED: &str = "stored";
const SENDING: &str = "sending";
const MINED: &str = "mined";
const COMMITTED: &str = "committed";

impl Store {
    /// Keeps a receipt, once for each idempotency key.
    pub async fn put_receipt(&self, row: &ReceiptRow) -> Result<Put, StoreError> {
        if row.document.len() > DOCUMENT_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the document", limit: DOCUMENT_BYTES_MAX });
        }
        let model = model(row)?;
        if bulk::insert_missing::<receipt::Entity>(self.writer(), vec![model]).await? == 1 {
            return Ok(Put::New);
        }
        let either = Condition::any()
            .add(receipt::Column::Nid.eq(row.nid.as_str()))
            .add(receipt::Column::IdempotencyKey.eq(row.idempotency_key.as_str()));
        let held = receipt::Entity::find().filter(either).all(self.writer()).await?;
        let same = |held: &receipt::Model| {
            held.nid == row.nid && held.idempotency_key == row.idempotency_key && held.document == row.document
        };
        Ok(if held.iter().all(same) { Put::Same } else { Put::Conflict })
    }

    /// The receipt of this NID.
    pub async fn receipt_by_nid(&self, nid: &str) -> Result<Option<ReceiptRow>, StoreError> {
        if nid.contains(NUL) {
            return Ok(None);
        }
        receipt::Entity::find_by_id(nid).one(self.readers()).await?.map(row).transpose()
    }

    /// A job's receipt of this kind.
    pub async fn receipt(&self, job: JobId, kind: ReceiptKind) -> Result<Option<ReceiptRow>, StoreError> {
        let find = of_job(job).filter(receipt::Column::Kind.eq(Kind(kind)));
        find.one(self.readers()).await?.map(row).transpose()
    }

    /// All receipts of a job, oldest first: one of each kind at most.
    pub async fn receipts_of(&self, job: JobId) -> Result<Vec<ReceiptRow>, StoreError> {
        let find = of_job(job).order_by_asc(receipt::Column::OccurredAt).order_by_asc(receipt::Column::FromBlock);
        // The two receipts of a job may be of one second, and end in different blocks.
        let find = find.order_by_asc(receipt::Column::ToBlock).order_by_asc(receipt::Column::Nid);
        find.all(self.readers()).await?.into_iter().map(row).collect()
    }

    /// Receipts, newest first, those before this time and NID; at most [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn receipts(&self, before: Option<(Timestamp, &str)>, limit: u64) -> Result<Vec<ReceiptRow>, StoreError> {
        let mut find = receipt::Entity::find();
        if let Some((at, nid)) = before {
            // Cursors are strangers' words, and PostgreSQL's text has no place for NUL.
            let nid = nid.split(NUL).next().unwrap_or_default();
            let same =
                Condition::all().add(receipt::Column::OccurredAt.eq(Whole(at.0))).add(receipt::Column::Nid.lt(nid));
            let older = Condition::any().add(receipt::Column::OccurredAt.lt(Whole(at.0))).add(same);
            find = find.filter(older);
        }
        let find = find.order_by_desc(receipt::Column::OccurredAt).order_by_desc(receipt::Column::Nid);
        find.limit(limit.min(PAGE_MAX)).all(self.readers()).await?.into_iter().map(row).collect()
    }

    /// Receipts that are not final on chain, those on their way before those that wait, then oldest first; at most
    /// [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn receipts_due(&self, limit: u64) -> Result<Vec<ReceiptRow>, StoreError> {
        let find = receipt::Entity::find()
            .filter(receipt::Column::State.is_in([STORED, SENDING, MINED]))
            // The words are in this order: mined, sending, stored.
            .order_by_asc(receipt::Column::State)
            .order_by_asc(receipt::Column::OccurredAt)
            .order_by_asc(receipt::Column::Nid);
        find.limit(limit.min(PAGE_MAX)).all(self.readers()).await?.into_iter().map(row).collect()
    }

    /// Notes how far a receipt is. When this returns, a power cut does not undo it.
    pub async fn set_receipt_state(&self, nid: &str, state: &ReceiptState) -> Result<(), StoreError> {
        match moved(nid, state)?.exec(self.durable()).await?.rows_affected {
            0 => Err(StoreError::NoReceipt { nid: nid.to_owned() }),
            _ => Ok(()),
        }
    }
}

fn of_job(job: JobId) -> Select<receipt::Entity> {
    receipt::Entity::find().filter(receipt::Column::Job.eq(Hash(B256::new(job.0))))
}

fn moved(nid: &str, state: &ReceiptState) -> Result<UpdateMany<receipt::Entity>, StoreError> {
    let columns = Columns::of(state)?;
    Ok(receipt::Entity::update_many()
        .filter(receipt::Column::Nid.eq(nid))
        .col_expr(receipt::Column::State, Expr::value(columns.state))
        .col_expr(receipt::Column::Tx, Expr::value(columns.tx.map(Hash)))
        .col_expr(receipt::Column::TxNonce, Expr::value(columns.nonce.map(Whole)))
        .col_expr(receipt::Column::Raw, Expr::value(columns.raw))
        .col_expr(receipt::Column::Block, Expr::value(columns.block.map(Whole))))
}

/// A state as it lies in columns.
struct Columns {
    state: &'static str,
    tx: Option<B256>,
    nonce: Option<u64>,
    raw: Option<Vec<u8>>,
    block: Option<u64>,
}

impl Columns {
    fn of(state: &ReceiptState) -> Result<Self, StoreError> {
        let raw = match state {
            ReceiptState::Sending { raw, .. } | ReceiptState::Mined { raw, .. } => Some(raw.clone()),
            ReceiptState::Stored | ReceiptState::Committed { .. } => None,
        };
        if raw.as_ref().is_some_and(|raw| raw.len() > RAW_BYTES_MAX) {
            return Err(StoreError::TooLarge { what: "the signed commit", limit: RAW_BYTES_MAX });
        }
        let (state, tx, nonce, block) = match *state {
            ReceiptState::Stored => (STORED, None, None, None),
            ReceiptState::Sending { nonce, tx, .. } => (SENDING, Some(tx), Some(nonce), None),
            ReceiptState::Mined { tx, block, nonce, .. } => (MINED, Some(tx), Some(nonce), Some(block)),
            ReceiptState::Committed { tx, block } => (COMMITTED, Some(tx), None, Some(block)),
        };
        Ok(Self { state, tx, nonce, raw, block })
    }
}

fn model(row: &ReceiptRow) -> Result<receipt::Model, StoreError> {
    let columns = Columns::of(&row.state)?;
    Ok(receipt::Model {
        nid: row.nid.clone(),
        job: B256::new(row.job.0).into(),
        kind: row.kind.into(),
        idempotency_key: row.idempotency_key.clone(),
        document: row.document.clone(),
        occurred_at: row.occurred_at.0.into(),
        from_block: row.from_block.into(),
        to_block: row.to_block.into(),
        state: columns.state.to_owned(),
        tx: columns.tx.map(Into::into),
        tx_nonce: columns.nonce.map(Into::into),
        raw: columns.raw,
        block: columns.block.map(Into::into),
        recorder: row.recorder.map(Account),
    })
}

fn row(model: receipt::Model) -> Result<ReceiptRow, StoreError> {
    let corrupt = || StoreError::Corrupt { reason: format!("receipt {} is in no state", model.nid) };
    let tx = || model.tx.map(|it| it.0).ok_or_else(corrupt);
    let nonce = || model.tx_nonce.map(|it| it.0).ok_or_else(corrupt);
    let block = || model.block.map(|it| it.0).ok_or_else(corrupt);
    let raw = || model.raw.clone().ok_or_else(corrupt);
    let state = match model.state.as_str() {
        STORED => ReceiptState::Stored,
        SENDING => ReceiptState::Sending { nonce: nonce()?, tx: tx()?, raw: raw()? },
        MINED => ReceiptState::Mined { tx: tx()?, block: block()?, nonce: nonce()?, raw: raw()? },
        COMMITTED => ReceiptState::Committed { tx: tx()?, block: block()? },
        _ => return Err(corrupt()),
    };
    Ok(ReceiptRow {
        nid: model.nid,
        job: JobId(model.job.0.0),
        kind: model.kind.0,
        idempotency_key: model.idempotency_key,
        document: model.document,
        occurred_at: Timestamp(model.occurred_at.0),
        from_block: model.from_block.0,
        to_block: model.to_block.0,
        state,
        recorder: model.recorder.map(|it| it.0),
    })
}
