//! Reads of one market.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, keccak256},
    rpc::types::Filter,
    sol_types::{SolEvent, SolValue},
};
use market::{Amount, BasisPoints, Hardware, JobId, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp};
use tokio::sync::OnceCell;
use wire::{Domain, Terms};

use crate::{
    Block, Chain, ChainError, Erc20, MarketEvent,
    bindings::{market::Market as contract, token::GPUToken as token},
    convert,
};

/// Blocks of one request for a listing, once the node has refused to look through all of them.
const LISTING_RANGE: u64 = 10_000;
/// Listings that are remembered: a market of this size fits, and one of them has under 1 KiB.
const LISTINGS_MAX: usize = 16_384;

/// What the contract remembers of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobState {
    /// Where it stands.
    pub status: Status,
    /// Why its clock ended.
    pub outcome: Outcome,
    /// The platform's share, as it stood when the job was created.
    pub fee: BasisPoints,
    /// Block time of the last change of status; every deadline counts from it.
    pub since: Timestamp,
    /// Block time at which the clock started, 0 before.
    pub started_at: Timestamp,
    /// Where the clock stands, 0 while it runs.
    pub ended_at: Timestamp,
    /// Seconds that were paid out.
    pub paid: Seconds,
    /// Seconds that are not billed.
    pub paused: Seconds,
    /// Seconds bought by extensions.
    pub extra: Seconds,
    /// Seconds whose price in stake is tied to it until it is over.
    pub cover: Seconds,
}

/// What the contract remembers of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceState {
    /// Whose.
    pub provider_id: u32,
    /// Its owner offers it.
    pub available: bool,
    /// A job holds it.
    pub busy: bool,
    /// Its cards are pretended.
    pub simulated: bool,
    /// Its price for new jobs.
    pub price: PerHour,
    /// All stake that was put down for it and neither taken back nor lost.
    pub stake: Amount,
    /// Of the stake: what covers jobs that are not final.
    pub tied: Amount,
    /// Of the stake: what its owner asked back.
    pub unbonding: Amount,
    /// Of the stake: what slashes are proposed for.
    pub contested: Amount,
    /// The most that a reservation of it can ask for being cancelled, as a share of the lock.
    pub cancel_fee: BasisPoints,
}

impl ResourceState {
    /// Stake that a new job can tie.
    #[must_use]
    pub fn free(&self) -> Amount {
        self.stake.saturating_sub(self.tied).saturating_sub(self.unbonding).saturating_sub(self.contested)
    }
}

/// A provider's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Lists and sets prices.
    pub owner: Address,
    /// Runs jobs.
    pub agent: Address,
    /// Gets the money.
    pub payout: Address,
}

/// A resource as its owner describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Chosen by the agent from the machine's identity.
    pub key: B256,
    /// Price of an hour.
    pub price: PerHour,
    /// What it is made of.
    pub hardware: Hardware,
    /// Free text or a CID with more.
    pub details: String,
}

/// One market on one chain. Cheap to clone.
#[derive(Clone)]
pub struct Market {
    chain: Chain,
    address: Address,
    facts: Arc<Facts>,
    listings: Arc<Mutex<HashMap<ResourceId, Listing>>>,
}

/// What never changes.
struct Facts {
    token: Address,
    decimals: u8,
    symbol: String,
    /// The token with the domain of its signatures, once somebody asks for that.
    erc20: OnceCell<Erc20>,
}

impl std::fmt::Debug for Market {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Market({} on {:?})", self.address, self.chain)
    }
}

impl Market {
    /// Finds the market at `address` and reads which token it settles in.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let nothing = |error| match error {
            // An address without code answers a call with nothing at all.
            ChainError::BadAnswer { .. } | ChainError::Reverted(_) => {
                ChainError::NoMarket { address, chain_id: chain.id() }
            }
            other => other,
        };
        let latest = BlockId::latest();
        let settles_in = chain.call(address, &contract::tokenCall {}, latest).await.map_err(nothing)?;
        let decimals = chain.call(settles_in, &token::decimalsCall {}, latest).await.map_err(nothing)?;
        let symbol = chain.call(settles_in, &token::symbolCall {}, latest).await.map_err(nothing)?;
        Ok(Self {
            chain,
            address,
            facts: Arc::new(Facts { token: settles_in, decimals, symbol, erc20: OnceCell::new() }),
            listings: Arc::default(),
        })
    }

    /// The settlement token, with the domain that its signatures are made for. Asked for once.
    pub(crate) async fn settlement_token(&self) -> Result<&Erc20, ChainError> {
        let open = || Erc20::open(self.chain.clone(), self.facts.token);
        self.facts.erc20.get_or_try_init(open).await
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The chain it is on.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The settlement token.
    #[must_use]
    pub fn token(&self) -> Address {
        self.facts.token
    }

    /// The token's decimal places.
    #[must_use]
    pub fn decimals(&self) -> u8 {
        self.facts.decimals
    }

    /// The token's short name.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.facts.symbol
    }

    /// What statements for this market are bound to.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain { chain_id: self.chain.id(), market: self.address }
    }

    /// The id of a job with these terms.
    #[must_use]
    pub fn job_id(&self, terms: &Terms) -> JobId {
        terms.job_id(self.chain.id(), self.address)
    }

    /// The id of a listing: the hash of owner and key, as in the contract.
    #[must_use]
    pub fn resource_id(&self, owner: Address, key: B256) -> ResourceId {
        ResourceId(keccak256((owner, key).abi_encode()).0)
    }

    /// A job's state; status `None` when there is no such job.
    pub async fn job(&self, job: JobId) -> Result<JobState, ChainError> {
        self.job_at(job, BlockId::latest()).await
    }

    /// A job's state as it was when `block` was the newest.
    pub async fn job_in(&self, job: JobId, block: &Block) -> Result<JobState, ChainError> {
        self.job_at(job, BlockId::from(block.hash)).await
    }

    async fn job_at(&self, job: JobId, at: BlockId) -> Result<JobState, ChainError> {
        let state = self.chain.call(self.address, &contract::getJobCall { jobId: job.0.into() }, at).await?;
        Ok(JobState {
            status: convert::status(state.status),
            outcome: convert::outcome(state.outcome),
            fee: BasisPoints(state.feeBps),
            since: Timestamp(state.since.to()),
            started_at: Timestamp(state.startedAt.to()),
            ended_at: Timestamp(state.endedAt.to()),
            paid: Seconds(state.paidSeconds.into()),
            paused: Seconds(state.pausedSeconds.into()),
            extra: Seconds(state.extraSeconds.to()),
            cover: Seconds(state.coverSeconds.into()),
        })
    }

    /// A resource's state, `None` when it was never listed.
    pub async fn resource(&self, resource: ResourceId) -> Result<Option<ResourceState>, ChainError> {
        let call = contract::getResourceCall { resourceId: resource.0.into() };
        let slot = self.read(&call).await?;
        Ok((slot.providerId != 0).then(|| ResourceState {
            provider_id: slot.providerId,
            available: slot.available,
            busy: slot.busy,
            simulated: slot.simulated,
            price: PerHour(slot.pricePerHour.to()),
            stake: Amount(slot.stake.to()),
            tied: Amount(slot.tied.to()),
            unbonding: Amount(slot.unbonding.to()),
            contested: Amount(slot.contested.to()),
            cancel_fee: BasisPoints(slot.cancelFeeBps),
        }))
    }

    /// A resource as its owner listed it, read from the log from `from_block` on; `None` when it was not listed since.
    /// It never changes and is asked for once; its price is the first one, [`resource`](Self::resource) has today's.
    pub async fn listing(&self, resource: ResourceId, from_block: u64) -> Result<Option<Listing>, ChainError> {
        let known = self.listings.lock().unwrap_or_else(PoisonError::into_inner).get(&resource).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let found = match self.listed_within(resource, from_block, None).await {
            Err(ChainError::Refused { message, .. }) => {
                tracing::debug!(message, "looking for a listing in pieces");
                self.listed_in_pieces(resource, from_block).await?
            }
            answer => answer?,
        };
        if let Some(listing) = &found {
            let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
            if listings.len() >= LISTINGS_MAX {
                listings.clear();
            }
            listings.insert(resource, listing.clone());
        }
        Ok(found)
    }

    /// The newest blocks first: most of what is asked for was listed lately.
    async fn listed_in_pieces(&self, resource: ResourceId, from_block: u64) -> Result<Option<Listing>, ChainError> {
        let mut range = LISTING_RANGE;
        let mut last = self.chain.head().await?.number;
        while last >= from_block {
            let first = last.saturating_sub(range - 1).max(from_block);
            match self.listed_within(resource, first, Some(last)).await {
                Err(ChainError::Refused { .. }) if range > 1 => range /= 2,
                Ok(None) if first > from_block => last = first - 1,
                answer => return answer,
            }
        }
        Ok(None)
    }

    async fn listed_within(
        &self,
        of: ResourceId,
        first: u64,
        last: Option<u64>,
    ) -> Result<Option<Listing>, ChainError> {
        let filter = Filter::new()
            .address(self.address)
            .event_signature(contract::ResourceRegistered::SIGNATURE_HASH)
            .topic1(B256::from(of.0))
            .from_block(first);
        let filter = match last {
            Some(last) => filter.to_block(last),
            None => filter.to_block(alloy::eips::BlockNumberOrTag::Latest),
        };
        let logs = self.chain.find_logs(&filter).await?;
        // A node that passes over the filter must not make one resource into another.
        Ok(logs.iter().find_map(|log| match MarketEvent::decode(&log.inner)? {
            MarketEvent::ResourceRegistered { resource, listing, .. } if resource == of => Some(listing),
            _ => None,
        }))
    }

    /// A provider's addresses; zero when the id was never given.
    pub async fn provider(&self, provider_id: u32) -> Result<Provider, ChainError> {
        let found = self.read(&contract::getProviderCall { providerId: provider_id }).await?;
        Ok(Provider { owner: found.owner, agent: found.agent, payout: found.payout })
    }

    /// The provider that this key owns.
    pub async fn provider_of(&self, owner: Address) -> Result<Option<u32>, ChainError> {
        let id = self.read(&contract::providerIdOfCall { owner }).await?;
        Ok((id != 0).then_some(id))
    }

    /// Settlement tokens of `account`.
    pub async fn token_balance(&self, account: Address) -> Result<Amount, ChainError> {
        let call = token::balanceOfCall { account };
        self.chain.call(self.token(), &call, BlockId::latest()).await.map(convert::amount)
    }

    /// What the market may take from `owner`.
    pub async fn allowance(&self, owner: Address) -> Result<Amount, ChainError> {
        let call = token::allowanceCall { owner, spender: self.address };
        self.chain.call(self.token(), &call, BlockId::latest()).await.map(convert::amount)
    }

    /// What the provider would get if a payment were processed in the next block.
    pub async fn payable_now(&self, terms: &Terms) -> Result<Amount, ChainError> {
        let call = contract::payableNowCall { terms: convert::to_terms(terms) };
        self.chain.call(self.address, &call, BlockId::pending()).await.map(convert::amount)
    }

    /// Whether `account` may report a provider's silence in jobs that it controls.
    pub async fn is_watcher(&self, account: Address) -> Result<bool, ChainError> {
        self.read(&contract::isWatcherCall { account }).await
    }

    /// Whether `account` may report a provider's silence in any job.
    pub async fn is_oracle(&self, account: Address) -> Result<bool, ChainError> {
        self.read(&contract::isOracleCall { account }).await
    }

    /// Money that could not be delivered to `account` and waits to be withdrawn.
    pub async fn credit(&self, account: Address) -> Result<Amount, ChainError> {
        self.read(&contract::creditsCall { account }).await.map(convert::amount)
    }

    /// The platform's share for jobs created from now on.
    pub async fn fee(&self) -> Result<BasisPoints, ChainError> {
        self.read(&contract::feeBpsCall {}).await.map(BasisPoints)
    }

    /// Fees that were booked and not withdrawn.
    pub async fn fees(&self) -> Result<Amount, ChainError> {
        self.read(&contract::feesCall {}).await.map(convert::amount)
    }

    /// Whether creating and registering is paused.
    pub async fn is_paused(&self) -> Result<bool, ChainError> {
        self.read(&contract::pausedCall {}).await
    }

    pub(crate) async fn read<C: alloy::sol_types::SolCall>(&self, call: &C) -> Result<C::Return, ChainError> {
        self.chain.call(self.address, call, BlockId::latest()).await
    }
}
