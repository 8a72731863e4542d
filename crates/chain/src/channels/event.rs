//! What happened to payment channels, read from their log.

use alloy::{
    primitives::{Address, B256},
    sol_types::SolEventInterface,
};
use market::Timestamp;
use wire::x402::typed::ChannelConfig;

use super::Channels;
use crate::{ChainError, RawLog, bindings::batch::BatchSettlement as contract};

/// One event of the channels' contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named after what the contract documents")]
pub enum ChannelEvent {
    /// Somebody paid in for the first time.
    Created { channel: B256, config: Box<ChannelConfig> },
    /// Nothing is left in it.
    Closed { channel: B256, config: Box<ChannelConfig> },
    /// Money came in; the new balance.
    Deposited { channel: B256, sender: Address, amount: u128, balance: u128 },
    /// The receiver claimed; the new total.
    Claimed { channel: B256, sender: Address, amount: u128, total: u128 },
    /// A bad row was passed over, for the error with this selector.
    ClaimSkipped { channel: B256, reason: [u8; 4] },
    /// A receiver was paid what it had claimed.
    Settled { receiver: Address, token: Address, sender: Address, amount: u128 },
    /// Money went back to the payer by the receiver's leave.
    Refunded { channel: B256, sender: Address, amount: u128 },
    /// The payer's side will take money back after this time: whoever serves it stops and claims.
    WithdrawInitiated { channel: B256, amount: u128, finalize_after: Timestamp },
    /// It did.
    WithdrawFinalized { channel: B256, sender: Address, amount: u128 },
}

/// An event and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelLog {
    /// What happened.
    pub event: ChannelEvent,
    /// The entry that says so.
    pub log: RawLog,
}

impl Channels {
    /// What happened in the blocks from `from` to `to` or the newest, in order. The newest blocks may still be replaced:
    /// compare the blocks' hashes later, or ask for none above [`Chain::finalized`](crate::Chain::finalized).
    pub async fn events(&self, from: u64, to: Option<u64>) -> Result<Vec<ChannelLog>, ChainError> {
        let logs = self.chain.logs(self.address, &[], from, to).await?;
        Ok(logs.into_iter().filter_map(|log| Some(ChannelLog { event: self.event(&log)?, log })).collect())
    }

    /// What an entry of a log says about these channels: of a receipt, where success alone does not say that money moved.
    #[must_use]
    pub fn event(&self, log: &RawLog) -> Option<ChannelEvent> {
        if log.address == self.address { ChannelEvent::read(log) } else { None }
    }
}

impl ChannelEvent {
    fn read(log: &RawLog) -> Option<Self> {
        use contract::BatchSettlementEvents as E;
        Some(match E::decode_raw_log(&log.topics, &log.data).ok()? {
            E::ChannelCreated(e) => Self::Created { channel: e.channelId, config: Box::new(agreed(&e.config)) },
            E::ChannelClosed(e) => Self::Closed { channel: e.channelId, config: Box::new(agreed(&e.config)) },
            E::Deposited(e) => {
                Self::Deposited { channel: e.channelId, sender: e.sender, amount: e.amount, balance: e.newBalance }
            }
            E::Claimed(e) => {
                let (amount, total) = (e.claimAmount, e.newTotalClaimed);
                Self::Claimed { channel: e.channelId, sender: e.sender, amount, total }
            }
            E::ClaimSkipped(e) => Self::ClaimSkipped { channel: e.channelId, reason: e.reason.0 },
            E::Settled(e) => Self::Settled { receiver: e.receiver, token: e.token, sender: e.sender, amount: e.amount },
            E::Refunded(e) => Self::Refunded { channel: e.channelId, sender: e.sender, amount: e.amount },
            E::WithdrawInitiated(e) => Self::WithdrawInitiated {
                channel: e.channelId,
                amount: e.amount,
                finalize_after: Timestamp(e.finalizeAfter.to()),
            },
            E::WithdrawFinalized(e) => {
                Self::WithdrawFinalized { channel: e.channelId, sender: e.sender, amount: e.amount }
            }
        })
    }
}

fn agreed(config: &contract::ChannelConfig) -> ChannelConfig {
    ChannelConfig {
        payer: config.payer,
        payerAuthorizer: config.payerAuthorizer,
        receiver: config.receiver,
        receiverAuthorizer: config.receiverAuthorizer,
        token: config.token,
        withdrawDelay: config.withdrawDelay,
        salt: config.salt,
    }
}
