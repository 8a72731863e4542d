//! Disputes, and what makes a job final.

use market::{Amount, BasisPoints};
use wire::{SignatureBytes, Terms};

use super::{Account, Mined};
use crate::{ChainError, Order, bindings::market::Market as contract, calls, convert};

impl Account {
    /// Pays the rest of jobs that ended longer than the dispute window ago, books the fee, frees their stake. Anyone may;
    /// all of them or none.
    pub async fn finalize(&self, terms: &[Terms]) -> Result<Mined, ChainError> {
        self.execute(&calls::dispute::finalize(self.market.address(), terms)).await
    }

    /// Disputes what was earned last, as renter or provider; ends a job that runs. Takes the bond from this key, which
    /// must have approved it: a tenth of the pot, or the market's least.
    pub async fn dispute_job(&self, terms: &Terms, reason: &str) -> Result<Mined, ChainError> {
        self.execute(&calls::dispute::dispute_job(self.market.address(), terms, reason)).await
    }

    /// Gives the provider none, half or all of the pot, as a judge, with the CID of the evidence, and settles the job.
    pub async fn resolve_dispute(
        &self,
        terms: &Terms,
        provider: BasisPoints,
        evidence: &str,
    ) -> Result<Mined, ChainError> {
        let call = contract::resolveDisputeCall {
            terms: convert::to_terms(terms),
            providerBps: provider.0,
            evidenceCid: evidence.to_owned(),
        };
        self.send(&call).await
    }

    /// Settles a dispute half and half that no judge answered for seven days. Anyone may.
    pub async fn settle_dispute(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.execute(&calls::dispute::settle_dispute(self.market.address(), terms)).await
    }

    /// Creates a job in a renter's name and with its money, as the matcher that the renter's signed order names.
    pub async fn create_job_for(
        &self,
        order: &Order,
        signature: &SignatureBytes,
        terms: &Terms,
    ) -> Result<Mined, ChainError> {
        let call = contract::createJobForCall {
            order: convert::to_order(order),
            signature: signature.0.into(),
            terms: convert::to_terms(terms),
        };
        self.send(&call).await
    }

    /// Sets the least that a dispute's opener puts down, as treasurer.
    pub async fn set_min_bond(&self, amount: Amount) -> Result<Mined, ChainError> {
        self.send(&contract::setMinBondCall { amount: amount.0 }).await
    }
}
