//! Calls about the stake of a listing.

use alloy::primitives::Address;
use market::{Amount, BasisPoints, ResourceId};

use crate::{Call, ChainError, bindings::market::Market as contract, convert};

/// Puts down stake for a resource, from a sender that has approved it.
pub fn stake(market: Address, resource: ResourceId, amount: Amount) -> Result<Call, ChainError> {
    let amount = convert::fit("the stake", amount.0)?;
    Ok(Call::new(market, &contract::stakeCall { resourceId: resource.0.into(), amount }))
}

/// Asks free stake of the sender's resource back.
pub fn unstake(market: Address, resource: ResourceId, amount: Amount) -> Result<Call, ChainError> {
    let amount = convert::fit("the stake", amount.0)?;
    Ok(Call::new(market, &contract::unstakeCall { resourceId: resource.0.into(), amount }))
}

/// Takes back what was asked back fourteen days ago or earlier.
#[must_use]
pub fn withdraw_stake(market: Address, resource: ResourceId, to: Address) -> Call {
    Call::new(market, &contract::withdrawStakeCall { resourceId: resource.0.into(), to })
}

/// Sets the most that a reservation can ask for being cancelled.
#[must_use]
pub fn set_cancel_fee(market: Address, resource: ResourceId, fee: BasisPoints) -> Call {
    Call::new(market, &contract::setCancelFeeCall { resourceId: resource.0.into(), cancelFeeBps: fee.0 })
}
