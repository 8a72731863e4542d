//! Commits by one key, as bytes that the caller keeps before anybody sees them.

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{Address, B256},
    providers::Provider,
    sol_types::SolCall,
};

use super::Register;
use crate::{
    ChainError, SendConfig, Wallet,
    account::{Call, Sender},
    bindings::register::CommitRegister as contract,
    chain::Rejection,
};

/// Signs commits with a key that nothing else sends with: the caller hands out its nonces.
///
/// Nothing goes out unseen. [`prepare`](Self::prepare) signs, the caller writes the bytes down, [`send`](Self::send)
/// hands them to the node, and whoever finds the bytes after a crash sends them again: one nonce is one commit.
#[derive(Clone)]
pub struct Recorder {
    register: Register,
    sender: Sender,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({} in {:?})", self.address(), self.register)
    }
}

/// As of when a key's transactions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceAt {
    /// What is mined.
    Latest,
    /// With what waits in the node's pool.
    Pending,
    /// What is in final blocks: lower nonces are used up for good.
    Finalized,
}

/// A signed commit that nobody has seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The place among the key's transactions that it takes.
    pub nonce: u64,
    /// Its hash.
    pub tx: B256,
    /// The bytes to keep and to send.
    pub raw: Vec<u8>,
}

/// Where a transaction was mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The height of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// It did what it should; a commit fails only at a contract that is no register.
    pub succeeded: bool,
}

impl Recorder {
    /// Lets `wallet` commit to `register`.
    #[must_use]
    pub fn new(register: Register, wallet: Wallet) -> Self {
        let sender = Sender::new(register.chain().clone(), wallet, SendConfig::default());
        Self { register, sender }
    }

    /// The key's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.sender.wallet.address()
    }

    /// The register.
    #[must_use]
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// How many transactions the key has sent: the nonce of its next one.
    pub async fn nonce(&self, at: NonceAt) -> Result<u64, ChainError> {
        let chain = self.register.chain();
        let count = chain.provider().get_transaction_count(self.address());
        let count = match at {
            NonceAt::Latest => count.latest().await,
            NonceAt::Pending => count.pending().await,
            NonceAt::Finalized => count.finalized().await,
        };
        count.map_err(|error| chain.failed("eth_getTransactionCount", error))
    }

    /// Signs a commit of `data` about `nid` at `nonce`, for what blocks ask now, and sends nothing.
    pub async fn prepare(&self, nid: &str, data: &str, nonce: u64) -> Result<Prepared, ChainError> {
        let call = contract::commitCall { assetCid: nid.to_owned(), commitData: data.to_owned() };
        let call = Call { to: Some(self.register.address()), input: call.abi_encode().into() };
        let (tx, raw) = self.sender.prepare(&call, nonce).await?;
        Ok(Prepared { nonce, tx, raw: raw.into() })
    }

    /// Signs what `raw` says at the same nonce again, for so much more that nodes take it in its place; for a commit
    /// that is not mined because blocks became dearer. Either of the two may be mined, never both.
    pub async fn prepare_dearer(&self, raw: &[u8]) -> Result<Prepared, ChainError> {
        let foreign = |message: String| ChainError::BadAnswer { what: "a kept commit", message };
        let before = TxEnvelope::decode_2718_exact(raw).map_err(|error| foreign(error.to_string()))?;
        let (nonce, to) = (before.nonce(), before.to());
        if to != Some(self.register.address()) || before.chain_id() != Some(self.register.chain().id()) {
            return Err(foreign("it is for another register".into()));
        }
        let call = Call { to, input: before.input().clone() };
        let paid = (before.max_fee_per_gas(), before.max_priority_fee_per_gas().unwrap_or_default());
        let (tx, raw) = self.sender.prepare_dearer(&call, nonce, before.gas_limit(), paid).await?;
        Ok(Prepared { nonce, tx, raw: raw.into() })
    }

    /// Hands signed bytes to the node. That it has them already is success: sending the same bytes again does no harm.
    /// [`NonceUsed`](ChainError::NonceUsed) means that these very bytes were mined or others with their nonce; their
    /// [`receipt`](Self::receipt) tells which.
    pub async fn send(&self, raw: &[u8]) -> Result<(), ChainError> {
        let Err(rejection) = self.register.chain().broadcast(raw).await else {
            return Ok(());
        };
        Err(match rejection {
            Rejection::NonceUsed => {
                let hash = TxEnvelope::decode_2718_exact(raw).map(|envelope| *envelope.tx_hash());
                ChainError::NonceUsed { tx: hash.unwrap_or_default() }
            }
            other => self.sender.rejected(other).await,
        })
    }

    /// Where a transaction was mined; `None` while it was not.
    pub async fn receipt(&self, tx: B256) -> Result<Option<Inclusion>, ChainError> {
        let receipt = self.register.chain().receipt(tx).await?;
        Ok(receipt.and_then(|receipt| {
            let (block, block_hash) = (receipt.block_number?, receipt.block_hash?);
            Some(Inclusion { block, block_hash, succeeded: receipt.status() })
        }))
    }
}
