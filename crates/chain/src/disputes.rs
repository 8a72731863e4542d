//! Reads about stake, disputes, slashes and orders.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use market::{Amount, JobId, ResourceId, Timestamp};
use wire::Terms;

use crate::{ChainError, Market, bindings::market::Market as contract, convert};

/// A dispute that is open or was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The renter, or the provider's owner or agent.
    pub opener: Address,
    /// Block time.
    pub opened_at: Timestamp,
    /// What the verdict shares out; everything earned before it stands.
    pub pot: Amount,
    /// Put down by the opener, 0 once it is settled.
    pub bond: Amount,
}

/// Where a slash proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlashStatus {
    /// There is none.
    Unknown,
    /// The resource's owner may contest it.
    Proposed,
    /// A judge decides.
    Contested,
    /// The stake was taken.
    Executed,
    /// The stake is the provider's again.
    Dismissed,
}

impl SlashStatus {
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Proposed,
            2 => Self::Contested,
            3 => Self::Executed,
            4 => Self::Dismissed,
            _ => Self::Unknown,
        }
    }
}

/// To take stake for a wrong that no dispute settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashProposal {
    /// Whose stake.
    pub resource: ResourceId,
    /// The renter who lost by it, zero when nobody did.
    pub harmed: Address,
    /// The last second at which it may be contested.
    pub contestable_until: Timestamp,
    /// Where it stands.
    pub status: SlashStatus,
    /// What would be taken.
    pub amount: Amount,
    /// The most that the harmed gets of it; the rest is burned.
    pub loss: Amount,
}

impl Market {
    /// The dispute of a job, `None` when there never was one.
    pub async fn dispute(&self, job: JobId) -> Result<Option<Dispute>, ChainError> {
        let found = self.read(&contract::getDisputeCall { jobId: job.0.into() }).await?;
        Ok((found.opener != Address::ZERO).then(|| Dispute {
            opener: found.opener,
            opened_at: Timestamp(found.openedAt.to()),
            pot: Amount(found.pot),
            bond: Amount(found.bond),
        }))
    }

    /// A slash proposal, `None` when the number was never given.
    pub async fn slash(&self, proposal: u64) -> Result<Option<SlashProposal>, ChainError> {
        let found = self.read(&contract::getSlashCall { proposalId: U256::from(proposal) }).await?;
        let status = SlashStatus::from_code(found.status);
        Ok((status != SlashStatus::Unknown).then(|| SlashProposal {
            resource: ResourceId(found.resourceId.0),
            harmed: found.harmed,
            contestable_until: Timestamp(found.contestableUntil.to()),
            status,
            amount: Amount(found.amount.to()),
            loss: Amount(found.loss),
        }))
    }

    /// The least that a dispute's opener puts down.
    pub async fn min_bond(&self) -> Result<Amount, ChainError> {
        self.read(&contract::minBondCall {}).await.map(Amount)
    }

    /// What was locked under a renter's nonce by orders so far.
    pub async fn order_spent(&self, renter: Address, nonce: U256) -> Result<Amount, ChainError> {
        self.read(&contract::orderSpentCall { renter, nonce }).await.map(convert::amount)
    }

    /// Whether a job with these terms could be created in the next block, if the money were there.
    pub async fn can_create(&self, terms: &Terms) -> Result<bool, ChainError> {
        let call = contract::canCreateCall { terms: convert::to_terms(terms) };
        self.chain().call(self.address(), &call, BlockId::pending()).await
    }

    /// The contract that the market hands its rarer verbs to.
    pub async fn court(&self) -> Result<Address, ChainError> {
        self.read(&contract::courtCall {}).await
    }
}
