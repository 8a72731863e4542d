//! Channels and their newest vouchers.

use alloy_primitives::{Address, B256};
use market::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use wire::{SignatureBytes, x402::ChannelConfig};

use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Account, Decimal, Hash, Whole};
use crate::entity::x402::{answer, channel, voucher};
use crate::error::StoreError;
use crate::read::PAGE_MAX;

/// The largest answer that is kept beside a voucher. Larger ones are served, and not repeated.
pub const CHANNEL_ANSWER_BYTES_MAX: usize = 32 << 10;

/// A channel, as its contract had it when it was last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    /// Digest of the configuration.
    pub id: B256,
    /// Both sides and the rules.
    pub config: ChannelConfig,
    /// Deposited and not given back, smallest units.
    pub balance: u128,
    /// Claimed in all, smallest units.
    pub claimed: u128,
    /// When the payer asked to withdraw.
    pub withdraw_at: Option<Timestamp>,
    /// How often money was given back.
    pub refund_nonce: u128,
    /// When the contract was asked.
    pub synced_at: Timestamp,
    /// When a claim was last made, or the channel first seen.
    pub claimed_at: Timestamp,
}

/// The newest voucher of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoucherRow {
    /// The channel.
    pub id: B256,
    /// What was served for in all, smallest units.
    pub charged: u128,
    /// The running total that the payer signed last.
    pub signed_max: u128,
    /// His signature over it; nothing before his first.
    pub signature: Option<SignatureBytes>,
}

/// What a voucher bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRow {
    /// The channel.
    pub id: B256,
    /// The running total of the voucher.
    pub total: u128,
    /// The answer; at most [`CHANNEL_ANSWER_BYTES_MAX`].
    pub body: Vec<u8>,
}

impl Store {
    /// Notes what a channel's contract said.
    pub async fn put_channel(&self, row: &ChannelRow) -> Result<(), StoreError> {
        let config = serde_json::to_string(&row.config).map_err(|error| corrupt(&error))?;
        let model = channel::Model {
            id: row.id.into(),
            payer: row.config.payer.into(),
            receiver: row.config.receiver.into(),
            config,
            balance: row.balance.into(),
            claimed: row.claimed.into(),
            withdraw_at: row.withdraw_at.map_or(0, |at| at.0).into(),
            refund_nonce: row.refund_nonce.into(),
            synced_at: row.synced_at.0.into(),
            claimed_at: row.claimed_at.0.into(),
        };
        Ok(bulk::upsert::<channel::Entity>(self.writer(), vec![model]).await?)
    }

    /// A channel, and the newest voucher of it.
    pub async fn channel(&self, id: B256) -> Result<Option<(ChannelRow, Option<VoucherRow>)>, StoreError> {
        let Some(model) = channel::Entity::find_by_id(Hash(id)).one(self.durable()).await? else { return Ok(None) };
        let newest = voucher::Entity::find_by_id(Hash(id)).one(self.durable()).await?;
        Ok(Some((channel_row(model)?, newest.map(voucher_row).transpose()?)))
    }

    /// What the newest answered voucher of a channel bought.
    pub async fn channel_answer(&self, id: B256) -> Result<Option<AnswerRow>, StoreError> {
        let found = answer::Entity::find_by_id(Hash(id)).one(self.durable()).await?;
        Ok(found.map(|row| AnswerRow { id: row.id.0, total: row.total.0, body: row.body }))
    }

    /// Channels after this id, in the order of their ids; at most [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn channels_after(&self, after: Option<B256>) -> Result<Vec<ChannelRow>, StoreError> {
        let mut find = channel::Entity::find();
        if let Some(after) = after {
            find = find.filter(channel::Column::Id.gt(Hash(after)));
        }
        let found = find.order_by_asc(channel::Column::Id).limit(PAGE_MAX).all(self.readers()).await?;
        found.into_iter().map(channel_row).collect()
    }

    /// The newest voucher of a channel between these two.
    pub async fn channel_between(&self, payer: Address, receiver: Address) -> Result<Vec<ChannelRow>, StoreError> {
        let find = channel::Entity::find()
            .filter(channel::Column::Receiver.eq(Account(receiver)))
            .filter(channel::Column::Payer.eq(Account(payer)));
        find.limit(PAGE_MAX).all(self.readers()).await?.into_iter().map(channel_row).collect()
    }

    /// Keeps the newest voucher of each of these channels, in one transaction. When this returns, a power cut does not
    /// undo it.
    pub async fn put_vouchers(&self, rows: &[VoucherRow]) -> Result<(), StoreError> {
        self.put_vouchers_with(rows, Vec::new()).await
    }

    /// The same, and with them what some of them bought; one answer a channel. Either all is kept or nothing.
    pub async fn put_vouchers_with(&self, rows: &[VoucherRow], answers: Vec<AnswerRow>) -> Result<(), StoreError> {
        if answers.iter().any(|answer| answer.body.len() > CHANNEL_ANSWER_BYTES_MAX) {
            return Err(StoreError::TooLarge { what: "an answer", limit: CHANNEL_ANSWER_BYTES_MAX });
        }
        let model = |row: &VoucherRow| voucher::Model {
            id: row.id.into(),
            charged: row.charged.into(),
            signed_max: row.signed_max.into(),
            signature: row.signature.map(|it| it.0.to_vec()),
        };
        let transaction = self.begin_durable().await?;
        bulk::upsert::<voucher::Entity>(&transaction, rows.iter().map(model).collect()).await?;
        let bought = |row: AnswerRow| answer::Model { id: row.id.into(), total: row.total.into(), body: row.body };
        bulk::upsert::<answer::Entity>(&transaction, answers.into_iter().map(bought).collect()).await?;
        Ok(transaction.commit().await?)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as `map(channel_row)` over owned rows")]
fn channel_row(model: channel::Model) -> Result<ChannelRow, StoreError> {
    let (Decimal(balance), Decimal(claimed), Decimal(refund_nonce)) =
        (model.balance, model.claimed, model.refund_nonce);
    let Whole(withdraw_at) = model.withdraw_at;
    Ok(ChannelRow {
        id: model.id.0,
        config: serde_json::from_str(&model.config).map_err(|error| corrupt(&error))?,
        balance,
        claimed,
        withdraw_at: (withdraw_at != 0).then_some(Timestamp(withdraw_at)),
        refund_nonce,
        synced_at: Timestamp(model.synced_at.0),
        claimed_at: Timestamp(model.claimed_at.0),
    })
}

fn voucher_row(model: voucher::Model) -> Result<VoucherRow, StoreError> {
    let signature = match model.signature {
        Some(bytes) => Some(SignatureBytes(bytes.try_into().map_err(|_| corrupt(&"a signature has 65 bytes"))?)),
        None => None,
    };
    Ok(VoucherRow { id: model.id.0, charged: model.charged.0, signed_max: model.signed_max.0, signature })
}

fn corrupt(reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { reason: format!("a payment channel: {reason}") }
}
