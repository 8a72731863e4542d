//! What providers do with their jobs and listings.

use alloy::primitives::{Address, B256};
use market::{Outcome, PerHour, ResourceId, Timestamp};
use wire::{SignatureBytes, Terms};

use super::{Account, Mined, moment};
use crate::{ChainError, Listing, bindings::market::Market as contract, convert};

impl Account {
    /// Holds the resource for the job.
    pub async fn accept_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::acceptJobCall { terms: convert::to_terms(terms) }).await
    }

    /// Refuses the job before it runs, with the reason on chain: full refund.
    pub async fn decline_job(&self, terms: &Terms, reason: &str) -> Result<Mined, ChainError> {
        self.send(&contract::declineJobCall { terms: convert::to_terms(terms), reason: reason.to_owned() }).await
    }

    /// Starts the clock with the controller's signed `Ready` of time `at`; accepts too where that was not done.
    pub async fn start_job(
        &self,
        terms: &Terms,
        ready_record: B256,
        at: u64,
        signature: &SignatureBytes,
    ) -> Result<Mined, ChainError> {
        let ready = contract::Ready { readyRecord: ready_record, at: moment(Timestamp(at))? };
        let terms = convert::to_terms(terms);
        self.send(&contract::startJobCall { terms, ready, signature: signature.0.into() }).await
    }

    /// Stops the clock for a while.
    pub async fn pause_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::pauseJobCall { terms: convert::to_terms(terms) }).await
    }

    /// Lets the clock run on; the gap is not billed.
    pub async fn resume_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::resumeJobCall { terms: convert::to_terms(terms) }).await
    }

    /// Pays out what is due by now.
    pub async fn process_payment(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::processPaymentCall { terms: convert::to_terms(terms) }).await
    }

    /// Ends the job as its provider and settles.
    pub async fn complete_job(
        &self,
        terms: &Terms,
        outcome: Outcome,
        result_digest: B256,
    ) -> Result<Mined, ChainError> {
        let (terms, outcome) = (convert::to_terms(terms), convert::outcome_code(outcome));
        self.send(&contract::completeJobCall { terms, outcome, resultDigest: result_digest }).await
    }

    /// Makes this key the owner of a provider. A zero `payout` means this key.
    pub async fn register_provider(&self, agent: Address, payout: Address) -> Result<Mined, ChainError> {
        self.send(&contract::registerProviderCall { agent, payout }).await
    }

    /// Lets another key run the provider's jobs.
    pub async fn set_agent(&self, agent: Address) -> Result<Mined, ChainError> {
        self.send(&contract::setAgentCall { agent }).await
    }

    /// Sends the provider's money elsewhere.
    pub async fn set_payout(&self, payout: Address) -> Result<Mined, ChainError> {
        self.send(&contract::setPayoutCall { payout }).await
    }

    /// Lists a resource; available at once. Its id follows from this key and the listing's.
    pub async fn register_resource(&self, listing: &Listing) -> Result<ResourceId, ChainError> {
        self.send(&contract::registerResourceCall { listing: convert::to_listing(listing)? }).await?;
        Ok(self.market.resource_id(self.address(), listing.key))
    }

    /// Offers a resource, or not.
    pub async fn update_availability(&self, resource: ResourceId, available: bool) -> Result<Mined, ChainError> {
        self.send(&contract::updateAvailabilityCall { resourceId: resource.0.into(), available }).await
    }

    /// Sets a resource's price for new jobs.
    pub async fn update_pricing(&self, resource: ResourceId, price: PerHour) -> Result<Mined, ChainError> {
        let price = convert::fit("the price", price.0)?;
        self.send(&contract::updatePricingCall { resourceId: resource.0.into(), pricePerHour: price }).await
    }
}
