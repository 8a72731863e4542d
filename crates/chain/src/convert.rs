//! Between the contracts' words and the domain's. A number that cannot occur is held at its type's end.

use alloy::primitives::{U256, Uint};
use market::{Amount, Outcome, Status, Timestamp};

use crate::{ChainError, Listing, Order, bindings::market::Market as contract};

/// The number, held at the largest that fits.
pub(crate) fn low(value: U256) -> u128 {
    value.saturating_to()
}

pub(crate) fn amount(value: U256) -> Amount {
    Amount(low(value))
}

/// A count, held at the largest that fits.
pub(crate) fn number(value: U256) -> u64 {
    value.saturating_to()
}

pub(crate) fn timestamp(value: U256) -> Timestamp {
    Timestamp(value.saturating_to())
}

pub(crate) fn status(code: u8) -> Status {
    match code {
        1 => Status::Created,
        2 => Status::Accepted,
        3 => Status::Running,
        4 => Status::Paused,
        5 => Status::Silent,
        6 => Status::Ended,
        7 => Status::Disputed,
        8 => Status::Final,
        9 => Status::Cancelled,
        _ => Status::None,
    }
}

pub(crate) fn outcome(code: u8) -> Outcome {
    match code {
        1 => Outcome::Succeeded,
        2 => Outcome::Failed,
        3 => Outcome::StoppedByRenter,
        4 => Outcome::AbortedByProvider,
        5 => Outcome::Silent,
        6 => Outcome::Disputed,
        _ => Outcome::None,
    }
}

pub(crate) fn outcome_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::None => 0,
        Outcome::Succeeded => 1,
        Outcome::Failed => 2,
        Outcome::StoppedByRenter => 3,
        Outcome::AbortedByProvider => 4,
        Outcome::Silent => 5,
        Outcome::Disputed => 6,
    }
}

pub(crate) fn to_terms(terms: &wire::Terms) -> contract::Terms {
    contract::Terms {
        renter: terms.renter,
        controller: terms.controller,
        resourceId: terms.resourceId,
        pricePerHour: terms.pricePerHour,
        minCharge: terms.minCharge,
        maxDuration: terms.maxDuration,
        notBefore: terms.notBefore,
        cancelFeeBps: terms.cancelFeeBps,
        specDigest: terms.specDigest,
        flags: terms.flags,
        salt: terms.salt,
        extra: terms.extra,
    }
}

pub(crate) fn to_order(order: &Order) -> contract::Order {
    contract::Order {
        renter: order.renter,
        matcher: order.matcher,
        controller: order.controller,
        specDigest: order.specDigest,
        needsDigest: order.needsDigest,
        maxPrice: order.maxPrice,
        maxMinCharge: order.maxMinCharge,
        maxDuration: order.maxDuration,
        budget: order.budget,
        expiry: order.expiry,
        nonce: order.nonce,
    }
}

pub(crate) fn from_terms(terms: &contract::Terms) -> wire::Terms {
    wire::Terms {
        renter: terms.renter,
        controller: terms.controller,
        resourceId: terms.resourceId,
        pricePerHour: terms.pricePerHour,
        minCharge: terms.minCharge,
        maxDuration: terms.maxDuration,
        notBefore: terms.notBefore,
        cancelFeeBps: terms.cancelFeeBps,
        specDigest: terms.specDigest,
        flags: terms.flags,
        salt: terms.salt,
        extra: terms.extra,
    }
}

pub(crate) fn to_listing(listing: &Listing) -> Result<contract::Listing, ChainError> {
    let hardware = &listing.hardware;
    Ok(contract::Listing {
        key: listing.key,
        pricePerHour: fit("the price", listing.price.0)?,
        simulated: hardware.simulated,
        model: hardware.model.clone(),
        gpuCount: hardware.gpus,
        vramMib: u32::try_from(hardware.vram.0).unwrap_or(u32::MAX),
        vcpus: hardware.cpus,
        memoryMib: u32::try_from(hardware.memory.0).unwrap_or(u32::MAX),
        storageMib: hardware.disk.0,
        details: listing.details.clone(),
    })
}

pub(crate) fn from_listing(listing: contract::Listing) -> Listing {
    Listing {
        key: listing.key,
        price: market::PerHour(listing.pricePerHour.to()),
        hardware: market::Hardware {
            model: listing.model,
            gpus: listing.gpuCount,
            vram: market::Mebibytes(listing.vramMib.into()),
            cpus: listing.vcpus,
            memory: market::Mebibytes(listing.memoryMib.into()),
            disk: market::Mebibytes(listing.storageMib),
            simulated: listing.simulated,
        },
        details: listing.details,
    }
}

/// The number in the contract's width, or why it does not go there.
pub(crate) fn fit<const BITS: usize, const LIMBS: usize>(
    what: &'static str,
    value: u128,
) -> Result<Uint<BITS, LIMBS>, ChainError> {
    Uint::try_from(value)
        .map_err(|_| ChainError::Refused { what, message: format!("{value} is larger than the contract can hold") })
}
