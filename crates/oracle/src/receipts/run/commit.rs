//! Carries out the steps of receipts that are not committed for good.

use std::time::Instant;

use alloy_primitives::B256;
use chain::{ChainError, NonceAt, Recorder};
use store::{ReceiptRow, ReceiptState};

use super::{Line, Writer};
use crate::{
    OracleError,
    config::FOLLOWED_MAX,
    receipts::{Mined, Seen, Step, commit_body, next},
};

/// The recorder's transactions, counted before anything else is asked: what is used up by then and has no receipt
/// afterwards is not ours.
struct Nonces {
    /// Used up in final blocks.
    finalized: u64,
    /// The next one that nobody has, or none while there is no room.
    free: Option<u64>,
    /// Commits on their way.
    in_flight: usize,
}

impl Nonces {
    fn take(&mut self, limit: usize) -> Option<u64> {
        self.free.filter(|_| self.in_flight < limit)
    }

    fn taken(&mut self) {
        self.free = self.free.map(|nonce| nonce + 1);
        self.in_flight += 1;
    }
}

impl Writer {
    pub(super) async fn follow(&mut self, finalized: u64) -> Result<(), OracleError> {
        let due = self.store.receipts_due(FOLLOWED_MAX).await?;
        if due.is_empty() {
            self.sent.clear();
            return Ok(());
        }
        let mut nonces = self.nonces(&due).await?;
        for row in &due {
            self.step(row, finalized, &mut nonces).await?;
        }
        Ok(())
    }

    async fn nonces(&mut self, due: &[ReceiptRow]) -> Result<Nonces, OracleError> {
        let recorder = &self.recorder;
        let (finalized, latest, pending) = tokio::try_join!(
            recorder.nonce(NonceAt::Finalized),
            recorder.nonce(NonceAt::Latest),
            recorder.nonce(NonceAt::Pending)
        )?;
        let ours: Vec<u64> = due.iter().filter_map(|row| signed(&row.state)).map(|(nonce, _)| nonce).collect();
        let next = ours.iter().map(|nonce| nonce + 1).fold(pending.max(latest), u64::max);
        // Bytes that wait in the node and stand in no row are from before the database was made anew. They may be
        // commits of these very receipts: until they are mined and can be found, nothing new is signed.
        let strangers = (latest..pending).any(|nonce| !ours.contains(&nonce));
        if strangers && !self.strangers {
            tracing::warn!(latest, pending, "the recorder's key has unknown transactions on their way; commits wait");
        }
        self.strangers = strangers;
        Ok(Nonces { finalized, free: (!strangers).then_some(next), in_flight: ours.len() })
    }

    async fn step(&mut self, row: &ReceiptRow, finalized: u64, nonces: &mut Nonces) -> Result<(), OracleError> {
        let nonce_free = nonces.take(self.config.in_flight_max);
        let (mined, send_due) = match signed(&row.state) {
            Some((_, tx)) => (mined(&self.recorder, tx).await?, self.is_send_due(tx)),
            // There is no room to do anything about it now.
            None if nonce_free.is_none() => return Ok(()),
            None => (self.of_an_earlier_life(row).await?, false),
        };
        let seen = Seen { mined, finalized, nonces_final: nonces.finalized, nonce_free, send_due };
        match next(&row.state, &seen) {
            Step::Wait => Ok(()),
            Step::Keep(state) => self.keep(row, state).await,
            Step::Send => self.send(&row.state).await,
            Step::Sign { nonce } => {
                let body = commit_body(B256::from(row.job.0), row.kind, &row.nid)?;
                let signed = self.recorder.prepare(&row.nid, &body, nonce).await?;
                self.pass(Line::Signed)?;
                let state = ReceiptState::Sending { nonce, tx: signed.tx, raw: signed.raw };
                // Who was overtaken by another process throws his signature away.
                if !self.store.move_receipt(&row.nid, &row.state, &state).await? {
                    return Ok(());
                }
                nonces.taken();
                self.pass(Line::Kept)?;
                self.send(&state).await
            }
        }
    }

    async fn keep(&mut self, row: &ReceiptRow, state: ReceiptState) -> Result<(), OracleError> {
        if !self.store.move_receipt(&row.nid, &row.state, &state).await? {
            return Ok(());
        }
        if let Some((_, tx)) = signed(&row.state) {
            self.sent.remove(&tx);
        }
        match state {
            ReceiptState::Committed { tx, block } => {
                tracing::info!(nid = row.nid, %tx, block, "a receipt is committed");
                self.pass(Line::Committed)
            }
            ReceiptState::Mined { .. } => self.pass(Line::Mined),
            ReceiptState::Stored | ReceiptState::Sending { .. } => {
                tracing::warn!(nid = row.nid, "a commit was lost with its block, or its place was taken; again");
                self.pass(Line::Returned)
            }
        }
    }

    /// Hands in the kept bytes. Whatever becomes of the question, the answer is looked up by their hash.
    async fn send(&mut self, state: &ReceiptState) -> Result<(), OracleError> {
        let ReceiptState::Sending { tx, raw, .. } = state else { return Ok(()) };
        match self.recorder.send(raw).await {
            Ok(()) | Err(ChainError::NonceUsed { .. }) => {
                self.sent.insert(*tx, Instant::now());
                self.pass(Line::Sent)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_send_due(&self, tx: B256) -> bool {
        self.sent.get(&tx).is_none_or(|at| at.elapsed() >= self.config.resend_after)
    }

    /// A commit of this receipt that our key made before the database was.
    async fn of_an_earlier_life(&self, row: &ReceiptRow) -> Result<Option<Mined>, OracleError> {
        let who = Some(self.recorder.address());
        let commits = self.recorder.register().commits(&row.nid, who, row.to_block, None).await?;
        Ok(commits.first().map(|commit| Mined { tx: commit.tx, block: commit.block, succeeded: true }))
    }
}

async fn mined(recorder: &Recorder, tx: B256) -> Result<Option<Mined>, ChainError> {
    let receipt = recorder.receipt(tx).await?;
    Ok(receipt.map(|it| Mined { tx, block: it.block, succeeded: it.succeeded }))
}

/// The nonce and the hash of the transaction that a row has signed.
fn signed(state: &ReceiptState) -> Option<(u64, B256)> {
    match state {
        ReceiptState::Sending { nonce, tx, .. } | ReceiptState::Mined { nonce, tx, .. } => Some((*nonce, *tx)),
        ReceiptState::Stored | ReceiptState::Committed { .. } => None,
    }
}
