//! Calls about addresses that buy a job, and about the market's wallet.

use alloy::primitives::{Address, B256, U256};
use market::Amount;
use wire::Terms;

use crate::{
    Call,
    bindings::{around::Till as till, deposits::JobDeposits as contract},
};

/// Creates the job with the money at its address; anyone may.
#[must_use]
pub fn sweep(deposits: Address, terms: &Terms) -> Call {
    Call::new(deposits, &contract::sweepCall { terms: agreed(terms) })
}

/// Gives the money at a job's address to its renter, when it cannot buy the job; anyone may.
#[must_use]
pub fn return_deposit(deposits: Address, terms: &Terms) -> Call {
    Call::new(deposits, &contract::returnDepositCall { terms: agreed(terms) })
}

/// Gives another token that was sent to a job's address to its renter; anyone may.
#[must_use]
pub fn return_token(deposits: Address, terms: &Terms, token: Address) -> Call {
    Call::new(deposits, &contract::returnTokenCall { terms: agreed(terms), token })
}

/// Pays into the market's wallet for an account of its ledger, from a sender that has approved the till.
#[must_use]
pub fn pay_in(at: Address, account: B256, amount: Amount) -> Call {
    Call::new(at, &till::depositCall { account, amount: U256::from(amount.0) })
}

pub(crate) fn agreed(terms: &Terms) -> contract::Terms {
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
