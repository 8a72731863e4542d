//! Calls of a token.

use alloy::primitives::{Address, B256, Bytes, U256};
use market::Amount;

use crate::{Call, bindings::erc20 as token};

/// What an authorization of EIP-3009 says. Times are unix seconds, both ends excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// Who pays, and signed it.
    pub from: Address,
    /// Who gets it.
    pub to: Address,
    /// How many of the smallest unit.
    pub value: U256,
    /// Valid later than this.
    pub valid_after: U256,
    /// Valid earlier than this.
    pub valid_before: U256,
    /// Good once.
    pub nonce: B256,
}

/// Lets `spender` take up to `amount` from the sender.
#[must_use]
pub fn approve(at: Address, spender: Address, amount: Amount) -> Call {
    Call::new(at, &token::approveCall { spender, value: U256::from(amount.0) })
}

/// Sends tokens of the sender's.
#[must_use]
pub fn transfer(at: Address, to: Address, amount: Amount) -> Call {
    Call::new(at, &token::transferCall { to, value: U256::from(amount.0) })
}

/// Moves what was authorized; anyone may. The signature is 65 bytes of a key, or whatever a wallet that is a contract
/// accepts.
#[must_use]
pub fn transfer_with_authorization(at: Address, what: &Authorized, signature: Bytes) -> Call {
    let call = token::transferWithAuthorizationCall {
        from: what.from,
        to: what.to,
        value: what.value,
        validAfter: what.valid_after,
        validBefore: what.valid_before,
        nonce: what.nonce,
        signature,
    };
    Call::new(at, &call)
}

/// The same, by the receiver alone.
#[must_use]
pub fn receive_with_authorization(at: Address, what: &Authorized, signature: Bytes) -> Call {
    let call = token::receiveWithAuthorizationCall {
        from: what.from,
        to: what.to,
        value: what.value,
        validAfter: what.valid_after,
        validBefore: what.valid_before,
        nonce: what.nonce,
        signature,
    };
    Call::new(at, &call)
}
