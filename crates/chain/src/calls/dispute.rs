//! Calls that dispute a job or make it final.

use alloy::primitives::Address;
use market::BasisPoints;
use wire::Terms;

use crate::{Call, bindings::market::Market as contract, convert};

/// Pays the rest of jobs whose dispute window is over; anyone may.
#[must_use]
pub fn finalize(market: Address, terms: &[Terms]) -> Call {
    Call::new(market, &contract::finalizeCall { terms: terms.iter().map(convert::to_terms).collect() })
}

/// Disputes what a job earned last, from a sender that has approved the bond.
#[must_use]
pub fn dispute_job(market: Address, terms: &Terms, reason: &str) -> Call {
    let terms = convert::to_terms(terms);
    Call::new(market, &contract::disputeJobCall { terms, reason: reason.to_owned() })
}

/// Settles half and half what no judge answered for seven days; anyone may.
#[must_use]
pub fn settle_dispute(market: Address, terms: &Terms) -> Call {
    Call::new(market, &contract::settleDisputeCall { terms: convert::to_terms(terms) })
}

/// Decides a dispute as a judge: the provider's share of the pot, with the CID of the evidence.
#[must_use]
pub fn resolve_dispute(market: Address, terms: &Terms, provider: BasisPoints, evidence: &str) -> Call {
    let terms = convert::to_terms(terms);
    let (share, evidence) = (provider.0, evidence.to_owned());
    Call::new(market, &contract::resolveDisputeCall { terms, providerBps: share, evidenceCid: evidence })
}
