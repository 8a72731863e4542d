//! Writes by one key to one market.

use alloy::{
    primitives::{Address, B256, U256, aliases::U40},
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
};
use market::{Amount, Outcome, PerHour, ResourceId, Seconds, Timestamp};
use wire::{SignatureBytes, Terms};

use crate::{
    ChainError, Listing, Market, MarketEvent, SendConfig, Wallet,
    bindings::{market::Market as contract, token::GPUToken as token},
    convert,
};

mod authorize;
mod lane;
mod send;

pub use authorize::Authorization;
pub(crate) use lane::Lane;
pub(crate) use send::{Call, Sender};

/// A transaction that was mined and did what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Its hash.
    pub tx: B256,
    /// The height of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// The time of its block.
    pub timestamp: Timestamp,
    /// Gas that it took.
    pub gas_used: u64,
    /// What the market logged in it.
    pub events: Vec<MarketEvent>,
}

/// One key acting on one market. Clones, and accounts made anew for the same key and [`Chain`](crate::Chain), share
/// one sequence of nonces, so that any number may send at once.
#[derive(Clone)]
pub struct Account {
    market: Market,
    sender: Sender,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({} in {:?})", self.address(), self.market)
    }
}

impl Account {
    /// Lets `wallet` act on `market`.
    #[must_use]
    pub fn new(market: Market, wallet: Wallet, config: SendConfig) -> Self {
        let sender = Sender::new(market.chain().clone(), wallet, config);
        Self { market, sender }
    }

    /// The key's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.sender.wallet.address()
    }

    /// The key.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.sender.wallet
    }

    /// The market.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    // ── renting ──────────────────────────────────────────────────────────────────────────────────────────

    /// Locks the price of the whole duration, from this key, which must have approved it.
    pub async fn create_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::createJobCall { terms: convert::to_terms(terms) }).await
    }

    /// All of these jobs or none.
    pub async fn create_jobs(&self, terms: &[Terms]) -> Result<Mined, ChainError> {
        self.send(&contract::createJobsCall { terms: terms.iter().map(convert::to_terms).collect() }).await
    }

    /// Takes the job back before it runs: full refund.
    pub async fn cancel_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::cancelJobCall { terms: convert::to_terms(terms) }).await
    }

    /// Ends a running job at this second, as renter or controller.
    pub async fn stop_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::stopJobCall { terms: convert::to_terms(terms) }).await
    }

    /// Buys seconds up to the new total `extra`, with the agent's signed `Extend`.
    pub async fn extend_job(
        &self,
        terms: &Terms,
        extra: Seconds,
        expiry: Timestamp,
        agent_signature: &SignatureBytes,
    ) -> Result<Mined, ChainError> {
        let call = contract::extendJobCall {
            terms: convert::to_terms(terms),
            extraSeconds: convert::fit::<24, 1>("the extension", extra.0.into())?,
            expiry: moment(expiry)?,
            agentSignature: agent_signature.0.into(),
        };
        self.send(&call).await
    }

    // ── providing ────────────────────────────────────────────────────────────────────────────────────────

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

    // ── anyone ───────────────────────────────────────────────────────────────────────────────────────────

    /// Closes a job whose deadline has passed.
    pub async fn close_job(&self, terms: &Terms) -> Result<Mined, ChainError> {
        self.send(&contract::closeJobCall { terms: convert::to_terms(terms) }).await
    }

    /// Reports, as a registered watcher, that the provider was last heard at `last_seen`.
    pub async fn report_silence(&self, terms: &Terms, last_seen: Timestamp) -> Result<Mined, ChainError> {
        let terms = convert::to_terms(terms);
        self.send(&contract::reportSilenceCall { terms, lastSeen: moment(last_seen)? }).await
    }

    /// Takes money that could not be delivered to this key, to any address.
    pub async fn withdraw_credit(&self, to: Address) -> Result<Mined, ChainError> {
        self.send(&contract::withdrawCreditCall::from((self.market.token(), to))).await
    }

    // ── listings ─────────────────────────────────────────────────────────────────────────────────────────

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

    // ── the token ────────────────────────────────────────────────────────────────────────────────────────

    /// Lets the market take up to `amount` from this key.
    pub async fn approve(&self, amount: Amount) -> Result<Mined, ChainError> {
        let call = token::approveCall { spender: self.market.address(), value: U256::from(amount.0) };
        self.send_to(self.market.token(), &call).await
    }

    /// Sends settlement tokens to another address.
    pub async fn transfer(&self, to: Address, amount: Amount) -> Result<Mined, ChainError> {
        self.send_to(self.market.token(), &token::transferCall { to, value: U256::from(amount.0) }).await
    }

    // ── looking up ───────────────────────────────────────────────────────────────────────────────────────

    /// What became of a transaction: mined, or `None` while that is open. One that was mined and reverted is an error.
    pub async fn outcome(&self, tx: B256) -> Result<Option<Mined>, ChainError> {
        let Some(receipt) = self.market.chain().receipt(tx).await? else { return Ok(None) };
        if !receipt.status() {
            return Err(crate::MarketRevert::Unexplained(tx).into());
        }
        self.mined(receipt).await.map(Some)
    }

    async fn send<C: SolCall>(&self, call: &C) -> Result<Mined, ChainError> {
        self.send_to(self.market.address(), call).await
    }

    async fn send_to<C: SolCall>(&self, to: Address, call: &C) -> Result<Mined, ChainError> {
        let receipt = self.sender.send(Call { to: Some(to), input: call.abi_encode().into() }).await?;
        self.mined(receipt).await
    }

    async fn mined(&self, receipt: TransactionReceipt) -> Result<Mined, ChainError> {
        let incomplete = || ChainError::BadAnswer { what: "eth_getTransactionReceipt", message: "no block".into() };
        let block_hash = receipt.block_hash.ok_or_else(incomplete)?;
        let block = receipt.block_number.ok_or_else(incomplete)?;
        let logged = receipt.inner.logs();
        let timestamp = match logged.first().and_then(|log| log.block_timestamp) {
            Some(timestamp) => Timestamp(timestamp),
            None => self.market.chain().block_by_hash(block_hash).await?.ok_or_else(incomplete)?.timestamp,
        };
        let ours = logged.iter().filter(|log| log.address() == self.market.address());
        let events = ours.filter_map(|log| MarketEvent::decode(&log.inner)).collect();
        Ok(Mined { tx: receipt.transaction_hash, block, block_hash, timestamp, gas_used: receipt.gas_used, events })
    }
}

fn moment(at: Timestamp) -> Result<U40, ChainError> {
    convert::fit("a block time", at.0.into())
}
