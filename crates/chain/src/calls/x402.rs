//! Calls of payment channels (`x402BatchSettlement`).

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolValue,
};

use wire::x402::typed::ChannelConfig;

use crate::{Call, bindings::batch::BatchSettlement as contract};

/// `settle` gets this much whatever it would need now: when nothing is due yet it needs next to nothing, and by the time
/// it is mined there may be something.
pub const SETTLE_GAS: u64 = 120_000;

/// One row of a claim: a voucher and how much of it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which channel.
    pub channel: ChannelConfig,
    /// What the payer's side signed: all that may ever be claimed from the channel.
    pub max_claimable: u128,
    /// That signature.
    pub signature: Bytes,
    /// What will have been claimed in all, at most what was signed.
    pub total_claimed: u128,
}

impl From<&Claim> for contract::VoucherClaim {
    fn from(claim: &Claim) -> Self {
        Self {
            voucher: contract::Voucher { channel: agreed(&claim.channel), maxClaimableAmount: claim.max_claimable },
            signature: claim.signature.clone(),
            totalClaimed: claim.total_claimed,
        }
    }
}

pub(crate) fn agreed(channel: &ChannelConfig) -> contract::ChannelConfig {
    contract::ChannelConfig {
        payer: channel.payer,
        payerAuthorizer: channel.payerAuthorizer,
        receiver: channel.receiver,
        receiverAuthorizer: channel.receiverAuthorizer,
        token: channel.token,
        withdrawDelay: channel.withdrawDelay,
        salt: channel.salt,
    }
}

fn rows(claims: &[Claim]) -> Vec<contract::VoucherClaim> {
    claims.iter().map(contract::VoucherClaim::from).collect()
}

/// Fills a channel through a collector, which knows what to do with `collector_data`.
#[must_use]
pub fn deposit(at: Address, channel: &ChannelConfig, amount: u128, collector: Address, collector_data: Bytes) -> Call {
    let config = agreed(channel);
    Call::new(at, &contract::depositCall { config, amount, collector, collectorData: collector_data })
}

/// Claims, by the receiver or its authorizer. One bad row reverts all; one that brings nothing new is passed over.
#[must_use]
pub fn claim(at: Address, claims: &[Claim]) -> Call {
    Call::new(at, &contract::claimCall { voucherClaims: rows(claims) })
}

/// The same, passing over bad rows with an event each. Only our own deployment has it.
#[must_use]
pub fn claim_try(at: Address, claims: &[Claim]) -> Call {
    Call::new(at, &contract::claimTryCall { voucherClaims: rows(claims) })
}

/// Claims, by anyone, with the signature of the receivers' authorizer over all rows (`ClaimBatch`).
#[must_use]
pub fn claim_with_signature(at: Address, claims: &[Claim], signature: Bytes) -> Call {
    Call::new(at, &contract::claimWithSignatureCall { voucherClaims: rows(claims), authorizerSignature: signature })
}

/// Claims, pays the receiver and gives back `refund` to the payer in one call, by the receiver's side with an empty
/// signature or by anyone with its authorizer's. Only our own deployment has it.
#[must_use]
pub fn close(at: Address, claim: &Claim, refund: u128, signature: Bytes) -> Call {
    let call = contract::closeWithSignatureCall {
        voucherClaim: claim.into(),
        refundAmount: refund,
        receiverSignature: signature,
    };
    Call::new(at, &call)
}

/// Pays a receiver what was claimed for it; anyone may.
#[must_use]
pub fn settle(at: Address, receiver: Address, token: Address) -> Call {
    Call::new(at, &contract::settleCall { receiver, token }).with_gas(SETTLE_GAS)
}

/// Announces that the payer's side takes money back, which it can after the channel's delay.
#[must_use]
pub fn initiate_withdraw(at: Address, channel: &ChannelConfig, amount: u128) -> Call {
    Call::new(at, &contract::initiateWithdrawCall { config: agreed(channel), amount })
}

/// Takes it, once the delay is over.
#[must_use]
pub fn finalize_withdraw(at: Address, channel: &ChannelConfig) -> Call {
    Call::new(at, &contract::finalizeWithdrawCall { config: agreed(channel) })
}

/// Gives money back at once, by the receiver's side.
#[must_use]
pub fn refund(at: Address, channel: &ChannelConfig, amount: u128) -> Call {
    Call::new(at, &contract::refundCall { config: agreed(channel), amount })
}

/// The same, by anyone, with the signature of the receiver's authorizer (`Refund`).
#[must_use]
pub fn refund_with_signature(
    at: Address,
    channel: &ChannelConfig,
    amount: u128,
    nonce: U256,
    signature: Bytes,
) -> Call {
    Call::new(
        at,
        &contract::refundWithSignatureCall {
            config: agreed(channel),
            amount,
            nonce,
            receiverAuthorizerSignature: signature,
        },
    )
}

/// What the EIP-3009 collector is told: the times, a salt, and the payer's signature over a `ReceiveWithAuthorization`
/// to the collector with [`deposit_nonce`](wire::x402::typed::deposit_nonce) as its nonce.
#[must_use]
pub fn erc3009_data(valid_after: U256, valid_before: U256, salt: U256, signature: Bytes) -> Bytes {
    (valid_after, valid_before, salt, signature).abi_encode_params().into()
}

/// What the Permit2 collector is told: nonce and deadline of the permit, its signature, and for a payer that has not
/// approved Permit2 yet an encoded ERC-2612 permit, else nothing.
#[must_use]
pub fn permit2_data(nonce: U256, deadline: U256, signature: Bytes, permit: Bytes) -> Bytes {
    (nonce, deadline, signature, permit).abi_encode_params().into()
}
