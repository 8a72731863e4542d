//! What renters do, what anyone may do, and the token.

use alloy::primitives::{Address, U256};
use market::{Amount, Seconds, Timestamp};
use wire::{SignatureBytes, Terms};

use super::{Account, Mined, moment};
use crate::{
    ChainError,
    bindings::{market::Market as contract, token::GPUToken as token},
    convert,
};

impl Account {
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

    /// Lets the market take up to `amount` from this key.
    pub async fn approve(&self, amount: Amount) -> Result<Mined, ChainError> {
        let call = token::approveCall { spender: self.market.address(), value: U256::from(amount.0) };
        self.send_to(self.market.token(), &call).await
    }

    /// Sends settlement tokens to another address.
    pub async fn transfer(&self, to: Address, amount: Amount) -> Result<Mined, ChainError> {
        self.send_to(self.market.token(), &token::transferCall { to, value: U256::from(amount.0) }).await
    }
}
