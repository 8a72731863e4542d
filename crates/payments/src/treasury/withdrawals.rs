//! What goes out. The signed bytes are a row before anybody sees them; whoever finds them there hands in the same bytes
//! again, and never others in their place but dearer ones with the same nonce, of which one can be mined at most.

use std::time::Instant;

use alloy_primitives::{Address, B256, keccak256};
use chain::{Block, ChainError, Inclusion, NonceAt, calls};
use market::{Amount, Timestamp};
use store::{AccountId, AssetId, Store, WithdrawalRow, WithdrawalState};

use super::{Handed, IN_FLIGHT_MAX, LOST_AFTER, SIGNATURES_MAX, Treasury};
use crate::PaymentsError;
use crate::assets::Held;
use crate::ledger::{Ledger, Posting, Refusal};

/// Seconds of the window of the hourly limit.
const HOUR_S: u64 = 3600;

/// The steps between which a process may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Signed, and nobody knows.
    Prepared,
    /// The bytes are in the row, and no node has them.
    Kept,
    /// A node has them, and the row does not say so.
    Sent,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prepared, Self::Kept, Self::Sent];
}

/// Which nonces of the key are used, as one look sees it.
#[derive(Clone, Copy, Debug)]
struct Nonces {
    /// Those below.
    used: u64,
    /// In the state of this block; nothing where blocks came while it was asked.
    at: Option<Block>,
    finalized: Block,
}

/// A withdrawal's nonce is used, and by none of its own transactions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// As of this block.
    at: Block,
    /// Looks since it is final.
    looks: u32,
}

/// Somebody wants his money out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalAsk {
    /// Whose money.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// Where to.
    pub destination: Address,
    /// How much.
    pub amount: i64,
    /// Under which the account asks once.
    pub request_key: String,
}

/// The id of a withdrawal: an account and its key for it.
#[must_use]
pub fn withdrawal_id(account: AccountId, request_key: &str) -> B256 {
    keccak256([account.0.as_slice(), request_key.as_bytes()].concat())
}

/// Sets the money aside and makes the row; a treasury pays it out. The same ask again gives the same row.
pub async fn request_withdrawal(
    ledger: &Ledger,
    ask: WithdrawalAsk,
    now: Timestamp,
) -> Result<WithdrawalRow, PaymentsError> {
    let WithdrawalAsk { account, asset, destination, amount, request_key } = ask;
    let rows = ledger.store().assets().await?;
    let row = rows.iter().find(|row| row.asset == asset).ok_or(Refusal::Unknown { what: "asset" })?;
    if destination == Address::ZERO || destination == row.token {
        return Err(Refusal::BadAmount { what: "the destination", why: "tokens sent there are lost" }.into());
    }
    let id = withdrawal_id(account, &request_key);
    let posting = Posting::WithdrawalRequested { id, account, request_key, asset, destination, amount };
    ledger.post(posting, now).await?;
    let row = ledger.store().withdrawal(id).await?;
    Ok(row.ok_or(Refusal::Unknown { what: "withdrawal" })?)
}

impl Treasury {
    pub(super) async fn follow_withdrawals(&mut self, now: Timestamp) -> Result<(), PaymentsError> {
        let assets: Vec<AssetId> = self.assets.iter().map(|held| held.asset).collect();
        let due = self.ledger.store().withdrawals_due(&assets).await?;
        if due.is_empty() {
            return Ok(());
        }
        // Asked before the receipts: what is final now was mined before they are looked for.
        let seen = self.nonces().await?;
        let (waiting, signed): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|row| row.state == WithdrawalState::Requested);
        let next = signed.iter().filter_map(|row| row.nonce).max().map_or(0, |nonce| nonce + 1);
        let in_flight = signed.len();
        for row in signed {
            self.follow(row, &seen, now).await?;
        }
        self.pay(waiting, next, in_flight, now).await
    }

    /// Nodes drop what accounts were in old blocks, so the nonces of the last final block cannot be asked for: those of
    /// the newest are, and the block is noted in which they were so.
    async fn nonces(&self) -> Result<Nonces, ChainError> {
        let chain = self.teller.chain();
        let before = chain.head().await?;
        let used = self.teller.nonce(NonceAt::Latest).await?;
        let (after, finalized) = (chain.head().await?, chain.finalized().await?);
        Ok(Nonces { used, at: (before.hash == after.hash).then_some(after), finalized })
    }

    /// Looks for what was signed, and hands it in again where it is nowhere.
    async fn follow(&mut self, row: WithdrawalRow, seen: &Nonces, now: Timestamp) -> Result<(), PaymentsError> {
        for tx in row.txs.clone() {
            if let Some(inclusion) = self.teller.receipt(tx).await? {
                self.lost.remove(&row.id);
                return self.mined(row, tx, inclusion, &seen.finalized, now).await;
            }
        }
        if row.nonce.is_some_and(|nonce| nonce < seen.used) {
            return self.looks_lost(&row, seen, now).await;
        }
        self.lost.remove(&row.id);
        let row = match row.state {
            WithdrawalState::Mined => {
                // Its block was taken back; the bytes may be mined again.
                let back = WithdrawalRow { state: WithdrawalState::Sent, block: None, ..row.clone() };
                if !self.ledger.store().move_withdrawal(&row, &back).await? {
                    return Ok(());
                }
                back
            }
            _ => row,
        };
        self.hand_in(row, now).await
    }

    async fn mined(
        &self,
        row: WithdrawalRow,
        tx: B256,
        inclusion: Inclusion,
        finalized: &Block,
        now: Timestamp,
    ) -> Result<(), PaymentsError> {
        let (id, block) = (row.id, inclusion.block);
        if block > finalized.number {
            if row.state != WithdrawalState::Mined || row.tx != Some(tx) || row.block != Some(block) {
                let mined =
                    WithdrawalRow { state: WithdrawalState::Mined, tx: Some(tx), block: Some(block), ..row.clone() };
                self.ledger.store().move_withdrawal(&row, &mined).await?;
            }
            return Ok(());
        }
        // A receipt of a block that is not in the final chain says nothing.
        let canonical = self.teller.chain().block(block).await?.map(|it| it.hash);
        if canonical != Some(inclusion.block_hash) {
            return Ok(());
        }
        let posting = if inclusion.succeeded {
            Posting::WithdrawalFinal { id, tx, block }
        } else {
            Posting::WithdrawalFailed { id, reason: format!("transaction {tx} reverted") }
        };
        self.ledger.post(posting, now).await?;
        Ok(())
    }

    /// Another transaction has its nonce. Once the block in which that was seen is final it stays so, unless the node
    /// only lags with receipts: asked again some times.
    async fn looks_lost(&mut self, row: &WithdrawalRow, seen: &Nonces, now: Timestamp) -> Result<(), PaymentsError> {
        let Some(newest) = seen.at else { return Ok(()) };
        let Taken { at, looks } = *self.lost.entry(row.id).or_insert(Taken { at: newest, looks: 0 });
        if at.number > seen.finalized.number {
            return Ok(());
        }
        let stands = self.teller.chain().block(at.number).await?.map(|block| block.hash) == Some(at.hash);
        let taken = if stands { Taken { at, looks: looks + 1 } } else { Taken { at: newest, looks: 0 } };
        self.lost.insert(row.id, taken);
        if taken.looks < LOST_AFTER {
            return Ok(());
        }
        let reason = "another transaction of the treasury's key took its place".to_owned();
        tracing::error!(id = %row.id, "a withdrawal lost its nonce; does something else send with the treasury's key?");
        self.ledger.post(Posting::WithdrawalFailed { id: row.id, reason }, now).await?;
        self.lost.remove(&row.id);
        Ok(())
    }

    /// Hands in the kept bytes, or dearer ones where they have waited long.
    async fn hand_in(&mut self, row: WithdrawalRow, now: Timestamp) -> Result<(), PaymentsError> {
        let Some(handed) = self.handed.get(&row.id).copied() else { return self.send(row).await };
        if handed.first.elapsed() >= self.config.dearer_after && row.txs.len() < SIGNATURES_MAX {
            let dearer = match self.teller.prepare_dearer(&row.raw).await {
                Ok(dearer) => dearer,
                // It waits for blocks to become cheaper.
                Err(ChainError::FeeTooHigh { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            match self.gas.take(&dearer, now).await {
                // What was signed before stays good, and waits for cheaper blocks.
                Err(PaymentsError::GasSpent { .. }) => return Ok(()),
                taken => taken?,
            }
            let mut next = WithdrawalRow { tx: Some(dearer.tx), raw: dearer.raw, ..row.clone() };
            next.txs.push(dearer.tx);
            // Kept first: whatever was signed can be mined, and must be looked for.
            if !self.ledger.store().move_withdrawal(&row, &next).await? {
                return Ok(());
            }
            self.handed.remove(&row.id);
            tracing::info!(id = %row.id, tx = %dearer.tx, "a withdrawal was signed again for more");
            return self.send(next).await;
        }
        if handed.last.elapsed() >= self.config.resend_after {
            return self.send(row).await;
        }
        Ok(())
    }

    async fn send(&mut self, row: WithdrawalRow) -> Result<(), PaymentsError> {
        let sent = self.teller.send(&row.raw).await;
        let now = Instant::now();
        self.handed.entry(row.id).and_modify(|it| it.last = now).or_insert(Handed { first: now, last: now });
        match sent {
            // Its receipt, or that of another, is found by the next look.
            Ok(()) | Err(ChainError::NonceUsed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.pass(Step::Sent)?;
        if row.state == WithdrawalState::Signed {
            let sent = WithdrawalRow { state: WithdrawalState::Sent, ..row.clone() };
            self.ledger.store().move_withdrawal(&row, &sent).await?;
        }
        Ok(())
    }

    /// Signs what waits, oldest first, as far as the hour's limit goes.
    async fn pay(
        &mut self,
        waiting: Vec<WithdrawalRow>,
        next: u64,
        in_flight: usize,
        now: Timestamp,
    ) -> Result<(), PaymentsError> {
        if waiting.is_empty() {
            return Ok(());
        }
        let mut nonce = self.teller.nonce(NonceAt::Pending).await?.max(next);
        for row in waiting.into_iter().take(IN_FLIGHT_MAX.saturating_sub(in_flight)) {
            let Some(held) = self.assets.iter().find(|held| held.asset == row.asset).cloned() else { continue };
            let store: &Store = self.ledger.store();
            let gone = store.withdrawn_since(row.asset, Timestamp(now.0.saturating_sub(HOUR_S))).await?;
            if gone.saturating_add(row.amount) > self.config.hourly_max {
                tracing::info!(id = %row.id, gone, "a withdrawal waits for the hourly limit");
                continue;
            }
            if self.sign(&held, row, nonce, now).await? {
                nonce += 1;
            }
        }
        Ok(())
    }

    /// Signs one, keeps the bytes, hands them in. False when it may not go now.
    async fn sign(
        &mut self,
        held: &Held,
        row: WithdrawalRow,
        nonce: u64,
        now: Timestamp,
    ) -> Result<bool, PaymentsError> {
        let amount = Amount(u128::try_from(row.amount).unwrap_or(0));
        let call = calls::erc20::transfer(held.token.address(), row.destination, amount);
        let prepared = match self.teller.prepare(&call, nonce).await {
            Ok(prepared) => prepared,
            Err(error) if error.revert().is_some() => {
                tracing::error!(id = %row.id, %error, "a withdrawal would fail now and waits");
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        self.pass(Step::Prepared)?;
        // Who lost the lease meanwhile must not let anybody see what he signed.
        let lease = self.lease();
        if !self.ledger.store().lease(&lease, &self.config.holder, self.config.lease_s).await? {
            return Err(PaymentsError::NotTheSigner { lease });
        }
        match self.gas.take(&prepared, now).await {
            Err(error @ PaymentsError::GasSpent { .. }) => {
                tracing::error!(id = %row.id, %error, "a withdrawal waits for another day");
                return Ok(false);
            }
            taken => taken?,
        }
        let (id, signer, tx) = (row.id, self.address(), prepared.tx);
        let posting = Posting::WithdrawalSigned { id, signer, nonce, tx, raw: prepared.raw.clone() };
        match self.ledger.post(posting, now).await {
            Ok(posted) if !posted.repeated => {}
            Err(PaymentsError::Refused(Refusal::Blocked { .. })) => return Ok(false),
            // Another signs with this key: what comes next in the list must not get the nonce that he gave away.
            Ok(_) | Err(PaymentsError::Refused(_)) => return Err(PaymentsError::NotTheSigner { lease }),
            Err(error) => return Err(error),
        }
        self.pass(Step::Kept)?;
        let kept = self.ledger.store().withdrawal(id).await?;
        if let Some(kept) = kept.filter(|kept| kept.tx == Some(tx)) {
            self.send(kept).await?;
        }
        Ok(true)
    }

    fn pass(&self, step: Step) -> Result<(), PaymentsError> {
        if self.config.dies_at == Some(step) { Err(PaymentsError::Died { step }) } else { Ok(()) }
    }
}
