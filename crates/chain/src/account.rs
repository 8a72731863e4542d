//! Writes by one key to one market.

use alloy::{
    primitives::{Address, B256, aliases::U40},
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
};
use market::Timestamp;

use crate::{BlockHeader, Call, ChainError, Market, MarketEvent, RawLog, SendConfig, Wallet, convert};

mod authorize;
mod dispute;
mod flight;
mod lane;
mod operate;
mod provide;
mod rent;
mod send;
mod stake;
mod typed;

pub use authorize::Authorization;
pub(crate) use flight::Flight;
pub(crate) use lane::Lane;
pub(crate) use send::{Action, Sender};

/// A transaction that was mined and did what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Its hash.
    pub tx: B256,
    /// The height of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// The time of its block.
    pub timestamp: Timestamp,
    /// Gas that it took.
    pub gas_used: u64,
    /// What the market logged in it.
    pub events: Vec<MarketEvent>,
    /// Everything that was logged in it, by whomever.
    pub logs: Vec<RawLog>,
}

/// One key acting on one market. Clones, and accounts made anew for the same key and [`Chain`](crate::Chain), share
/// one sequence of nonces, so that any number may send at once. Dropping the future of a write does not take it back:
/// its outcome is unknown then.
#[derive(Clone)]
pub struct Account {
    market: Market,
    sender: Sender,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({} in {:?})", self.address(), self.market)
    }
}

impl Account {
    /// Lets `wallet` act on `market`.
    #[must_use]
    pub fn new(market: Market, wallet: Wallet, config: SendConfig) -> Self {
        let sender = Sender::new(market.chain().clone(), wallet, config);
        Self { market, sender }
    }

    /// The key's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.sender.wallet.address()
    }

    /// The key.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.sender.wallet
    }

    /// The market.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// What became of a transaction: mined, or `None` while that is open. One that was mined and reverted is an error.
    pub async fn outcome(&self, tx: B256) -> Result<Option<Mined>, ChainError> {
        let Some(receipt) = self.market.chain().receipt(tx).await? else {
            return Ok(None);
        };
        if !receipt.status() {
            return Err(crate::MarketRevert::Unexplained(tx).into());
        }
        self.mined(receipt).await.map(Some)
    }

    /// Sends any call with this key and waits until it is mined. What the market logged in it is in `events`, what
    /// others logged in `logs`: a call that was mined need not have moved anything.
    pub async fn execute(&self, call: &Call) -> Result<Mined, ChainError> {
        self.act(Action::from(call)).await
    }

    async fn send<C: SolCall>(&self, call: &C) -> Result<Mined, ChainError> {
        self.send_to(self.market.address(), call).await
    }

    async fn send_to<C: SolCall>(&self, to: Address, call: &C) -> Result<Mined, ChainError> {
        self.act(Action::call(to, call)).await
    }

    async fn act(&self, action: Action) -> Result<Mined, ChainError> {
        let receipt = self.sender.send(action).await?;
        let tx = receipt.transaction_hash;
        // It is mined; an error that invites to try again would have it done twice.
        self.mined(receipt).await.map_err(|error| {
            tracing::warn!(%error, %tx, "a mined transaction cannot be read");
            ChainError::NotMined { tx, waited: self.market.chain().config().request_timeout }
        })
    }

    async fn mined(&self, receipt: TransactionReceipt) -> Result<Mined, ChainError> {
        let incomplete = || ChainError::BadAnswer { what: "eth_getTransactionReceipt", message: "no block".into() };
        let block_hash = receipt.block_hash.ok_or_else(incomplete)?;
        let block = receipt.block_number.ok_or_else(incomplete)?;
        let logged = receipt.inner.logs();
        let timestamp = match logged.first().and_then(|log| log.block_timestamp) {
            Some(timestamp) => Timestamp(timestamp),
            None => self.market.chain().block_by_hash(block_hash).await?.ok_or_else(incomplete)?.timestamp,
        };
        let ours = logged.iter().filter(|log| log.address() == self.market.address());
        let events = ours.filter_map(|log| MarketEvent::decode(&log.inner)).collect();
        let header = BlockHeader { number: block, hash: block_hash, timestamp };
        let logs = logged.iter().filter_map(|log| RawLog::new(header, log)).collect();
        let (tx, gas_used) = (receipt.transaction_hash, receipt.gas_used);
        Ok(Mined { tx, block, block_hash, timestamp, gas_used, events, logs })
    }
}

fn moment(at: Timestamp) -> Result<U40, ChainError> {
    convert::fit("a block time", at.0.into())
}
