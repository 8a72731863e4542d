//! Providers' scores, and the list of markets that succeed each other.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use market::Timestamp;

use crate::{
    Chain, ChainError,
    bindings::around::{Reputation as contract, Versions as list},
    deposits::absent,
};

/// The contract of scores. Cheap to clone.
#[derive(Clone)]
pub struct Reputation {
    chain: Chain,
    address: Address,
}

impl std::fmt::Debug for Reputation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reputation({} on {:?})", self.address, self.chain)
    }
}

/// A score, and how it comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// From 0 to 1000.
    pub score: u16,
    /// No job was counted yet.
    pub provisional: bool,
    /// What the totals alone give.
    pub formula: u16,
    /// What penalties take from it now.
    pub penalties: u16,
    /// What was counted since ever.
    pub totals: Totals,
}

/// What was counted of a provider since ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Seconds in which heartbeats came, of those listed.
    pub seen: u32,
    /// Seconds listed as available or running a job.
    pub listed: u32,
    /// Challenges sent.
    pub challenges: u32,
    /// Milliseconds that all of them took to be answered; 30,000 for one that was not.
    pub answer_ms: u64,
    /// Jobs whose clock was started.
    pub started: u32,
    /// Of them, those that ended in silence.
    pub silent: u32,
    /// Of them, those that the provider gave up.
    pub aborted: u32,
    /// Of them, those that were lost in a dispute.
    pub lost: u32,
}

/// Why points are taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PenaltyKind {
    /// An outage.
    Downtime,
    /// A signed answer that was wrong.
    DataFraud,
    /// A signature that was wrong.
    BadSignature,
    /// A dispute.
    LostDispute,
    /// No answer to a challenge by a provider that was there.
    Timeout,
}

impl Reputation {
    /// Finds the contract at `address`.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let market = chain.call(address, &contract::marketCall {}, BlockId::latest()).await;
        market.map_err(|error| absent(error, &chain, address))?;
        Ok(Self { chain, address })
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// A provider's score.
    pub async fn score(&self, provider_id: u32) -> Result<Score, ChainError> {
        let latest = BlockId::latest();
        let score = contract::scoreOfCall { providerId: provider_id };
        let parts = contract::partsOfCall { providerId: provider_id };
        let (score, parts) = tokio::try_join!(
            self.chain.call(self.address, &score, latest),
            self.chain.call(self.address, &parts, latest)
        )?;
        let totals = parts.totals;
        Ok(Score {
            score: score.score,
            provisional: score.provisional,
            formula: parts.formula,
            penalties: parts.penalties,
            totals: Totals {
                seen: totals.seenSeconds,
                listed: totals.listedSeconds,
                challenges: totals.challenges,
                answer_ms: totals.answerMillis.to(),
                started: totals.started.to(),
                silent: totals.silent.to(),
                aborted: totals.aborted.to(),
                lost: totals.lost.to(),
            },
        })
    }
}

/// The list of markets that succeed each other; money that is locked in one stays under its rules. Cheap to clone.
#[derive(Clone)]
pub struct Versions {
    chain: Chain,
    address: Address,
}

impl std::fmt::Debug for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Versions({} on {:?})", self.address, self.chain)
    }
}

/// One market of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its place, from 1.
    pub number: u64,
    /// The contract.
    pub market: Address,
    /// What it is called.
    pub name: String,
    /// Block time.
    pub published_at: Timestamp,
}

impl Versions {
    /// Finds the list at `address`.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let count = chain.call(address, &list::countCall {}, BlockId::latest()).await;
        count.map_err(|error| absent(error, &chain, address))?;
        Ok(Self { chain, address })
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// How many there are.
    pub async fn count(&self) -> Result<u64, ChainError> {
        let count = self.chain.call(self.address, &list::countCall {}, BlockId::latest()).await?;
        Ok(count.saturating_to())
    }

    /// One of them, `None` beyond the last.
    pub async fn version(&self, number: u64) -> Result<Option<Version>, ChainError> {
        if number == 0 || number > self.count().await? {
            return Ok(None);
        }
        let call = list::versionCall { number: U256::from(number) };
        let found = self.chain.call(self.address, &call, BlockId::latest()).await?;
        let published_at = Timestamp(found.publishedAt.to());
        Ok(Some(Version { number, market: found.market, name: found.name, published_at }))
    }

    /// The newest.
    pub async fn latest(&self) -> Result<Option<Version>, ChainError> {
        self.version(self.count().await?).await
    }
}
