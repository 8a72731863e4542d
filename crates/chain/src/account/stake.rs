//! Stake: put down, asked back, taken back; and its loss.

use alloy::primitives::{Address, U256};
use market::{Amount, BasisPoints, ResourceId};

use super::{Account, Mined};
use crate::{Call, ChainError, bindings::market::Market as contract, calls, convert};

impl Account {
    /// Puts down stake for a resource, from this key, which must have approved it. It is the resource's owner's from then
    /// on.
    pub async fn stake(&self, resource: ResourceId, amount: Amount) -> Result<Mined, ChainError> {
        self.run(calls::stake::stake(self.market.address(), resource, amount)?).await
    }

    /// Asks free stake back; it can be taken fourteen days later. All that is asked back waits anew.
    pub async fn unstake(&self, resource: ResourceId, amount: Amount) -> Result<Mined, ChainError> {
        self.run(calls::stake::unstake(self.market.address(), resource, amount)?).await
    }

    /// Takes back all stake that was asked back, to any address.
    pub async fn withdraw_stake(&self, resource: ResourceId, to: Address) -> Result<Mined, ChainError> {
        self.run(calls::stake::withdraw_stake(self.market.address(), resource, to)).await
    }

    /// Sets the most that a reservation of a resource can ask for being cancelled.
    pub async fn set_cancel_fee(&self, resource: ResourceId, fee: BasisPoints) -> Result<Mined, ChainError> {
        self.run(calls::stake::set_cancel_fee(self.market.address(), resource, fee)).await
    }

    /// Proposes, as a prosecutor, to take stake for a wrong, with the CID of the evidence. The harmed renter gets it up to
    /// `loss`; zero means that nobody was harmed.
    pub async fn propose_slash(
        &self,
        resource: ResourceId,
        harmed: Address,
        amount: Amount,
        loss: Amount,
        evidence: &str,
    ) -> Result<Mined, ChainError> {
        let call = contract::proposeSlashCall {
            resourceId: resource.0.into(),
            harmed,
            amount: convert::fit("the amount", amount.0)?,
            loss: loss.0,
            evidenceCid: evidence.to_owned(),
        };
        self.send(&call).await
    }

    /// Denies a proposal, as the resource's owner, within two days; a judge decides then.
    pub async fn contest_slash(&self, proposal: u64, evidence: &str) -> Result<Mined, ChainError> {
        let (proposal_id, evidence) = (U256::from(proposal), evidence.to_owned());
        self.send(&contract::contestSlashCall { proposalId: proposal_id, evidenceCid: evidence }).await
    }

    /// Decides a contested proposal, as a judge.
    pub async fn decide_slash(&self, proposal: u64, slash: bool) -> Result<Mined, ChainError> {
        self.send(&contract::decideSlashCall { proposalId: U256::from(proposal), slash }).await
    }

    /// Carries out a proposal that nobody contested in two days, or ends one that no judge decided. Anyone may.
    pub async fn execute_slash(&self, proposal: u64) -> Result<Mined, ChainError> {
        self.send(&contract::executeSlashCall { proposalId: U256::from(proposal) }).await
    }

    async fn run(&self, call: Call) -> Result<Mined, ChainError> {
        self.execute(&call).await
    }
}
