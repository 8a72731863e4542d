//! Commits by one key, as bytes that the caller keeps before anybody sees them.

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{Address, B256},
};

use super::Register;
use crate::{
    Call, ChainError, Inclusion, NonceAt, Prepared, Teller, Wallet, bindings::register::CommitRegister as contract,
};

/// Signs commits with a key that nothing else sends with: a [`Teller`] for one register.
#[derive(Clone)]
pub struct Recorder {
    register: Register,
    teller: Teller,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({} in {:?})", self.address(), self.register)
    }
}

impl Recorder {
    /// Lets `wallet` commit to `register`.
    #[must_use]
    pub fn new(register: Register, wallet: Wallet) -> Self {
        let teller = Teller::new(register.chain().clone(), wallet);
        Self { register, teller }
    }

    /// The key's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.teller.address()
    }

    /// The register.
    #[must_use]
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// How many transactions the key has sent: the nonce of its next one.
    pub async fn nonce(&self, at: NonceAt) -> Result<u64, ChainError> {
        self.teller.nonce(at).await
    }

    /// Signs a commit of `data` about `nid` at `nonce`, for what blocks ask now, and sends nothing.
    pub async fn prepare(&self, nid: &str, data: &str, nonce: u64) -> Result<Prepared, ChainError> {
        let commit = contract::commitCall { assetCid: nid.to_owned(), commitData: data.to_owned() };
        self.teller.prepare(&Call::new(self.register.address(), &commit), nonce).await
    }

    /// Signs what `raw` says at the same nonce again, for so much more that nodes take it in its place; for a commit
    /// that is not mined because blocks became dearer. Either of the two may be mined, never both.
    pub async fn prepare_dearer(&self, raw: &[u8]) -> Result<Prepared, ChainError> {
        let before = TxEnvelope::decode_2718_exact(raw).ok();
        if before.as_ref().and_then(Transaction::to) != Some(self.register.address()) {
            let message = "it is for another register".to_owned();
            return Err(ChainError::BadAnswer { what: "a kept commit", message });
        }
        self.teller.prepare_dearer(raw).await
    }

    /// Hands signed bytes to the node, as [`Teller::send`] does.
    pub async fn send(&self, raw: &[u8]) -> Result<(), ChainError> {
        self.teller.send(raw).await
    }

    /// Where a transaction was mined; `None` while it was not. A commit fails only at a contract that is no register.
    pub async fn receipt(&self, tx: B256) -> Result<Option<Inclusion>, ChainError> {
        self.teller.receipt(tx).await
    }
}
