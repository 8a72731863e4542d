//! What the writer knows without asking: the rows as its own last commit left them. They are true as long as nobody else
//! wrote, which the number of the next posting tells.

use std::collections::HashSet;

use market::JobId;
use store::{AccountId, HoldState, LedgerKeys, LedgerView};

use super::posting::Posting;

/// Accounts, jobs and references that are kept, of each; some tens of megabytes. With one more all are forgotten and
/// read again as they come.
const KEPT_MAX: usize = 65_536;

/// Rows that were read or written before.
#[derive(Debug, Default)]
pub(super) struct Memory {
    view: LedgerView,
    /// All balances of these are in the view, those that are not there included.
    accounts: HashSet<AccountId>,
}

impl Memory {
    /// Takes the rows out, if they are all that these postings need. Nobody has looked then whether their references
    /// and new jobs stand already: the database refuses them if so. Until rows are [kept](Self::keep) nothing is known.
    pub(super) fn take_for<'a>(&mut self, postings: impl Iterator<Item = &'a Posting>) -> Option<LedgerView> {
        let mut keys = LedgerKeys::default();
        let mut new: HashSet<JobId> = HashSet::new();
        for posting in postings {
            if let Posting::Hold { job, part: 0, .. } = posting {
                new.insert(*job);
            }
            posting.keys(&mut keys);
        }
        let knows = self.view.next > 0
            && keys.deposits.is_empty()
            && keys.withdrawals.is_empty()
            && keys.accounts.iter().all(|account| self.accounts.contains(account))
            && keys.jobs.iter().all(|job| new.contains(job) || self.knows_hold(*job));
        knows.then(|| std::mem::take(&mut self.view))
    }

    /// A hold's balance is needed with it.
    fn knows_hold(&self, job: JobId) -> bool {
        self.view.holds.get(&job).is_some_and(|row| self.accounts.contains(&row.account))
    }

    /// Begins a view with what is known, if it is as old as the one that was just read; else forgets it.
    pub(super) fn begin(&mut self, read: LedgerView) -> LedgerView {
        let known = std::mem::take(&mut self.view);
        if known.next != read.next {
            self.accounts.clear();
            return read;
        }
        LedgerView { assets: read.assets, ..known }
    }

    /// What of these a view that was begun here lacks.
    pub(super) fn missing(&self, view: &LedgerView, mut keys: LedgerKeys) -> LedgerKeys {
        keys.accounts.retain(|account| !self.accounts.contains(account));
        keys.accounts.sort_unstable();
        keys.accounts.dedup();
        keys.jobs.retain(|job| !view.holds.contains_key(job));
        keys.references.retain(|reference| !view.posted.contains_key(reference));
        keys
    }

    /// These accounts were read into the view that will be kept.
    pub(super) fn has_read(&mut self, accounts: &[AccountId]) {
        self.accounts.extend(accounts);
    }

    /// Keeps the rows as they are in the database now. Deposits and withdrawals change between postings too, and of a
    /// hold that is over nobody speaks again, so those are left out.
    pub(super) fn keep(&mut self, mut view: LedgerView, touched: &[JobId]) {
        view.deposits.clear();
        view.withdrawals.clear();
        for job in touched {
            if view.holds.get(job).is_some_and(|row| row.state != HoldState::Open) {
                view.holds.remove(job);
            }
        }
        if view.posted.len() > KEPT_MAX {
            view.posted.clear();
        }
        if self.accounts.len() > KEPT_MAX || view.holds.len() > KEPT_MAX {
            self.forget();
        } else {
            self.view = view;
        }
    }

    /// Knows nothing any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
