//! Verification: the receipt, the chain, and whom the verifier believes. Nothing that a gateway says counts.

mod judge;
pub use judge::judge;

mod lines;

use alloy_primitives::{Address, B256};
use chain::{BlockHeader, ChainError, Logged, Market, Register};
use market::{Hardware, JobId, ResourceId};
use wire::receipt::{Receipt, ReceiptKind, Trust, Verification};

use super::{Dated, Life};
use crate::OracleError;

/// What the chain shows of a receipt, before anybody judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The chain of the endpoint.
    pub chain_id: u64,
    /// The market that was asked.
    pub market: Address,
    /// Its token.
    pub token: Address,
    /// The register that was asked.
    pub register: Address,
    /// The newest final block.
    pub finalized: u64,
    /// The job's events, oldest first.
    pub history: Vec<Dated>,
    /// What the job's resource is made of.
    pub hardware: Option<Hardware>,
    /// Who ran the provider's jobs when the event happened.
    pub agent: Option<Address>,
    /// The commits of this NID by the named recorder, oldest first.
    pub commits: Vec<FoundCommit>,
}

/// A commit that stands on the canonical chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCommit {
    /// What was said.
    pub data: String,
    /// The transaction.
    pub tx: B256,
    /// Its block.
    pub block: u64,
}

/// Checks a receipt against the chain. `market` and `register` are the ones that the verifier asks, which should be the
/// ones that the receipt names; `deployed_at` is the market's first block, or 0, which only takes longer.
///
/// An endpoint that does not answer is an error and no verdict.
pub async fn verify(
    receipt: &Receipt,
    market: &Market,
    register: &Register,
    deployed_at: u64,
    trust: &Trust,
) -> Result<Verification, OracleError> {
    let found = look(receipt, market, register, deployed_at).await?;
    Ok(judge(receipt, &found, trust))
}

async fn look(receipt: &Receipt, market: &Market, register: &Register, deployed_at: u64) -> Result<Found, OracleError> {
    let job = JobId(receipt.document.job_id.0);
    let (head, finalized) = tokio::try_join!(market.chain().head(), register.chain().finalized())?;
    // Where to look is the gateway's word. It can hide events, which makes the receipt fail, and nothing else.
    let history = match (receipt.from_block.max(deployed_at), receipt.to_block.min(head.number)) {
        (from, to) if from <= to => market.history(job, from, Some(to)).await?,
        _ => Vec::new(),
    };
    let history: Vec<Dated> = history.into_iter().map(Dated::from).collect();
    let (hardware, agent) = match Life::read(job, &history) {
        Some(life) => parties(market, &life, receipt.document.event_type, deployed_at).await?,
        None => (None, None),
    };
    Ok(Found {
        chain_id: market.chain().id(),
        market: market.address(),
        token: market.token(),
        register: register.address(),
        finalized: finalized.number,
        history,
        hardware,
        agent,
        commits: commits(receipt, register, deployed_at, head.number).await?,
    })
}

/// What was rented and who ran it.
async fn parties(
    market: &Market,
    life: &Life,
    kind: ReceiptKind,
    deployed_at: u64,
) -> Result<(Option<Hardware>, Option<Address>), ChainError> {
    let resource = ResourceId(life.terms.resourceId.0);
    let hardware = market.listing(resource, deployed_at).await?.map(|listing| listing.hardware);
    let Some(state) = market.resource(resource).await? else { return Ok((hardware, None)) };
    let Some(place) = life.place(kind) else { return Ok((hardware, None)) };
    Ok((hardware, market.agent_at(state.provider_id, deployed_at, place).await?))
}

/// The commit in the block where it should be, or else wherever it is now.
async fn commits(
    receipt: &Receipt,
    register: &Register,
    deployed_at: u64,
    head: u64,
) -> Result<Vec<FoundCommit>, ChainError> {
    let Some(hint) = &receipt.commit else { return Ok(Vec::new()) };
    let who = Some(hint.recorder);
    let mut found = match hint.block {
        block if block <= head => register.commits(&receipt.nid, who, block, Some(block)).await?,
        _ => Vec::new(),
    };
    if found.is_empty() {
        // It is committed after its events are final, never before.
        let from = receipt.to_block.min(hint.block).max(deployed_at);
        found = register.commits(&receipt.nid, who, from, Some(head)).await?;
    }
    let found = found.into_iter().map(|commit| FoundCommit { data: commit.data, tx: commit.tx, block: commit.block });
    Ok(found.collect())
}

impl From<(BlockHeader, Logged)> for Dated {
    fn from((block, logged): (BlockHeader, Logged)) -> Self {
        Self { block: block.number, at: block.timestamp, log_index: logged.log_index, event: logged.event }
    }
}
