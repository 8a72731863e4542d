//! Calls of the market as bytes, for wallets elsewhere: what they sign and send is theirs to decide.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolCall,
};
use market::{Amount, PerHour, ResourceId};
use wire::Terms;

use crate::{
    Authorization, Call, ChainError, Listing,
    bindings::{market::Market as contract, token::GPUToken as token},
    convert,
};

pub mod deposits;
pub mod dispute;
pub mod erc20;
pub mod reputation;
pub mod stake;
pub mod tills;
pub mod x402;

/// The sender becomes the owner of a provider; a zero `payout` means the sender.
#[must_use]
pub fn register_provider(agent: Address, payout: Address) -> Bytes {
    contract::registerProviderCall { agent, payout }.abi_encode().into()
}

/// Lists a resource of the sender's.
pub fn register_resource(listing: &Listing) -> Result<Bytes, ChainError> {
    Ok(contract::registerResourceCall { listing: convert::to_listing(listing)? }.abi_encode().into())
}

/// Offers a resource of the sender's, or not.
#[must_use]
pub fn update_availability(resource: ResourceId, available: bool) -> Bytes {
    contract::updateAvailabilityCall { resourceId: resource.0.into(), available }.abi_encode().into()
}

/// Sets the price of a resource of the sender's for new jobs.
pub fn update_pricing(resource: ResourceId, price: PerHour) -> Result<Bytes, ChainError> {
    let price = convert::fit("the price", price.0)?;
    Ok(contract::updatePricingCall { resourceId: resource.0.into(), pricePerHour: price }.abi_encode().into())
}

/// Locks the price of the whole duration, from a sender that has approved it.
#[must_use]
pub fn create_job(terms: &Terms) -> Bytes {
    contract::createJobCall { terms: convert::to_terms(terms) }.abi_encode().into()
}

/// Creates a job with the money and the signature of its renter; anyone may send it.
#[must_use]
pub fn create_job_with_authorization(market: Address, terms: &Terms, authorization: &Authorization) -> Call {
    let call = contract::createJobWithAuthorizationCall {
        terms: convert::to_terms(terms),
        validAfter: U256::from(authorization.valid_after.0),
        validBefore: U256::from(authorization.valid_before.0),
        signature: authorization.signature.0.into(),
    };
    Call::new(market, &call)
}

/// Takes the job back before it runs.
#[must_use]
pub fn cancel_job(terms: &Terms) -> Bytes {
    contract::cancelJobCall { terms: convert::to_terms(terms) }.abi_encode().into()
}

/// Ends a running job, as its renter or controller.
#[must_use]
pub fn stop_job(terms: &Terms) -> Bytes {
    contract::stopJobCall { terms: convert::to_terms(terms) }.abi_encode().into()
}

/// Lets `market` take up to `amount` from the sender. This call goes to the token, all others to the market.
#[must_use]
pub fn approve(market: Address, amount: Amount) -> Bytes {
    token::approveCall { spender: market, value: U256::from(amount.0) }.abi_encode().into()
}
