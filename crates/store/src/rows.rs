//! What is stored, as everybody else sees it: typed rows, without a word of SQL.

use alloy_primitives::{Address, B256};
use market::{Amount, BasisPoints, Hardware, JobId, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp, Verdict};
use wire::Terms;

/// Somebody who provides, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Its number.
    pub id: u32,
    /// Lists and sets prices.
    pub owner: Address,
    /// Runs jobs.
    pub agent: Address,
    /// Gets the money.
    pub payout: Address,
    /// When it registered.
    pub registered_at: Timestamp,
    /// Jobs that it started.
    pub jobs_started: u64,
    /// Jobs that ended well.
    pub jobs_succeeded: u64,
    /// The block of its last change.
    pub changed: u64,
}

/// A listing, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// Its id.
    pub id: ResourceId,
    /// Whose.
    pub provider: u32,
    /// The key that the agent chose.
    pub key: B256,
    /// What it is made of.
    pub hardware: Hardware,
    /// Free text of the listing.
    pub details: String,
    /// Price of an hour for new jobs.
    pub price: PerHour,
    /// Its owner offers it.
    pub available: bool,
    /// The job that holds it.
    pub held_by: Option<JobId>,
    /// All stake that was put down for it and not taken back or lost.
    pub stake: Amount,
    /// Of the stake, what is tied to jobs that are not settled.
    pub tied: Amount,
    /// Of the stake, what its owner takes back.
    pub unbonding: Amount,
    /// When that can be taken.
    pub unbonded_at: Option<Timestamp>,
    /// Of the stake, what is held by proposals to slash.
    pub contested: Amount,
    /// What cancelling a reservation may cost, as a share of its lock.
    pub cancel_fee: BasisPoints,
    /// When it was listed.
    pub listed_at: Timestamp,
    /// The block of its last change.
    pub changed: u64,
}

/// A job, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// The hash of chain, market and terms.
    pub id: JobId,
    /// What was agreed.
    pub terms: Terms,
    /// The provider of its resource.
    pub provider: u32,
    /// The platform's share.
    pub fee_bps: BasisPoints,
    /// Where it stands.
    pub status: Status,
    /// Why its clock ended.
    pub outcome: Outcome,
    /// Block time of the last change of status.
    pub since: Timestamp,
    /// Where it was created: block and place in it. Lists are ordered by these.
    pub created: (u64, u64),
    /// When the money was locked.
    pub created_at: Timestamp,
    /// When the provider took it.
    pub accepted_at: Option<Timestamp>,
    /// When the clock started.
    pub started_at: Option<Timestamp>,
    /// When the chain learnt that it was over.
    pub ended_at: Option<Timestamp>,
    /// Digest of the readiness record.
    pub ready_record: Option<B256>,
    /// Everything locked, extensions included.
    pub locked: Amount,
    /// Seconds bought by extensions.
    pub extra: Seconds,
    /// Seconds not billed.
    pub paused: Seconds,
    /// Seconds that tied stake vouches for: so much earlier they are paid.
    pub cover: Seconds,
    /// Seconds paid out so far.
    pub paid_seconds: Seconds,
    /// Money paid out so far.
    pub paid: Amount,
    /// Seconds on the clock at the end.
    pub seconds_run: Option<Seconds>,
    /// What went back to the renter.
    pub refunded: Amount,
    /// The platform's share in money, once final.
    pub fee: Option<Amount>,
    /// Digest of the completion record.
    pub result_digest: Option<B256>,
    /// Who ended, cancelled or declined it.
    pub ended_by: Option<Address>,
    /// The provider's words, where it was declined.
    pub reason: Option<String>,
    /// The block of its last change.
    pub changed: u64,
}

/// A dispute over a job: its own record, kept when it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeRow {
    /// The job.
    pub job: JobId,
    /// Who opened it and put down the bond.
    pub opener: Address,
    /// Block time of its opening.
    pub opened_at: Timestamp,
    /// What it is about.
    pub pot: Amount,
    /// Lost to the other party on a wholly adverse verdict.
    pub bond: Amount,
    /// The opener's words.
    pub reason: String,
    /// How it was decided.
    pub decision: Option<DecisionRow>,
    /// The block of its last change.
    pub changed: u64,
}

/// How a dispute was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// Who decided, or, where nobody did in time, who settled it half and half.
    pub by: Address,
    /// The provider's share of the pot.
    pub verdict: Verdict,
    /// What of the pot went back to the renter.
    pub returned: Amount,
    /// Of that, what came from the provider's stake.
    pub from_cover: Amount,
    /// CID of the report; empty where nobody decided.
    pub evidence: String,
    /// Block time.
    pub at: Timestamp,
}

/// A proposal to slash a resource's stake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlashRow {
    /// Its number.
    pub id: u64,
    /// Whose stake.
    pub resource: ResourceId,
    /// Who was harmed.
    pub harmed: Address,
    /// What would be taken.
    pub amount: Amount,
    /// Of that, what would be taken from stake that its owner takes back.
    pub from_unbonding: Amount,
    /// What the harmed lost: he gets no more.
    pub loss: Amount,
    /// CID of the evidence.
    pub evidence: String,
    /// Until then the owner may contest it.
    pub contestable_until: Timestamp,
    /// CID of what the owner says against it.
    pub contested: Option<String>,
    /// What became of it.
    pub settled: Option<SlashedRow>,
    /// The block of its last change.
    pub changed: u64,
}

/// What became of a proposal to slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashedRow {
    /// It was carried out; else the stake is free again.
    pub slashed: bool,
    /// Went to the harmed.
    pub to_harmed: Amount,
    /// Went to nobody.
    pub burned: Amount,
}

/// One event of the market, never changed once written.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// The block.
    pub block: u64,
    /// Its place in the block.
    pub log_index: u64,
    /// Block time.
    pub at: Timestamp,
    /// The transaction.
    pub tx: B256,
    /// The contract's name for it.
    pub kind: String,
    /// The job that it is about.
    pub job: Option<JobId>,
    /// The resource that it is about.
    pub resource: Option<ResourceId>,
    /// The provider that it is about.
    pub provider: Option<u32>,
    /// Who did it, where the event or the job tells.
    pub who: Option<Address>,
    /// Money that moved to the provider by it: what earnings are summed from.
    pub earned: Option<Amount>,
    /// Its fields, as JSON with camelCase names; amounts are decimal strings.
    pub detail: serde_json::Value,
}

/// Money of somebody that could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditRow {
    /// Whose.
    pub account: Address,
    /// How much waits.
    pub amount: Amount,
    /// The block of its last change.
    pub changed: u64,
}

/// Somebody who may report silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReporterRow {
    /// Who.
    pub address: Address,
    /// In any job; otherwise only in jobs that it controls.
    pub is_oracle: bool,
    /// It may now.
    pub registered: bool,
    /// The block of its last change.
    pub changed: u64,
}

/// What the market as a whole has: one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketRow {
    /// The platform's share for new jobs; none before it was ever changed.
    pub fee_bps: Option<BasisPoints>,
    /// Creating and registering is paused.
    pub paused: bool,
    /// Fees that were withdrawn.
    pub fees_withdrawn: Amount,
    /// The least that a dispute's opener puts down; none before it was ever changed.
    pub min_bond: Option<Amount>,
    /// The block of its last change.
    pub changed: u64,
}

/// Names a row that events change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// [`ProviderRow`].
    Provider(u32),
    /// [`ResourceRow`].
    Resource(ResourceId),
    /// [`JobRow`].
    Job(JobId),
    /// [`CreditRow`].
    Credit(Address),
    /// [`ReporterRow`]; true for oracles.
    Reporter(Address, bool),
    /// [`MarketRow`].
    Market,
    /// [`DisputeRow`], by its job.
    Dispute(JobId),
    /// [`SlashRow`], by its number.
    Slash(u64),
}

/// A row that events change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "they live in maps by the thousand, not by the million")]
pub enum Row {
    /// A provider.
    Provider(ProviderRow),
    /// A listing.
    Resource(ResourceRow),
    /// A job.
    Job(JobRow),
    /// A credit.
    Credit(CreditRow),
    /// A reporter of silence.
    Reporter(ReporterRow),
    /// The market.
    Market(MarketRow),
    /// A dispute.
    Dispute(DisputeRow),
    /// A proposal to slash.
    Slash(SlashRow),
}

impl Row {
    /// Its name.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Provider(row) => Key::Provider(row.id),
            Self::Resource(row) => Key::Resource(row.id),
            Self::Job(row) => Key::Job(row.id),
            Self::Credit(row) => Key::Credit(row.account),
            Self::Reporter(row) => Key::Reporter(row.address, row.is_oracle),
            Self::Market(_) => Key::Market,
            Self::Dispute(row) => Key::Dispute(row.job),
            Self::Slash(row) => Key::Slash(row.id),
        }
    }
}

/// A block that was indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Block time.
    pub at: Timestamp,
}

/// Which market a database indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// The chain.
    pub chain_id: u64,
    /// The Market contract.
    pub market: Address,
    /// The block where indexing begins.
    pub from: u64,
}

/// How far the index is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What is indexed.
    pub indexed: Indexed,
    /// The newest blocks that were indexed, oldest first: what a reorganisation is compared with.
    pub recent: Vec<BlockRef>,
    /// Rewinds so far: when it has changed, rows may have gone back.
    pub rewinds: u64,
}

impl Cursor {
    /// The newest block.
    #[must_use]
    pub fn head(&self) -> Option<BlockRef> {
        self.recent.last().copied()
    }
}

/// The rows that one block changed.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The blocks, oldest first, with their events and the rows as they are after each.
    pub blocks: Vec<BlockChanges>,
}

/// What one block brought.
#[derive(Clone, Debug)]
pub struct BlockChanges {
    /// The block.
    pub block: BlockRef,
    /// It is young enough to be reorganised away: what its rows were before must be kept.
    pub undoable: bool,
    /// Its events.
    pub events: Vec<EventRow>,
    /// Its rows as they are after it, one for each key.
    pub rows: Vec<Row>,
}
