//! Finds jobs whose order or end is final and that have no receipt of it, and writes the documents.

use chain::Block;
use content::{Block as Content, RAW};
use market::{JobId, ResourceId, Timestamp};
use store::{JobRow, Put, ReceiptRow, ReceiptState};
use wire::receipt::{DOCUMENT_BYTES_MAX, ReceiptDocument, ReceiptKind};

use super::{Line, Writer};
use crate::{
    OracleError,
    receipts::{
        Dated, Life,
        document::{Facts, completed, resolved, submitted},
    },
};

/// The name under which documents are pinned.
const PIN: &str = "receipts";

/// The last job that was looked at: the block of its order or end, and its id.
pub(super) type Reached = Option<(u64, JobId)>;

impl Writer {
    pub(super) async fn find(&mut self, finalized: &Block) -> Result<(), OracleError> {
        let Some(upto) = self.settled(finalized).await? else { return Ok(()) };
        if self.searched.is_some_and(|searched| searched >= upto) {
            return Ok(());
        }
        for kind in 0..self.reached.len() {
            if !self.find_all(kind, upto).await? {
                return Ok(());
            }
        }
        self.searched = Some(upto);
        Ok(())
    }

    /// False where another process took over before all were found.
    async fn find_all(&mut self, index: usize, upto: u64) -> Result<bool, OracleError> {
        loop {
            let (kind, reached) = self.reached[index];
            let jobs = self.store.jobs_without_receipt(kind, reached, upto, self.config.batch).await?;
            for job in &jobs {
                match self.receipt(kind, job).await {
                    Err(error) if error.is_of_the_job() => tracing::error!(%error, "no receipt was written"),
                    done => done?,
                }
                self.reached[index].1 = Some((place(kind, job), job.id));
            }
            if (jobs.len() as u64) < self.config.batch {
                return Ok(true);
            }
            // A long search must not cost the lease.
            if !self.store.receipts_lease(&self.config.holder, self.config.lease_s).await? {
                return Ok(false);
            }
        }
    }

    /// The block up to which the index is final, when it is on the chain that is. The index follows the newest blocks
    /// and may still have to rewind; a block that it has seen and that the chain names by the same hash settles all
    /// below it.
    async fn settled(&self, finalized: &Block) -> Result<Option<u64>, OracleError> {
        let Some(cursor) = self.store.cursor().await? else { return Ok(None) };
        let below = cursor.recent.iter().rev().find(|seen| seen.number <= finalized.number);
        let Some(seen) = below.or(cursor.recent.first()) else { return Ok(None) };
        let upto = seen.number.min(finalized.number);
        if self.searched.is_some_and(|searched| searched >= upto) {
            return Ok(None);
        }
        let on_chain = self.market.chain().block(seen.number).await?;
        Ok(on_chain.filter(|block| block.hash == seen.hash).map(|_| upto))
    }

    /// Writes one document: its block and pin first, so that whoever sees the row can fetch it.
    async fn receipt(&self, kind: ReceiptKind, job: &JobRow) -> Result<(), OracleError> {
        let (document, to_block) = self.compose(kind, job).await?;
        let named = wire::document(&document)?;
        if named.bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(OracleError::TooLong { job: job.id, bytes: named.bytes.len(), limit: DOCUMENT_BYTES_MAX });
        }
        self.blocks.put_async(vec![Content::new(RAW, named.bytes.clone())?]).await?;
        self.pass(Line::Block)?;
        let (blocks, cid) = (self.blocks.clone(), named.cid);
        let pinned = tokio::task::spawn_blocking(move || blocks.pin(PIN, &cid)).await;
        pinned.map_err(|error| OracleError::Stopped { reason: error.to_string() })??;
        self.pass(Line::Pin)?;
        let row = ReceiptRow {
            nid: named.cid.to_string(),
            job: job.id,
            kind,
            idempotency_key: document.idempotency_key,
            document: named.bytes,
            occurred_at: Timestamp(u64::try_from(document.occurred_at.as_second()).unwrap_or_default()),
            from_block: job.created.0,
            to_block,
            state: ReceiptState::Stored,
            recorder: None,
        };
        match self.store.put_receipt(&row).await? {
            Put::New => tracing::debug!(job = %job.id, nid = row.nid, "a receipt was written"),
            Put::Same => {}
            Put::Conflict => return Err(OracleError::Conflict { key: row.idempotency_key }),
        }
        self.pass(Line::Row)
    }

    /// The document, from the chain's own events, and the last block that it is about.
    async fn compose(&self, kind: ReceiptKind, job: &JobRow) -> Result<(ReceiptDocument, u64), OracleError> {
        let until = place(kind, job);
        let history = self.market.history(job.id, job.created.0, Some(until)).await?;
        let history: Vec<Dated> = history.into_iter().map(Dated::from).collect();
        let not_yet = || OracleError::NotYet { job: job.id, kind };
        let life = Life::read(job.id, &history).ok_or_else(not_yet)?;
        let place = life.place(kind).ok_or_else(not_yet)?;
        let missing = |what| OracleError::Missing { job: job.id, what };
        let from = self.config.deployed_at;
        let listing = self.market.listing(ResourceId(life.terms.resourceId.0), from).await?;
        let agent = self.market.agent_at(job.provider, from, place).await?;
        let facts = Facts {
            chain_id: self.market.chain().id(),
            market: self.market.address(),
            token: self.market.token(),
            hardware: listing.ok_or_else(|| missing("the listing"))?.hardware,
            agent: agent.ok_or_else(|| missing("the agent"))?,
        };
        let document = match kind {
            ReceiptKind::JobSubmitted => submitted(job.id, &history, &facts)?,
            ReceiptKind::JobCompleted => completed(job.id, &history, &facts)?,
            ReceiptKind::JobResolved => resolved(job.id, &history, &facts)?,
        };
        // The same job has the same document whenever it is written: what came after the event is no part of it.
        Ok((document, place.0))
    }
}

/// The block in which a job became due, as the index orders them.
fn place(kind: ReceiptKind, job: &JobRow) -> u64 {
    if kind == ReceiptKind::JobSubmitted { job.created.0 } else { job.changed }
}
