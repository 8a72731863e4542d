//! A page of the ledger in memory: rows as they were read, postings on them, and what is to be written.

use std::collections::HashSet;

use alloy_primitives::B256;
use market::{JobId, Timestamp};
use store::{
    AccountId, AssetId, BalanceRow, Bucket, DepositKey, EntryRow, LedgerChanges, LedgerKeys, LedgerView, PostingRow,
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
    postings: Vec<(PostingRow, Vec<EntryRow>)>,
    assets: HashSet<AssetId>,
    balances: HashSet<(AccountId, AssetId)>,
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
            holds: HashSet::new(),
            deposits: HashSet::new(),
            withdrawals: HashSet::new(),
        }
    }

    /// Accounts that the rows speak of, whose balances the rules read too.
    #[must_use]
    pub fn accounts_of(view: &LedgerView) -> LedgerKeys {
        let of_holds = view.holds.values().map(|row| row.account);
        let of_deposits = view.deposits.values().filter_map(|row| row.account);
        let accounts = of_holds.chain(of_deposits).chain(view.withdrawals.values().map(|row| row.account));
        let accounts: HashSet<_> = accounts.collect();
        LedgerKeys { accounts: accounts.into_iter().collect(), ..LedgerKeys::default() }
    }

    /// The rows as they are now.
    #[must_use]
    pub fn view(&self) -> &LedgerView {
        &self.view
    }

    /// Posts, or says why not.
    pub fn post(&mut self, posting: &Posting, at: Timestamp) -> Result<Posted, Refusal> {
        let (reference, digest) = (posting.reference(), posting.digest());
        if let Some((number, held)) = self.view.posted.get(&reference) {
            if *held != digest {
                return Err(Refusal::Conflict { reference });
            }
            return Ok(Posted { posting: *number, repeated: true });
        }
        let step = rules::step(&self.view, posting, at)?;
        let legs = self.apply(step)?;
        let number = self.view.next;
        self.view.next += 1;
        self.view.posted.insert(reference.clone(), (number, digest));
        self.postings.push((PostingRow { posting: number, reference, why: posting.why(), digest, at }, legs));
        Ok(Posted { posting: number, repeated: false })
    }

    /// Checks everything first, then changes the rows.
    fn apply(&mut self, step: Step) -> Result<Vec<EntryRow>, Refusal> {
        let id = step.asset;
        let too_large = Refusal::BadAmount { what: "the balance", why: "it would be too large" };
        let mut asset = self.view.assets.get(&id).ok_or(Refusal::Unknown { what: "asset" })?.clone();
        let mut touched: Vec<BalanceRow> = Vec::new();
        let mut legs = Vec::with_capacity(step.moves.len());
        for (account, bucket, amount) in step.moves {
            let total = asset.totals.bucket_mut(bucket);
            let has = *total;
            *total = has.checked_add(amount).ok_or_else(|| too_large.clone())?;
            if *total < 0 && bucket != Bucket::Suspense {
                return Err(Refusal::Insufficient { bucket: bucket.name(), has, wants: -amount });
            }
            if let Some(account) = account {
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
            legs.push(EntryRow { asset: id, account, bucket, amount: amount * bucket.sign() });
        }
        if let Some((account, owes)) = step.owes {
            let row = row_of(&self.view, &mut touched, account, id);
            row.owed = row.owed.checked_add(owes).ok_or_else(|| too_large.clone())?;
            asset.totals.shortfall = asset.totals.shortfall.checked_add(owes).ok_or(too_large)?;
        }
        if !asset.totals.agree() {
            return Err(Refusal::BadAmount { what: "the posting", why: "its legs do not sum to zero" });
        }
        self.assets.insert(id);
        self.view.assets.insert(id, asset);
        for row in touched {
            self.balances.insert((row.account, row.asset));
            self.view.balances.insert((row.account, row.asset), row);
        }
        if let Some(row) = step.hold {
            self.holds.insert(row.job);
            self.view.holds.insert(row.job, row);
        }
        if let Some(row) = step.deposit {
            self.deposits.insert(row.key);
            self.view.deposits.insert(row.key, row);
        }
        if let Some(row) = step.withdrawal {
            self.withdrawals.insert(row.id);
            self.view.withdrawals.insert(row.id, row);
        }
        Ok(legs)
    }

    /// What is to be written; nothing when every posting was refused or a repeat.
    #[must_use]
    pub fn changes(self) -> Option<LedgerChanges> {
        if self.postings.is_empty() {
            return None;
        }
        let Self { view, postings, assets, balances, holds, deposits, withdrawals } = self;
        Some(LedgerChanges {
            postings,
            assets: assets.iter().filter_map(|key| view.assets.get(key).cloned()).collect(),
            balances: balances.iter().filter_map(|key| view.balances.get(key).copied()).collect(),
            holds: holds.iter().filter_map(|key| view.holds.get(key).cloned()).collect(),
            deposits: deposits.iter().filter_map(|key| view.deposits.get(key).cloned()).collect(),
            withdrawals: withdrawals.iter().filter_map(|key| view.withdrawals.get(key).cloned()).collect(),
        })
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
