//! Carries out the steps of receipts that are not committed for good.

use std::time::Instant;

use alloy_primitives::{Address, B256};
use chain::{ChainError, NonceAt, Prepared, Recorder};
use store::{ReceiptRow, ReceiptState};

use super::{Handed, Line, Writer};
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
    /// Used up in any.
    latest: u64,
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
        let by_this_key = due.iter().filter(|row| !self.is_of_another_key(row));
        let ours: Vec<u64> = by_this_key.filter_map(|row| signed(&row.state)).map(|(nonce, _)| nonce).collect();
        let next = ours.iter().map(|nonce| nonce + 1).fold(pending.max(latest), u64::max);
        // Bytes that wait in the node and stand in no row are from before the database was made anew. They may be
        // commits of these very receipts: until they are mined and can be found, nothing new is signed.
        let strangers = (latest..pending).any(|nonce| !ours.contains(&nonce));
        if strangers && !self.strangers {
            tracing::warn!(latest, pending, "the recorder's key has unknown transactions on their way; commits wait");
        }
        self.strangers = strangers;
        Ok(Nonces { finalized, latest, free: (!strangers).then_some(next), in_flight: ours.len() })
    }

    async fn step(&mut self, row: &ReceiptRow, finalized: u64, nonces: &mut Nonces) -> Result<(), OracleError> {
        let nonce_free = nonces.take(self.config.in_flight_max);
        let own = self.recorder.address();
        let (mut nonces_final, mut dearer_due) = (nonces.finalized, false);
        let (mined, send_due) = match signed(&row.state) {
            Some((_, tx)) if self.is_of_another_key(row) => {
                // Nobody counts that key's nonces here: what it signed is handed in until it is mined. Of two that it
                // signed for one nonce the other may have been.
                nonces_final = 0;
                let mined = match mined(&self.recorder, tx).await? {
                    None => self.committed_by(row, row.recorder.unwrap_or(own)).await?,
                    mined => mined,
                };
                (mined.filter(|it| it.tx == tx || it.block <= finalized), self.is_send_due(tx))
            }
            Some((nonce, tx)) => {
                dearer_due = nonce >= nonces.latest && self.is_dearer_due(tx);
                (mined(&self.recorder, tx).await?, self.is_send_due(tx))
            }
            // There is no room to do anything about it now.
            None if nonce_free.is_none() => return Ok(()),
            // A commit that our key made before the database was, or that it signed for less.
            None => (self.committed_by(row, own).await?, false),
        };
        let seen = Seen { mined, finalized, nonces_final, nonce_free, send_due, dearer_due };
        match next(&row.state, &seen) {
            Step::Wait => Ok(()),
            Step::Keep(state) => self.keep(row, state).await,
            Step::Send => self.send(&row.state).await,
            Step::Raise => self.raise(row).await,
            Step::Sign { nonce } => {
                let body = commit_body(B256::from(row.job.0), row.kind, &row.nid)?;
                let signed = self.recorder.prepare(&row.nid, &body, nonce).await?;
                self.pass(Line::Signed)?;
                nonces.taken();
                self.keep_and_send(row, signed).await
            }
        }
    }

    /// Keeps signed bytes, then hands them in. Who was overtaken by another process throws his signature away.
    async fn keep_and_send(&mut self, row: &ReceiptRow, signed: Prepared) -> Result<(), OracleError> {
        let state = ReceiptState::Sending { nonce: signed.nonce, tx: signed.tx, raw: signed.raw };
        if !self.store.move_receipt(&row.nid, &row.state, &state, self.recorder.address()).await? {
            return Ok(());
        }
        self.pass(Line::Kept)?;
        self.send(&state).await
    }

    /// The same commit at the same nonce for more. Where the limit of fees forbids it, the old bytes wait on.
    async fn raise(&mut self, row: &ReceiptRow) -> Result<(), OracleError> {
        let ReceiptState::Sending { tx, raw, .. } = &row.state else { return Ok(()) };
        self.sent.remove(tx);
        match self.recorder.prepare_dearer(raw).await {
            Ok(dearer) => {
                tracing::info!(nid = row.nid, nonce = dearer.nonce, tx = %dearer.tx, "a commit is offered for more");
                self.pass(Line::Signed)?;
                self.keep_and_send(row, dearer).await
            }
            Err(error @ ChainError::FeeTooHigh { .. }) => {
                tracing::warn!(%error, nid = row.nid, "a commit waits until gas is cheaper");
                self.send(&row.state).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn keep(&mut self, row: &ReceiptRow, state: ReceiptState) -> Result<(), OracleError> {
        let by = match signed(&row.state) {
            Some(_) => row.recorder.unwrap_or(self.recorder.address()),
            None => self.recorder.address(),
        };
        if !self.store.move_receipt(&row.nid, &row.state, &state, by).await? {
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
                let now = Instant::now();
                self.sent.entry(*tx).or_insert(Handed { first: now, last: now }).last = now;
                self.pass(Line::Sent)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_send_due(&self, tx: B256) -> bool {
        self.sent.get(&tx).is_none_or(|at| at.last.elapsed() >= self.config.resend_after)
    }

    fn is_dearer_due(&self, tx: B256) -> bool {
        self.sent.get(&tx).is_some_and(|at| at.first.elapsed() >= self.config.dearer_after)
    }

    /// Another key signed it, before the keys were changed.
    fn is_of_another_key(&self, row: &ReceiptRow) -> bool {
        row.recorder.is_some_and(|by| by != self.recorder.address())
    }

    /// A commit of this receipt by this key, whatever its transaction.
    async fn committed_by(&self, row: &ReceiptRow, who: Address) -> Result<Option<Mined>, OracleError> {
        let commits = self.recorder.register().commits(&row.nid, Some(who), row.to_block, None).await?;
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
