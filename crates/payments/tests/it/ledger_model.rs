//! The ledger as simply as it can be written: plain sums, one after the other. What the real one is compared with.

use std::collections::BTreeMap;

/// An account of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purse {
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) owed: i64,
}

/// Where a deposit, a job or a withdrawal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Seen,
    Credited(usize),
    Suspense,
    Gone,
    Open { who: usize, amount: i64, locked: i64 },
    Asked { who: usize, amount: i64 },
    Signed { who: usize, amount: i64 },
    Over,
}

/// One asset of the whole market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) purses: BTreeMap<usize, Purse>,
    pub(crate) fees: i64,
    /// What lies unclaimed; the shortfall is counted by what is owed.
    pub(crate) unclaimed: i64,
    /// What is on chain in the treasury's name: its tokens and its locks.
    pub(crate) treasury: i64,
    pub(crate) locks: i64,
    pub(crate) leaving: i64,
}

impl Model {
    pub(crate) fn purse(&mut self, who: usize) -> &mut Purse {
        self.purses.entry(who).or_default()
    }

    pub(crate) fn owed(&self) -> i64 {
        self.purses.values().map(|purse| purse.owed).sum()
    }

    /// Somebody gets money; his debt comes first, and goes to those whose money was missing.
    pub(crate) fn give(&mut self, who: usize, amount: i64) {
        let purse = self.purse(who);
        let debt = purse.owed.min(amount);
        purse.owed -= debt;
        purse.available += amount - debt;
    }

    /// What everybody is owed is what there is: the unclaimed less the shortfall are the suspense.
    pub(crate) fn check(&self) {
        let accounts: i64 = self.purses.values().map(|purse| purse.available + purse.held).sum();
        let suspense = self.unclaimed - self.owed();
        assert_eq!(accounts + self.fees + suspense, self.treasury + self.locks - self.leaving, "{self:?}");
    }
}
