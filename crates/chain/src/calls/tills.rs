//! Calls of providers' tills.

use alloy::primitives::Address;
use wire::x402::typed::ChannelConfig;

use super::x402::Claim;
use crate::{
    Call,
    bindings::{around::Tills as contract, till::ProviderTill as till},
};

/// Opens a provider's till; anyone may, and opening an open one changes nothing.
#[must_use]
pub fn open(tills: Address, provider_id: u32) -> Call {
    Call::new(tills, &contract::openCall { providerId: provider_id })
}

/// Pays the provider its part; anyone may.
#[must_use]
pub fn pay_provider(at: Address, token: Address) -> Call {
    Call::new(at, &till::payProviderCall { token })
}

/// Pays the platform its part; anyone may.
#[must_use]
pub fn pay_fee(at: Address, token: Address) -> Call {
    Call::new(at, &till::payFeeCall { token })
}

/// Claims from channels in the till's name, by the provider's owner.
#[must_use]
pub fn claim(at: Address, claims: &[Claim]) -> Call {
    let rows = claims.iter().map(|claim| till::VoucherClaim {
        voucher: till::Voucher { channel: agreed(&claim.channel), maxClaimableAmount: claim.max_claimable },
        signature: claim.signature.clone(),
        totalClaimed: claim.total_claimed,
    });
    Call::new(at, &till::claimCall { voucherClaims: rows.collect() })
}

/// Gives money in a channel back to its payer in the till's name, by the provider's owner.
#[must_use]
pub fn refund(at: Address, channel: &ChannelConfig, amount: u128) -> Call {
    Call::new(at, &till::refundCall { config: agreed(channel), amount })
}

fn agreed(channel: &ChannelConfig) -> till::ChannelConfig {
    till::ChannelConfig {
        payer: channel.payer,
        payerAuthorizer: channel.payerAuthorizer,
        receiver: channel.receiver,
        receiverAuthorizer: channel.receiverAuthorizer,
        token: channel.token,
        withdrawDelay: channel.withdrawDelay,
        salt: channel.salt,
    }
}
