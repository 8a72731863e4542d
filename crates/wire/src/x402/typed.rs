//! What keys sign (EIP-712), under which domains, and the canonical addresses that official clients have built in.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, U256, address, b256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct, sol};

/// The escrow of `batch-settlement`.
pub const BATCH_SETTLEMENT: Address = address!("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003");
/// Brings deposits by EIP-3009.
pub const ERC3009_COLLECTOR: Address = address!("4020806089470a89826cB9fB1f4059150b550004");
/// Brings deposits by Permit2.
pub const PERMIT2_COLLECTOR: Address = address!("4020425FAf3B746C082C2f942b4E5159887B0005");
/// Uniswap's Permit2.
pub const PERMIT2: Address = address!("000000000022D473030F116dDEE9F6B43aC78BA3");

sol! {
    /// EIP-3009: anybody may submit it.
    #[derive(Debug, PartialEq, Eq)]
    struct TransferWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    /// EIP-3009: only the receiver may submit it.
    #[derive(Debug, PartialEq, Eq)]
    struct ReceiveWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    /// EIP-3009: the payer takes an authorization back.
    #[derive(Debug, PartialEq, Eq)]
    struct CancelAuthorization { address authorizer; bytes32 nonce; }

    /// Both sides of a channel and its rules; its EIP-712 digest is the channel's id.
    #[derive(Debug, PartialEq, Eq)]
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// The receiver may claim so much of the channel in all.
    #[derive(Debug, PartialEq, Eq)]
    struct Voucher { bytes32 channelId; uint128 maxClaimableAmount; }

    /// The receiver gives so much back.
    #[derive(Debug, PartialEq, Eq)]
    struct Refund { bytes32 channelId; uint256 nonce; uint128 amount; }

    /// A row of a batch.
    #[derive(Debug, PartialEq, Eq)]
    struct ClaimEntry { bytes32 channelId; uint128 maxClaimableAmount; uint128 totalClaimed; }

    /// The receiver's authorizer claims these rows.
    #[derive(Debug, PartialEq, Eq)]
    struct ClaimBatch { ClaimEntry[] claims; }
}

/// The domain of the batch-settlement contract at `contract`.
#[must_use]
pub fn batch_domain(chain_id: u64, contract: Address) -> Eip712Domain {
    let (name, version) = (Cow::Borrowed("x402 Batch Settlement"), Cow::Borrowed("1"));
    Eip712Domain::new(Some(name), Some(version), Some(U256::from(chain_id)), Some(contract), None)
}

/// The domain of a token with EIP-3009.
#[must_use]
pub fn token_domain(name: &str, version: &str, chain_id: u64, token: Address) -> Eip712Domain {
    let (name, version) = (Cow::Owned(name.to_owned()), Cow::Owned(version.to_owned()));
    Eip712Domain::new(Some(name), Some(version), Some(U256::from(chain_id)), Some(token), None)
}

/// What is signed for `statement` under a domain of which the separator is known.
#[must_use]
pub fn digest(separator: &B256, statement: &impl SolStruct) -> B256 {
    joined(separator, &statement.eip712_hash_struct())
}

/// Type hash of [`Voucher`].
const VOUCHER: B256 = b256!("1e1bd6ff84c3e0d9029a292b212e039c0ca97ec497c55191a4a5874294609a69");

/// What is signed for a voucher: the same as [`digest`] of a [`Voucher`], for those who check ten thousands a second.
#[must_use]
pub fn voucher_digest(separator: &B256, channel: &B256, max_claimable: u128) -> B256 {
    let mut fields = [0; 96];
    fields[..32].copy_from_slice(VOUCHER.as_slice());
    fields[32..64].copy_from_slice(channel.as_slice());
    fields[80..].copy_from_slice(&max_claimable.to_be_bytes());
    joined(separator, &keccak256(fields))
}

fn joined(separator: &B256, structure: &B256) -> B256 {
    let mut message = [0; 66];
    message[..2].copy_from_slice(&[0x19, 0x01]);
    message[2..34].copy_from_slice(separator.as_slice());
    message[34..].copy_from_slice(structure.as_slice());
    keccak256(message)
}

/// The nonce of the EIP-3009 authorization that brings a deposit: bound to the channel, and to the deposit by `salt`.
#[must_use]
pub fn deposit_nonce(channel: B256, salt: U256) -> B256 {
    let mut fields = [0; 64];
    fields[..32].copy_from_slice(channel.as_slice());
    fields[32..].copy_from_slice(&salt.to_be_bytes::<32>());
    keccak256(fields)
}
