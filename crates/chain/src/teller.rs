//! Calls by one key, as bytes that the caller keeps before anybody sees them.

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{Address, B256},
    providers::Provider,
};

use crate::{
    Call, Chain, ChainError, Receipt, SendConfig, Wallet,
    account::{Action, Sender},
    chain::Rejection,
};

/// Signs calls with a key that nothing else sends with: the caller hands out its nonces.
///
/// Nothing goes out unseen. [`prepare`](Self::prepare) signs, the caller writes the bytes down, [`send`](Self::send)
/// hands them to the node, and whoever finds the bytes after a crash sends them again: one nonce is one call.
#[derive(Clone)]
pub struct Teller {
    sender: Sender,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Teller({} on {:?})", self.address(), self.sender.chain)
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

/// A signed call that nobody has seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The place among the key's transactions that it takes.
    pub nonce: u64,
    /// Its hash.
    pub tx: B256,
    /// The bytes to keep and to send.
    pub raw: Vec<u8>,
}

impl Prepared {
    /// The most wei that it can cost in fees: its limit of gas at its highest price. What a second layer takes beside for
    /// its data is not in it.
    pub fn most_wei(&self) -> Result<u128, ChainError> {
        let envelope = read(&self.raw)?;
        Ok(u128::from(envelope.gas_limit()).saturating_mul(envelope.max_fee_per_gas()))
    }
}

/// Where a transaction was mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The height of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// It did not revert; what it did is in its logs ([`Chain::look_up`]).
    pub succeeded: bool,
}

impl Teller {
    /// Lets `wallet` send on `chain`.
    #[must_use]
    pub fn new(chain: Chain, wallet: Wallet) -> Self {
        Self::with(chain, wallet, SendConfig::default())
    }

    /// The same, with limits of one's own. Only those of the fee matter: nothing is resent or raised unasked.
    #[must_use]
    pub fn with(chain: Chain, wallet: Wallet, config: SendConfig) -> Self {
        Self { sender: Sender::new(chain, wallet, config) }
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

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.sender.chain
    }

    /// How many transactions the key has sent: the nonce of its next one.
    pub async fn nonce(&self, at: NonceAt) -> Result<u64, ChainError> {
        let count = self.chain().provider().get_transaction_count(self.address());
        let count = match at {
            NonceAt::Latest => count.latest().await,
            NonceAt::Pending => count.pending().await,
            NonceAt::Finalized => count.finalized().await,
        };
        count.map_err(|error| self.chain().failed("eth_getTransactionCount", error))
    }

    /// Signs `call` at `nonce`, for what blocks ask now, and sends nothing. A call that would revert now is not signed.
    pub async fn prepare(&self, call: &Call, nonce: u64) -> Result<Prepared, ChainError> {
        let (tx, raw) = self.sender.prepare(&Action::from(call), nonce).await?;
        Ok(Prepared { nonce, tx, raw: raw.into() })
    }

    /// Signs what `raw` says at the same nonce again, for so much more that nodes take it in its place; for a call that
    /// is not mined because blocks became dearer. Either of the two may be mined, never both. Bytes of another key or
    /// for another chain are refused.
    pub async fn prepare_dearer(&self, raw: &[u8]) -> Result<Prepared, ChainError> {
        let before = read(raw)?;
        let signer = before.signature().recover_address_from_prehash(&before.signature_hash());
        let theirs = signer.ok() != Some(self.address());
        let (nonce, Some(to), false) = (before.nonce(), before.to(), theirs) else {
            return Err(foreign("it is no call of this key"));
        };
        if before.chain_id() != Some(self.chain().id()) {
            return Err(foreign("it is for another chain"));
        }
        let call = Action { to: Some(to), input: before.input().clone(), gas: None };
        let paid = (before.max_fee_per_gas(), before.max_priority_fee_per_gas().unwrap_or_default());
        let (tx, raw) = self.sender.prepare_dearer(&call, nonce, before.gas_limit(), paid).await?;
        Ok(Prepared { nonce, tx, raw: raw.into() })
    }

    /// Hands signed bytes to the node. That it has them already is success: sending the same bytes again does no harm.
    /// [`NonceUsed`](ChainError::NonceUsed) means that these very bytes were mined or others with their nonce; their
    /// [`receipt`](Self::receipt) tells which. After an error that [is retryable](ChainError::is_retryable) the node may
    /// have them or not: the same bytes go again, never others.
    pub async fn send(&self, raw: &[u8]) -> Result<(), ChainError> {
        let Err(rejection) = self.chain().broadcast(raw).await else {
            return Ok(());
        };
        Err(match rejection {
            Rejection::NonceUsed => {
                ChainError::NonceUsed { tx: read(raw).map(|envelope| *envelope.tx_hash()).unwrap_or_default() }
            }
            other => self.sender.rejected(other).await,
        })
    }

    /// Where a transaction was mined; `None` while it was not.
    pub async fn receipt(&self, tx: B256) -> Result<Option<Inclusion>, ChainError> {
        Ok(self.chain().receipt(tx).await?.and_then(|receipt| Inclusion::of(&receipt)))
    }

    /// The same, with everything that was logged in it.
    pub async fn look_up(&self, tx: B256) -> Result<Option<Receipt>, ChainError> {
        self.chain().look_up(tx).await
    }

    /// Why a kept call reverted when it was mined in `block`: it is run again on the block below, then on its own.
    pub async fn explain(&self, raw: &[u8], block: u64) -> ChainError {
        let envelope = match read(raw) {
            Ok(envelope) => envelope,
            Err(error) => return error,
        };
        let action = Action { to: envelope.to(), input: envelope.input().clone(), gas: None };
        self.sender.explain(&action, *envelope.tx_hash(), block).await
    }
}

fn read(raw: &[u8]) -> Result<TxEnvelope, ChainError> {
    TxEnvelope::decode_2718_exact(raw).map_err(|error| foreign(&error.to_string()))
}

fn foreign(message: &str) -> ChainError {
    ChainError::BadAnswer { what: "a kept transaction", message: message.to_owned() }
}
