//! Who has sent how much of DAGs that are not complete: blocks that nobody has pinned yet, and perhaps never will.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use cid::Cid;

use crate::block::Digest;
use crate::config::UploadConfig;
use crate::error::Error;
use crate::problem::Problem;
use crate::store::InUse;

/// What a block costs beside its bytes: its record's head, its place in the index and in this ledger.
pub(super) const BLOCK_COST: u64 = 256;

/// An upload to which nothing has come for so long was given up: its blocks may be freed, and it counts against nobody.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Kept in memory only: after a restart everybody begins anew.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<(String, Cid), Account>,
    signers: HashMap<String, u64>,
    total: u64,
    /// On how many accounts each block stands.
    blocks: HashMap<Digest, u32>,
}

/// What one signer has sent under one root and nobody has pinned.
#[derive(Debug, Default)]
struct Account {
    blocks: HashMap<Digest, u64>,
    bytes: u64,
    /// When the last block came.
    touched: Option<Instant>,
}

impl InUse for Mutex<Ledger> {
    fn begin(&self) {
        self.lock().unwrap_or_else(PoisonError::into_inner).give_up(Instant::now());
    }

    fn uses(&self, digest: &Digest) -> bool {
        self.lock().unwrap_or_else(PoisonError::into_inner).blocks.contains_key(digest)
    }
}

impl Ledger {
    /// Takes note of a block that is about to be stored; a refusal says what to do.
    pub(super) fn admit(
        &mut self,
        limits: &UploadConfig,
        whose: &(String, Cid),
        digest: Digest,
        length: u64,
        now: Instant,
    ) -> Result<(), Problem> {
        if let Some(account) = self.accounts.get_mut(whose) {
            account.touched = Some(now);
            if account.blocks.contains_key(&digest) {
                return Ok(());
            }
        }
        let account = self.accounts.get(whose);
        let cost = length + BLOCK_COST;
        let refused = |detail| Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
        if account.map_or(0, |account| account.bytes) + length > limits.dag_bytes_max {
            return Err(Error::TooLarge { what: "the uploaded DAG", limit: limits.dag_bytes_max }.into());
        }
        if self.signers.get(&whose.0).copied().unwrap_or_default() + cost > limits.unfinished_signer_bytes_max {
            let limit = limits.unfinished_signer_bytes_max;
            return refused(format!(
                "this key has sent {limit} bytes of uploads that it did not complete; complete one with complete=true"
            ));
        }
        if self.total + cost > limits.unfinished_bytes_max {
            return refused("uploads that nobody completed fill this gateway; upload to another".to_owned());
        }
        let account = self.accounts.entry(whose.clone()).or_default();
        account.blocks.insert(digest, length);
        account.bytes += length;
        account.touched = Some(now);
        *self.blocks.entry(digest).or_default() += 1;
        *self.signers.entry(whose.0.clone()).or_default() += cost;
        self.total += cost;
        Ok(())
    }

    /// Whether this signer has sent the block under this root.
    pub(super) fn has(&self, whose: &(String, Cid), digest: &Digest) -> bool {
        self.accounts.get(whose).is_some_and(|account| account.blocks.contains_key(digest))
    }

    /// Forgets uploads that were given up.
    fn give_up(&mut self, now: Instant) {
        let is_idle = |account: &Account| {
            account.touched.is_none_or(|touched| now.saturating_duration_since(touched) >= GIVEN_UP_AFTER)
        };
        let idle = self.accounts.iter().filter(|(_, account)| is_idle(account)).map(|(whose, _)| whose.clone());
        for whose in idle.collect::<Vec<_>>() {
            self.settle(&whose, |_| true);
        }
    }

    /// Strikes out what is kept now. What was sent beside the DAG stays on the account.
    pub(super) fn settle(&mut self, whose: &(String, Cid), is_kept: impl Fn(&Digest) -> bool) {
        let Some(account) = self.accounts.get_mut(whose) else { return };
        let (mut bytes, mut cost) = (0, 0);
        let mut gone = Vec::new();
        account.blocks.retain(|digest, length| {
            let keep = !is_kept(digest);
            if !keep {
                bytes += *length;
                cost += *length + BLOCK_COST;
                gone.push(*digest);
            }
            keep
        });
        account.bytes -= bytes;
        if account.blocks.is_empty() {
            self.accounts.remove(whose);
        }
        self.total -= cost;
        for digest in gone {
            if let Some(accounts) = self.blocks.get_mut(&digest).filter(|accounts| **accounts > 1) {
                *accounts -= 1;
            } else {
                self.blocks.remove(&digest);
            }
        }
        if let Some(left) = self.signers.get_mut(&whose.0) {
            *left -= cost;
            if *left == 0 {
                self.signers.remove(&whose.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{RAW, cid_of};

    fn whose(name: &str, root: u8) -> (String, Cid) {
        (name.to_owned(), cid_of(RAW, &[root; 32]))
    }

    #[test]
    fn each_limit_says_what_to_do_and_what_is_kept_is_forgiven() {
        let limits = UploadConfig {
            dag_bytes_max: 100,
            unfinished_signer_bytes_max: 150 + 2 * BLOCK_COST,
            unfinished_bytes_max: 210 + 3 * BLOCK_COST,
            ..UploadConfig::default()
        };
        let mut ledger = Ledger::default();
        let begun = Instant::now();
        let admit = |ledger: &mut Ledger, name, root, block, length, expected: &str| {
            let found = ledger.admit(&limits, &whose(name, root), [block; 32], length, begun);
            let found = found
                .map_or_else(|problem| format!("{} {}", problem.status.as_u16(), problem.detail), |()| "ok".into());
            assert!(found.contains(expected), "{found:?} should contain {expected:?}");
        };
        admit(&mut ledger, "a", 1, 1, 101, "413 the uploaded DAG is larger than the limit of 100");
        admit(&mut ledger, "a", 1, 1, 100, "ok");
        admit(&mut ledger, "a", 1, 1, 100, "ok");
        admit(&mut ledger, "a", 1, 2, 1, "413");
        admit(&mut ledger, "a", 2, 2, 51, "429 this key has sent");
        admit(&mut ledger, "a", 2, 2, 50, "ok");
        admit(&mut ledger, "b", 2, 2, 61, "429 uploads that nobody completed");
        admit(&mut ledger, "b", 2, 2, 60, "ok");
        assert!(ledger.has(&whose("a", 1), &[1; 32]) && !ledger.has(&whose("b", 2), &[1; 32]));

        ledger.settle(&whose("a", 1), |digest| *digest == [2; 32]);
        admit(&mut ledger, "a", 3, 3, 1, "429 this key has sent");
        ledger.settle(&whose("a", 1), |_| true);
        admit(&mut ledger, "a", 3, 3, 100, "ok");
        for (name, root) in [("a", 2), ("a", 3), ("b", 2)] {
            ledger.settle(&whose(name, root), |_| true);
        }
        let is_empty = |ledger: &Ledger| {
            ledger.accounts.is_empty() && ledger.signers.is_empty() && ledger.blocks.is_empty() && ledger.total == 0
        };
        assert!(is_empty(&ledger), "{ledger:?}");

        let later = begun + GIVEN_UP_AFTER;
        ledger.admit(&limits, &whose("a", 1), [1; 32], 5, begun).unwrap();
        ledger.admit(&limits, &whose("b", 1), [1; 32], 5, begun).unwrap();
        ledger.admit(&limits, &whose("b", 1), [1; 32], 5, later).unwrap();
        let ledger = Mutex::new(ledger);
        ledger.lock().unwrap().give_up(later);
        assert!(ledger.uses(&[1; 32]), "the second upload goes on");
        ledger.lock().unwrap().give_up(later + GIVEN_UP_AFTER);
        assert!(!ledger.uses(&[1; 32]) && is_empty(&ledger.lock().unwrap()));
    }
}
