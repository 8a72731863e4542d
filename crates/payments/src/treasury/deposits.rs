//! What came in. Each look reads again all blocks that may still be taken back, and compares them with the rows.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, U256, keccak256};
use chain::{Block, ChainError, RawLog, Transfer};
use market::Timestamp;
use store::{AccountId, AssetId, DepositKey, DepositRow, DepositState};

use super::{BLOCKS_MAX, Treasury};
use crate::assets::Held;
use crate::ledger::Posting;
use crate::{PaymentsError, ledger::Refusal};

/// The event of a till: to which account, from whom, how much.
const DEPOSITED: &[u8] = b"Deposited(bytes32,address,uint256)";

impl Treasury {
    pub(super) async fn look_for_deposits(&self, now: Timestamp) -> Result<(), PaymentsError> {
        let chain = self.teller.chain();
        let (head, finalized) = (chain.head().await?, chain.finalized().await?);
        let rows = self.ledger.store().assets().await?;
        for held in &self.assets {
            let scanned = rows.iter().find(|row| row.asset == held.asset).map_or(0, |row| row.scanned);
            let below = scanned.max(self.config.from_block.saturating_sub(1));
            self.look_at(held, below, &head, &finalized, now).await?;
        }
        Ok(())
    }

    async fn look_at(
        &self,
        held: &Held,
        below: u64,
        head: &Block,
        finalized: &Block,
        now: Timestamp,
    ) -> Result<(), PaymentsError> {
        let (store, from) = (self.ledger.store(), below + 1);
        if from > head.number {
            return Ok(());
        }
        let to = head.number.min(below.saturating_add(BLOCKS_MAX));
        let found = self.read(held, from, to).await?;
        // Blocks that were replaced while they were read are read again by the next look.
        let chain = self.teller.chain();
        if chain.block(head.number).await?.map(|block| block.hash) != Some(head.hash) {
            return Ok(());
        }
        let found = self.owned(held.asset, &found, head, now).await?;
        store.see_deposits(&found).await?;
        let known = store.deposits_above(held.asset, below).await?;
        for row in known.iter().filter(|row| row.block <= to) {
            if !found.iter().any(|seen| seen.key == row.key) {
                self.gone(row, now).await?;
            }
        }
        for seen in &found {
            self.here(seen, now).await?;
        }
        // A block counts as read for good when nothing in it can change and everything in it is posted.
        let deep = (head.number + 1).saturating_sub(self.config.confirmations);
        store.set_scanned(held.asset, to.min(finalized.number).min(deep)).await?;
        Ok(())
    }

    /// Transfers to the treasury, each with the account that a till was told.
    async fn read(&self, held: &Held, from: u64, to: u64) -> Result<Vec<(Transfer, Option<AccountId>)>, ChainError> {
        let treasury = self.address();
        let transfers = held.token.transfers_to(treasury, from, Some(to)).await?;
        let told = match self.config.till {
            Some(till) if !transfers.is_empty() => {
                self.teller.chain().logs(till, &[Some(keccak256(DEPOSITED))], from, Some(to)).await?
            }
            _ => vec![],
        };
        let mut accounts = told_accounts(&told, &transfers);
        let theirs = |transfer: &Transfer| transfer.from != treasury && !self.config.own.contains(&transfer.from);
        let deposits = transfers.into_iter().filter(|it| theirs(it) && it.amount.0 > 0);
        Ok(deposits.map(|it| (it, accounts.remove(&(it.tx, it.log_index)))).collect())
    }

    /// The rows that these transfers are now: whose each is, as far as anybody knows.
    async fn owned(
        &self,
        asset: AssetId,
        found: &[(Transfer, Option<AccountId>)],
        head: &Block,
        now: Timestamp,
    ) -> Result<Vec<DepositRow>, PaymentsError> {
        let store = self.ledger.store();
        let senders: Vec<Address> = found.iter().map(|(transfer, _)| transfer.from).collect();
        let owners: HashMap<_, _> = store.owners(&senders).await?.into_iter().collect();
        let named: Vec<AccountId> = found.iter().filter_map(|(_, account)| *account).collect();
        let known = store.known_accounts(&named).await?;
        // Whoever can sign for the address has the account of an address; any other must exist.
        let exists = |account: &AccountId| is_address(*account) || known.contains(account);
        let mut rows = Vec::with_capacity(found.len());
        for (transfer, account) in found {
            let Ok(amount) = i64::try_from(transfer.amount.0) else {
                tracing::error!(tx = %transfer.tx, amount = transfer.amount.0, "a deposit is larger than any balance");
                continue;
            };
            rows.push(DepositRow {
                key: DepositKey { asset, tx: transfer.tx, log_index: transfer.log_index },
                sender: transfer.from,
                account: account.filter(exists).or_else(|| owners.get(&transfer.from).copied()),
                amount,
                block: transfer.block.number,
                block_hash: transfer.block.hash,
                depth: (head.number + 1).saturating_sub(transfer.block.number),
                state: DepositState::Seen,
                round: 0,
                seen_at: now,
            });
        }
        Ok(rows)
    }

    /// A deposit that is in the chain now.
    async fn here(&self, seen: &DepositRow, now: Timestamp) -> Result<(), PaymentsError> {
        let store = self.ledger.store();
        let Some(row) = store.deposit(seen.key).await? else { return Ok(()) };
        if !matches!(row.state, DepositState::Seen | DepositState::Reorganised) {
            return Ok(());
        }
        let seen = DepositRow { round: row.round, ..seen.clone() };
        if !store.move_deposit(&seen).await? || seen.depth < self.config.confirmations {
            return Ok(());
        }
        let (deposit, round) = (seen.key, seen.round);
        let posting = match seen.account {
            Some(account) => Posting::DepositCredited { deposit, round, account },
            None => Posting::DepositSuspended { deposit, round },
        };
        self.ledger.post(posting, now).await?;
        tracing::info!(tx = %deposit.tx, amount = seen.amount, owned = seen.account.is_some(), "a deposit came in");
        Ok(())
    }

    /// A deposit whose block is no longer in the chain.
    async fn gone(&self, row: &DepositRow, now: Timestamp) -> Result<(), PaymentsError> {
        match row.state {
            DepositState::Reorganised => {}
            DepositState::Seen => {
                let row = DepositRow { state: DepositState::Reorganised, ..row.clone() };
                self.ledger.store().move_deposit(&row).await?;
            }
            DepositState::Credited | DepositState::Suspense => {
                let posting = Posting::DepositReorganised { deposit: row.key, round: row.round };
                tracing::warn!(tx = %row.key.tx, amount = row.amount, "the chain took back a deposit");
                match self.ledger.post(posting, now).await {
                    // The money is locked or gone out: on chain that cannot last, and it is tried again.
                    Err(PaymentsError::Refused(Refusal::Insufficient { bucket, has, wants })) => {
                        tracing::error!(bucket, has, wants, "the ledger cannot take back a deposit yet");
                    }
                    posted => drop(posted?),
                }
            }
        }
        Ok(())
    }
}

fn is_address(account: AccountId) -> bool {
    account.0[..12].iter().all(|byte| *byte == 0) && account.0 != B256::ZERO
}

/// Which transfer each event of the till is about: the last one before it in its transaction with the same sender and
/// amount, each once.
fn told_accounts(told: &[RawLog], transfers: &[Transfer]) -> HashMap<(B256, u64), AccountId> {
    let mut accounts = HashMap::new();
    for log in told {
        let (Some(account), Some(sender)) = (log.topics.get(1), log.topics.get(2)) else { continue };
        let Some(amount) = log.data.get(..32).map(U256::from_be_slice) else { continue };
        let sender = Address::from_word(*sender);
        let moved = transfers.iter().rev().find(|it| {
            let same = it.tx == log.tx && it.from == sender && U256::from(it.amount.0) == amount;
            same && it.log_index < log.log_index && !accounts.contains_key(&(it.tx, it.log_index))
        });
        if let Some(moved) = moved {
            accounts.insert((moved.tx, moved.log_index), AccountId(*account));
        }
    }
    accounts
}
