//! A page of the ledger in memory: rows as they were read, postings on them, and what is to be written.

use std::collections::HashSet;

use alloy_primitives::B256;
use market::{JobId, Timestamp};
use store::{
    AccountId, AssetId, AssetTotals, BalanceRow, Bucket, DepositKey, LedgerChanges, LedgerKeys, LedgerView, PostingRow,
};

use super::posting::{Posting, Refusal};
use super::rules::{self, Step};

/// A posting that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its number.
    pub posting: u64,
    /// It stood before.
    pub repeated: bool,
}

/// Rows, and postings on them. A posting that is refused leaves no trace.
#[derive(Debug)]
pub struct Book {
    view: LedgerView,
    postings: Vec<PostingRow>,
    assets: HashSet<AssetId>,
    balances: HashSet<(AccountId, AssetId)>,
    opened: HashSet<JobId>,
    holds: HashSet<JobId>,
    deposits: HashSet<DepositKey>,
    withdrawals: HashSet<B256>,
}

impl Book {
    /// Begins with what was read.
    #[must_use]
    pub fn new(view: LedgerView) -> Self {
        Self {
            view,
            postings: vec![],
            assets: HashSet::new(),
            balances: HashSet::new(),
            opened: HashSet::new(),
            holds: HashSet::new(),
            deposits: HashSet::new(),
            withdrawals: HashSet::new(),
        }
    }

    /// Accounts that the rows under these keys speak of, whose balances the rules read too.
    #[must_use]
    pub fn accounts_of(view: &LedgerView, keys: &LedgerKeys) -> LedgerKeys {
        let of_holds = keys.jobs.iter().filter_map(|key| view.holds.get(key)).map(|row| row.account);
        let of_deposits = keys.deposits.iter().filter_map(|key| view.deposits.get(key)?.account);
        let of_withdrawals = keys.withdrawals.iter().filter_map(|key| view.withdrawals.get(key));
        let accounts = of_holds.chain(of_deposits).chain(of_withdrawals.map(|row| row.account)).collect();
        LedgerKeys { accounts, ..LedgerKeys::default() }
    }

    /// The rows as they are now.
    #[must_use]
    pub fn view(&self) -> &LedgerView {
        &self.view
    }

    /// Posts, or says why not.
    pub fn post(&mut self, posting: &Posting, at: Timestamp) -> Result<Posted, Refusal> {
        let reference = posting.reference();
        let digest = posting.digest_under(&reference);
        if let Some((number, held)) = self.view.posted.get(&reference) {
            if *held != digest {
                return Err(Refusal::Conflict { reference });
            }
            return Ok(Posted { posting: *number, repeated: true });
        }
        let step = rules::step(&self.view, posting, at)?;
        let asset = step.asset;
        let (account, moved) = self.apply(step)?;
        let number = self.view.next;
        self.view.next += 1;
        self.view.posted.insert(reference.clone(), (number, digest));
        let why = posting.why();
        self.postings.push(PostingRow { posting: number, reference, why, digest, at, asset, account, moved });
        Ok(Posted { posting: number, repeated: false })
    }

    /// Checks everything first, then changes the rows. Says whose money moved, and how much of which bucket.
    fn apply(&mut self, step: Step) -> Result<(Option<AccountId>, AssetTotals), Refusal> {
        let id = step.asset;
        let too_large = Refusal::BadAmount { what: "the balance", why: "it would be too large" };
        let mut asset = self.view.assets.get(&id).ok_or(Refusal::Unknown { what: "asset" })?.clone();
        let mut touched: Vec<BalanceRow> = Vec::new();
        let (mut whose, mut moved) = (None, AssetTotals::default());
        for (account, bucket, amount) in step.moves {
            let total = asset.totals.bucket_mut(bucket);
            let has = *total;
            *total = has.checked_add(amount).ok_or_else(|| too_large.clone())?;
            if *total < 0 && bucket != Bucket::Suspense {
                return Err(Refusal::Insufficient { bucket: bucket.name(), has, wants: -amount });
            }
            if let Some(account) = account {
                whose = Some(account);
                let row = row_of(&self.view, &mut touched, account, id);
                let balance = match bucket {
                    Bucket::Available => Some(&mut row.available),
                    Bucket::Held => Some(&mut row.held),
                    _ => None,
                };
                if let Some(balance) = balance {
                    let has = *balance;
                    *balance = has.checked_add(amount).ok_or_else(|| too_large.clone())?;
                    if *balance < 0 {
                        return Err(Refusal::Insufficient { bucket: bucket.name(), has, wants: -amount });
                    }
                }
            }
            let moved = moved.bucket_mut(bucket);
            *moved = moved.checked_add(amount).ok_or_else(|| too_large.clone())?;
        }
        if let Some((account, owes)) = step.owes {
            let row = row_of(&self.view, &mut touched, account, id);
            row.owed = row.owed.checked_add(owes).ok_or_else(|| too_large.clone())?;
            asset.totals.shortfall = asset.totals.shortfall.checked_add(owes).ok_or(too_large)?;
            moved.shortfall = owes;
        }
        if !moved.agree() || !asset.totals.agree() {
            return Err(Refusal::BadAmount { what: "the posting", why: "its changes do not sum to zero" });
        }
        self.assets.insert(id);
        self.view.assets.insert(id, asset);
        for row in touched {
            self.balances.insert((row.account, row.asset));
            self.view.balances.insert((row.account, row.asset), row);
        }
        if let Some(row) = step.hold {
            let job = row.job;
            let before = self.view.holds.insert(job, row);
            let known = before.is_some() && !self.opened.contains(&job);
            if known { &mut self.holds } else { &mut self.opened }.insert(job);
        }
        if let Some(row) = step.deposit {
            self.deposits.insert(row.key);
            self.view.deposits.insert(row.key, row);
        }
        if let Some(row) = step.withdrawal {
            self.withdrawals.insert(row.id);
            self.view.withdrawals.insert(row.id, row);
        }
        Ok((whose, moved))
    }

    /// What is to be written; nothing when every posting was refused or a repeat. And the rows as they are then.
    #[must_use]
    pub fn close(self) -> (Option<LedgerChanges>, LedgerView) {
        let Self { view, postings, assets, balances, opened, holds, deposits, withdrawals } = self;
        if postings.is_empty() {
            return (None, view);
        }
        let changes = LedgerChanges {
            postings,
            assets: assets.iter().filter_map(|key| view.assets.get(key).cloned()).collect(),
            balances: balances.iter().filter_map(|key| view.balances.get(key).copied()).collect(),
            opened: opened.iter().filter_map(|key| view.holds.get(key).cloned()).collect(),
            holds: holds.iter().filter_map(|key| view.holds.get(key).cloned()).collect(),
            deposits: deposits.iter().filter_map(|key| view.deposits.get(key).cloned()).collect(),
            withdrawals: withdrawals.iter().filter_map(|key| view.withdrawals.get(key).cloned()).collect(),
        };
        (Some(changes), view)
    }
}

/// The balance as this posting has it so far.
fn row_of<'a>(
    view: &LedgerView,
    touched: &'a mut Vec<BalanceRow>,
    account: AccountId,
    asset: AssetId,
) -> &'a mut BalanceRow {
    let place = touched.iter().position(|row| row.account == account).unwrap_or_else(|| {
        let none = BalanceRow { account, asset, available: 0, held: 0, owed: 0 };
        touched.push(view.balances.get(&(account, asset)).copied().unwrap_or(none));
        touched.len() - 1
    });
    &mut touched[place]
}
