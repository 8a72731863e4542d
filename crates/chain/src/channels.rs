//! Reads of payment channels (`x402BatchSettlement`).

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    sol_types::SolCall,
};
use market::{Amount, Timestamp};

use wire::x402::typed::ChannelConfig;

use crate::{Chain, ChainError, bindings::batch::BatchSettlement as contract, calls, deposits::absent};

mod event;
pub use event::{ChannelEvent, ChannelLog};

/// The channels of one contract. Cheap to clone.
#[derive(Clone)]
pub struct Channels {
    chain: Chain,
    address: Address,
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Channels({} on {:?})", self.address, self.chain)
    }
}

/// What the contract remembers of a channel. Both only ever grow but for what the payer gets back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// What was paid in, less what went back to the payer.
    pub balance: u128,
    /// How much of it the receiver has claimed.
    pub claimed: u128,
}

/// Money that the payer's side is about to take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// How much, at most.
    pub amount: u128,
    /// Block time at which it was announced; the channel's delay counts from it.
    pub announced_at: Timestamp,
}

/// A receiver's totals in one token, over all channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverTotals {
    /// What was claimed.
    pub claimed: Amount,
    /// What of it was paid out.
    pub settled: Amount,
}

impl Channels {
    /// Finds the contract at `address`.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let found = Self { chain, address };
        let asked = found.read(&contract::refundNonceCall { channelId: B256::ZERO }).await;
        asked.map_err(|error| absent(error, &found.chain, address))?;
        Ok(found)
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The chain it is on.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The id that the contract gives a channel.
    pub async fn id(&self, channel: &ChannelConfig) -> Result<B256, ChainError> {
        self.read(&contract::getChannelIdCall { config: calls::x402::agreed(channel) }).await
    }

    /// What stands in a channel; nothing in one that nobody paid into.
    pub async fn channel(&self, id: B256) -> Result<Channel, ChainError> {
        let found = self.read(&contract::channelsCall { channelId: id }).await?;
        Ok(Channel { balance: found.balance, claimed: found.totalClaimed })
    }

    /// What the payer's side has announced to take back.
    pub async fn pending_withdrawal(&self, id: B256) -> Result<Option<Withdrawal>, ChainError> {
        let found = self.read(&contract::pendingWithdrawalsCall { channelId: id }).await?;
        let announced_at = Timestamp(found.initiatedAt.to());
        Ok((announced_at != Timestamp(0)).then_some(Withdrawal { amount: found.amount, announced_at }))
    }

    /// The nonce of the channel's next signed refund.
    pub async fn refund_nonce(&self, id: B256) -> Result<U256, ChainError> {
        self.read(&contract::refundNonceCall { channelId: id }).await
    }

    /// What a receiver has claimed and got.
    pub async fn receiver(&self, receiver: Address, token: Address) -> Result<ReceiverTotals, ChainError> {
        let found = self.read(&contract::receiversCall { receiver, token }).await?;
        Ok(ReceiverTotals { claimed: Amount(found.totalClaimed), settled: Amount(found.totalSettled) })
    }

    async fn read<C: SolCall>(&self, call: &C) -> Result<C::Return, ChainError> {
        self.chain.call(self.address, call, BlockId::latest()).await
    }
}
