//! What can go wrong, by what the caller does next.

use std::{path::PathBuf, time::Duration};

use alloy::primitives::{Address, B256, U256};

use crate::MarketRevert;

/// Why a call to the chain failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Nobody answered. Try again.
    #[error("the chain's RPC endpoint {host} does not answer ({cause}); is it running?")]
    Unreachable {
        /// Host and port, without path or credentials.
        host: String,
        /// The deepest cause.
        cause: String,
    },
    /// The node answered with an error that is no revert. Trying the same again will not help.
    #[error("the node refused {what}: {message}")]
    Refused {
        /// The request.
        what: &'static str,
        /// The node's own words.
        message: String,
    },
    /// The node's answer cannot be understood.
    #[error("the node answered {what} with something else: {message}")]
    BadAnswer {
        /// The request.
        what: &'static str,
        /// What does not fit.
        message: String,
    },
    /// The contract said no, and nothing has changed but the gas of a mined transaction.
    #[error(transparent)]
    Reverted(#[from] MarketRevert),
    /// The outcome is not known: the transaction may still be mined. Look it up; do not send another in its place.
    #[error("transaction {tx} was not mined within {} s and may still be", waited.as_secs())]
    NotMined {
        /// The transaction as it was last offered.
        tx: B256,
        /// How long its receipt was awaited.
        waited: Duration,
    },
    /// Another transaction of the same key took its place: this one will never be mined. Look at the state, then decide.
    #[error("transaction {tx} was replaced by another one of the same key")]
    Replaced {
        /// The transaction that lost its place.
        tx: B256,
    },
    /// The key cannot pay for gas.
    #[error("{account} has {balance} wei, too little to pay for gas; send it some of the chain's own coin")]
    InsufficientGas {
        /// Whose.
        account: Address,
        /// What it has.
        balance: U256,
    },
    /// The fee that blocks ask for is above the limit of the settings.
    #[error("blocks ask for {asked} wei a unit of gas, the limit is {limit}")]
    FeeTooHigh {
        /// What would have to be offered.
        asked: u128,
        /// The limit.
        limit: u128,
    },
    /// It is another chain.
    #[error("the RPC endpoint serves chain {found}, expected chain {expected}")]
    WrongChain {
        /// As configured.
        expected: u64,
        /// As answered.
        found: u64,
    },
    /// There is no market at the address.
    #[error("there is no market at {address} on chain {chain_id}; check the address and the RPC endpoint")]
    NoMarket {
        /// Where it was looked for.
        address: Address,
        /// And on which chain.
        chain_id: u64,
    },
    /// There is no token at the address.
    #[error("there is no ERC-20 token at {address} on chain {chain_id}; check the address and the RPC endpoint")]
    NoToken {
        /// Where it was looked for.
        address: Address,
        /// And on which chain.
        chain_id: u64,
    },
    /// There is no such contract at the address.
    #[error("the contract at {address} on chain {chain_id} is not the one that is looked for; check the address")]
    NoContract {
        /// Where it was looked for.
        address: Address,
        /// And on which chain.
        chain_id: u64,
    },
    /// There is no register of commits at the address.
    #[error("there is no contract at {address} on chain {chain_id} to commit to; check the register's address")]
    NoRegister {
        /// Where it was looked for.
        address: Address,
        /// And on which chain.
        chain_id: u64,
    },
    /// The nonce of signed bytes is used up: by themselves or by others of the same key. Look for their receipt.
    #[error("the nonce of transaction {tx} is used up, by itself or by another one of the same key")]
    NonceUsed {
        /// The transaction that was handed in.
        tx: B256,
    },
    /// The key is one that everybody has.
    #[error(
        "{0} is a development key that is printed in manuals: whoever reads them can take what it holds; use a key of your own on this chain"
    )]
    WellKnownKey(Address),
    /// A market cannot be set up like that.
    #[error("the market cannot be set up so: {0}")]
    BadSetup(String),
    /// The text is no private key. The text itself is not repeated.
    #[error("a private key is 64 hexadecimal digits, with or without 0x, and not zero")]
    BadKey,
    /// A keystore file and a password do not belong together.
    #[error("wrong password for {}; type it again, or choose the keystore that it belongs to", path.display())]
    WrongPassword {
        /// The file.
        path: PathBuf,
    },
    /// A keystore file cannot be read or written.
    #[error("keystore {}: {reason}", path.display())]
    Keystore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The development chain does not run.
    #[error("development chain: {reason}")]
    DevChain {
        /// Why.
        reason: String,
    },
}

impl ChainError {
    /// The same call may succeed when it is made again later, and making it again does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// The contract's reason, when it was the contract that said no.
    #[must_use]
    pub fn revert(&self) -> Option<&MarketRevert> {
        match self {
            Self::Reverted(revert) => Some(revert),
            _ => None,
        }
    }
}
