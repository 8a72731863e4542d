//! What a key has signed is brought to its end, whether somebody waits for it or not.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use alloy_primitives::B256;
use chain::{Block, ChainError, NonceAt};
use store::{SendRow, SendState};
use tokio::time::{MissedTickBehavior, interval};

use super::{Inner, now};
use crate::PaymentsError;

/// A transaction that is next and not mined for so many seconds is offered for more.
const DEARER_AFTER_S: u64 = 20;
/// Raises of one transaction: seven make twice the first fee.
const RAISES_MAX: usize = 7;
/// Looks, since its nonce is used in a final block, at which no receipt was found: nodes may be late with receipts.
const LOST_AFTER: u32 = 3;

/// Transactions whose nonce is used and that have no receipt: since which block, and how often they were looked for
/// since it is final.
type Missing = HashMap<B256, (Block, u32)>;

/// Looks every so often until nobody has the sender any more.
pub(super) async fn run(inner: Weak<Inner>, every: Duration) {
    let mut turns = interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut missing = Missing::new();
    loop {
        turns.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        if let Err(error) = inner.tend(&mut missing).await {
            tracing::warn!(%error, "what was signed could not be looked after; trying again");
        }
    }
}

impl Inner {
    /// One turn, lowest nonce first.
    async fn tend(&self, missing: &mut Missing) -> Result<(), PaymentsError> {
        let open = self.store.sends_open(self.teller.address(), self.teller.chain().id()).await?;
        missing.retain(|tx, _| open.iter().any(|row| row.tx == *tx));
        if open.is_empty() {
            return Ok(());
        }
        // Asked before the receipts: a nonce that is used now was mined before they are looked for.
        let before = self.teller.chain().head().await?;
        let used = self.teller.nonce(NonceAt::Latest).await?;
        for mut row in open {
            if let Some(receipt) = self.receipt(&row).await? {
                missing.remove(&row.tx);
                self.settled(&mut row, receipt).await?;
            } else if row.nonce < used {
                self.lost(row, &before, missing).await?;
            } else if row.nonce == used && is_late(&row) {
                self.raise(row).await;
            } else {
                self.again(&row).await;
            }
        }
        Ok(())
    }

    /// Hands in the kept bytes: a node that has them does nothing.
    async fn again(&self, row: &SendRow) {
        match self.teller.send(&row.raw).await {
            // Its receipt, or that of another, is found by the next look.
            Ok(()) | Err(ChainError::NonceUsed { .. }) => {}
            Err(error) => {
                tracing::warn!(%error, purpose = row.purpose, "a kept transaction is not taken by the node now");
            }
        }
    }

    /// Another transaction of the key has its nonce. Once the block in which that was seen is final it stays so.
    async fn lost(&self, row: SendRow, seen: &Block, missing: &mut Missing) -> Result<(), PaymentsError> {
        let (since, looks) = *missing.entry(row.tx).or_insert((*seen, 0));
        let chain = self.teller.chain();
        if since.number > chain.finalized().await?.number {
            return Ok(());
        }
        let stands = chain.block(since.number).await?.map(|block| block.hash) == Some(since.hash);
        let now = if stands { (since, looks + 1) } else { (*seen, 0) };
        missing.insert(row.tx, now);
        if now.1 < LOST_AFTER {
            return Ok(());
        }
        tracing::error!(purpose = row.purpose, "a transaction lost its nonce; does something else send with this key?");
        missing.remove(&row.tx);
        let lost = SendRow { state: SendState::Lost, ..row.clone() };
        self.store.move_send(&row, &lost).await?;
        Ok(())
    }

    /// Offers more. What fails here is tried again later: the bytes on disk stay good.
    async fn raise(&self, row: SendRow) {
        let raised = async {
            let signed = match self.teller.prepare_dearer(&row.raw).await {
                Ok(signed) => signed,
                Err(ChainError::FeeTooHigh { .. }) => return Ok(()),
                Err(error) => return Err(PaymentsError::from(error)),
            };
            self.gas.take(&signed, now()).await?;
            let mut next = SendRow { tx: signed.tx, raw: signed.raw, ..row.clone() };
            next.earlier.push(row.tx);
            // Kept first: whatever was seen can be mined. Another gateway may have raised it already.
            if self.store.move_send(&row, &next).await? {
                self.again(&next).await;
            }
            Ok(())
        };
        if let Err(error) = raised.await {
            tracing::warn!(%error, purpose = row.purpose, "a transaction is not mined, and could not be offered for more");
            self.again(&row).await;
        }
    }
}

/// Whether it waited long enough for its next raise.
fn is_late(row: &SendRow) -> bool {
    let raises = u64::try_from(row.earlier.len()).unwrap_or(u64::MAX);
    let waited = now().0.saturating_sub(row.begun_at.0);
    row.earlier.len() < RAISES_MAX && waited >= DEARER_AFTER_S.saturating_mul(raises.saturating_add(1))
}
