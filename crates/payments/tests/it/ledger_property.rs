//! All postings in random order, by two gateways, on both engines: the equation holds after every step, and the ledger
//! is what the simple model is.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use payments::PaymentsError;
use payments::ledger::{Ledger, LedgerConfig, Line, Posting};
use store::{AssetId, DepositKey, DepositRow, DepositState, Store};
use testkit::{Rng, StdRng, TestDatabase, rng};

use crate::ledger::{NOW, account, asset, hash, job, open, seen};
use crate::ledger_model::{At, Model, Purse};

on_both_engines! { random_interleavings_equal_the_model two_gateways_post_at_once }

const WHO: usize = 4;
const STEPS: u64 = 600;

struct Run {
    chance: StdRng,
    store: Store,
    asset: AssetId,
    model: Model,
    /// By number: deposits with amount and round, jobs with their parts, withdrawals.
    deposits: BTreeMap<u64, (At, i64, u64)>,
    jobs: BTreeMap<u64, (At, u32)>,
    withdrawals: BTreeMap<u64, At>,
    next: u64,
}

impl Run {
    fn below(&mut self, n: u64) -> u64 {
        self.chance.next_u64() % n
    }

    fn amount(&mut self) -> i64 {
        1 + self.below(120) as i64
    }

    /// One that is on its way, mostly; else one of all, or one that is not there.
    fn pick<T>(&mut self, of: impl Fn(&Self) -> &BTreeMap<u64, T>, over: impl Fn(&T) -> bool) -> u64 {
        let any = self.below(4) == 0;
        let known: Vec<u64> = of(self).iter().filter(|(_, it)| any || !over(it)).map(|(n, _)| *n).collect();
        match self.below(known.len() as u64 + 1) as usize {
            n if n < known.len() => known[n],
            _ => 999_999,
        }
    }

    fn key(&self, n: u64) -> DepositKey {
        DepositKey { asset: self.asset, tx: hash(n), log_index: n }
    }

    fn owes(&self, who: usize) -> bool {
        self.model.purses.get(&who).is_some_and(|purse| purse.owed > 0)
    }

    /// A posting, and whether it should stand; the model has changed if so.
    async fn step(&mut self) -> (Posting, bool) {
        match self.below(5) {
            0 | 1 => self.of_deposit().await,
            2 => self.of_withdrawal(),
            _ => self.of_job(),
        }
    }

    async fn of_deposit(&mut self) -> (Posting, bool) {
        let (who, what) = (self.below(WHO as u64) as usize, self.below(7));
        if what < 2 {
            self.next += 1;
            let (n, amount) = (self.next, self.amount());
            seen(&self.store, self.asset, n, amount).await;
            self.deposits.insert(n, (At::Seen, amount, 0));
        }
        let n = if what < 2 { self.next } else { self.pick(|run| &run.deposits, |_| false) };
        let (at, amount, round) = self.deposits.get(&n).copied().unwrap_or((At::Over, 0, 0));
        let deposit = self.key(n);
        match what {
            0 | 2 => {
                let good = at == At::Seen;
                if good {
                    self.model.treasury += amount;
                    self.model.give(who, amount);
                    self.deposits.insert(n, (At::Credited(who), amount, round));
                }
                (Posting::DepositCredited { deposit, round, account: account(who as u64) }, good)
            }
            1 | 3 => {
                let good = at == At::Seen;
                if good {
                    self.model.treasury += amount;
                    self.model.unclaimed += amount;
                    self.deposits.insert(n, (At::Suspense, amount, round));
                }
                (Posting::DepositSuspended { deposit, round }, good)
            }
            4 => {
                let good = at == At::Suspense;
                if good {
                    self.model.unclaimed -= amount;
                    self.model.give(who, amount);
                    self.deposits.insert(n, (At::Credited(who), amount, round));
                }
                (Posting::SuspenseClaimed { deposit, round, account: account(who as u64) }, good)
            }
            5 => self.taken_back(n, at, amount, round).await,
            _ => {
                let key = self.next;
                self.next += 1;
                let who = (0..WHO).find(|who| self.owes(*who)).unwrap_or(who);
                let amount = 1 + self.below(20) as i64;
                let owed = self.model.purse(who).owed;
                let good = amount <= owed && amount <= self.model.unclaimed;
                if good {
                    self.model.purse(who).owed -= amount;
                    self.model.unclaimed -= amount;
                }
                let (asset, account) = (self.asset, account(who as u64));
                (Posting::ShortfallCovered { asset, account, amount, key: key.to_string() }, good)
            }
        }
    }

    async fn taken_back(&mut self, n: u64, at: At, amount: i64, round: u64) -> (Posting, bool) {
        let posting = Posting::DepositReorganised { deposit: self.key(n), round };
        let good = self.model.treasury >= amount
            && match at {
                At::Credited(_) => true,
                // Its money may have made good what others owe.
                At::Suspense => self.model.unclaimed >= amount,
                _ => false,
            };
        if good {
            self.model.treasury -= amount;
            match at {
                At::Credited(who) => {
                    let purse = self.model.purse(who);
                    let left = purse.available.min(amount);
                    purse.available -= left;
                    purse.owed += amount - left;
                }
                _ => self.model.unclaimed -= amount,
            }
            self.deposits.insert(n, (At::Gone, amount, round + 1));
        }
        (posting, good)
    }

    fn of_job(&mut self) -> (Posting, bool) {
        let (who, what) = (self.below(WHO as u64) as usize, self.below(8));
        if what < 2 {
            let n =
                if what == 0 { 1_000_000 + self.next } else { self.pick(|run| &run.jobs, |(at, _)| *at == At::Over) };
            self.next += 1;
            let (at, parts) = self.jobs.get(&n).copied().unwrap_or((At::Open { who, amount: 0, locked: 0 }, 0));
            let amount = self.amount();
            let purse = *self.model.purse(who);
            let fits = matches!(at, At::Open { who: payer, .. } if payer == who);
            let good = fits && purse.available >= amount && purse.owed == 0;
            if let (true, At::Open { amount: before, locked, .. }) = (good, at) {
                let purse = self.model.purse(who);
                purse.available -= amount;
                purse.held += amount;
                self.jobs.insert(n, (At::Open { who, amount: before + amount, locked }, parts + 1));
            }
            let (asset, account, price_per_hour) = (self.asset, account(who as u64), 3600);
            let part = if good { parts } else { 50_000 + self.next as u32 };
            return (Posting::Hold { job: job(n), part, account, asset, amount, price_per_hour, resource: None }, good);
        }
        let n = self.pick(|run| &run.jobs, |(at, _)| *at == At::Over);
        let (at, parts) = self.jobs.get(&n).copied().unwrap_or((At::Over, 0));
        let At::Open { who, amount, locked } = at else { return (Posting::Release { job: job(n) }, false) };
        self.next += 1;
        match what {
            2 => {
                let good = locked == 0;
                if good {
                    self.model.purse(who).held -= amount;
                    self.model.give(who, amount);
                    self.jobs.insert(n, (At::Over, parts));
                }
                (Posting::Release { job: job(n) }, good)
            }
            3 | 4 => {
                let lock = self.amount();
                let good = lock <= amount - locked && lock <= self.model.treasury;
                if good {
                    self.model.treasury -= lock;
                    self.model.locks += lock;
                    self.jobs.insert(n, (At::Open { who, amount, locked: locked + lock }, parts));
                }
                (Posting::JobLocked { job: job(n), part: self.next as u32, amount: lock }, good)
            }
            5 => {
                let lock = self.amount();
                let good = lock <= locked;
                if good {
                    self.model.treasury += lock;
                    self.model.locks -= lock;
                    self.jobs.insert(n, (At::Open { who, amount, locked: locked - lock }, parts));
                }
                (Posting::LockReverted { job: job(n), part: self.next as u32, amount: lock }, good)
            }
            _ => {
                let spent = self.below(locked as u64 + 1) as i64;
                let refunded = locked - spent - i64::from(what == 7 && locked > spent);
                let fee = self.below((amount - spent) as u64 / 2 + 1) as i64;
                let good = spent + refunded == locked;
                if good {
                    self.model.locks -= locked;
                    self.model.treasury += refunded;
                    self.model.fees += fee;
                    self.model.purse(who).held -= amount;
                    self.model.give(who, amount - spent - fee);
                    self.jobs.insert(n, (At::Over, parts));
                }
                (Posting::JobSettled { job: job(n), spent, refunded, fee }, good)
            }
        }
    }

    fn of_withdrawal(&mut self) -> (Posting, bool) {
        let (who, what) = (self.below(WHO as u64) as usize, self.below(6));
        let asset = self.asset;
        if what == 0 {
            self.next += 1;
            let (key, amount) = (self.next.to_string(), 1 + self.below(20) as i64);
            let good = amount <= self.model.fees;
            if good {
                self.model.fees -= amount;
                self.model.give(who, amount);
            }
            return (Posting::FeesTaken { asset, account: account(who as u64), amount, key }, good);
        }
        if what == 1 {
            self.next += 1;
            let (n, amount, purse) = (self.next, self.amount(), *self.model.purse(who));
            let good = purse.available >= amount && purse.owed == 0;
            if good {
                let purse = self.model.purse(who);
                purse.available -= amount;
                purse.held += amount;
                self.withdrawals.insert(n, At::Asked { who, amount });
            }
            let (account, destination) = (account(who as u64), Address::repeat_byte(7));
            let (id, request_key) = (hash(n), n.to_string());
            return (Posting::WithdrawalRequested { id, account, request_key, asset, destination, amount }, good);
        }
        let n = self.pick(|run| &run.withdrawals, |at| *at == At::Over);
        let (id, at) = (hash(n), self.withdrawals.get(&n).copied().unwrap_or(At::Over));
        match (what, at) {
            (2 | 3, At::Asked { who, amount }) => {
                let good = !self.owes(who);
                if good {
                    self.model.purse(who).held -= amount;
                    self.model.leaving += amount;
                    self.withdrawals.insert(n, At::Signed { who, amount });
                }
                let signer = Address::repeat_byte(3);
                (Posting::WithdrawalSigned { id, signer, nonce: n, tx: hash(n), raw: vec![1] }, good)
            }
            (4, At::Signed { amount, .. }) => {
                let good = amount <= self.model.treasury;
                if good {
                    self.model.treasury -= amount;
                    self.model.leaving -= amount;
                    self.withdrawals.insert(n, At::Over);
                }
                (Posting::WithdrawalFinal { id, tx: hash(n), block: 1 }, good)
            }
            (_, At::Asked { who, amount } | At::Signed { who, amount }) => {
                if matches!(at, At::Asked { .. }) {
                    self.model.purse(who).held -= amount;
                } else {
                    self.model.leaving -= amount;
                }
                self.model.give(who, amount);
                self.withdrawals.insert(n, At::Over);
                (Posting::WithdrawalFailed { id, reason: "lost".into() }, true)
            }
            _ => (Posting::WithdrawalFinal { id, tx: hash(n), block: 2 }, false),
        }
    }

    /// The database says what the model says.
    async fn compare(&self, after: &str) {
        let totals = self.store.assets().await.unwrap()[0].totals;
        assert!(totals.agree(), "{after}");
        self.model.check();
        let model = &self.model;
        let expected = (model.treasury, model.locks, model.leaving, model.fees, model.owed());
        let is = (totals.treasury, totals.locks, totals.withdrawing, totals.fees, totals.shortfall);
        assert_eq!(is, expected, "{after}");
        assert_eq!(totals.suspense, model.unclaimed - model.owed(), "{after}");
        for who in 0..WHO {
            let row = self.store.balances(account(who as u64)).await.unwrap();
            let purse = row.first().map_or(Purse::default(), |row| Purse {
                available: row.available,
                held: row.held,
                owed: row.owed,
            });
            assert_eq!(purse, model.purses.get(&who).copied().unwrap_or_default(), "{after}: account {who}");
        }
    }

    /// A deposit that was taken back may come again.
    async fn comes_again(&mut self) {
        let gone = self.deposits.iter().find(|(_, (at, ..))| *at == At::Gone).map(|(n, it)| (*n, it.1, it.2));
        let Some((n, amount, round)) = gone else { return };
        let row = self.store.deposit(self.key(n)).await.unwrap().unwrap();
        assert_eq!((row.state, row.round), (DepositState::Reorganised, round));
        assert!(self.store.move_deposit(&DepositRow { state: DepositState::Seen, ..row }).await.unwrap());
        self.deposits.insert(n, (At::Seen, amount, round));
    }
}

async fn random_interleavings_equal_the_model(database: &TestDatabase) {
    let (store, other) = (open(database).await, open(database).await);
    let asset = asset(&store, 1).await;
    let gateways = [store.clone(), other].map(|store| Ledger::start(store, LedgerConfig::default()));
    let mut run = Run {
        chance: rng(0x1ed6e4),
        store,
        asset,
        model: Model::default(),
        deposits: BTreeMap::new(),
        jobs: BTreeMap::new(),
        withdrawals: BTreeMap::new(),
        next: 1,
    };
    let (mut stood, mut kinds) = (0, std::collections::BTreeSet::new());
    for step in 0..STEPS {
        let (posting, good) = run.step().await;
        let after = format!("step {step}: {posting:?}");
        if run.below(8) == 0 {
            // A gateway dies on some line of it; another carries it out again.
            let line = Line::ALL[run.below(4) as usize];
            let dying = LedgerConfig { dies_at: Some(line), ..LedgerConfig::default() };
            let died = Ledger::start(run.store.clone(), dying).post(posting.clone(), NOW).await;
            // What is refused writes nothing, so there is nothing to die of after the rules.
            let done = match &died {
                Ok(posted) => posted.repeated,
                Err(error) => matches!(error, PaymentsError::Ended | PaymentsError::Refused(_)),
            };
            assert!(done, "{after}: {died:?}");
        }
        let posted = gateways[run.below(2) as usize].post(posting.clone(), NOW).await;
        match &posted {
            // What stood long ago may be said again, and does nothing.
            Ok(posted) => assert!(good || posted.repeated, "{after}: {posted:?}"),
            Err(error) => assert!(!good && error.refusal().is_some(), "{after}: {error}"),
        }
        stood += u32::from(good);
        if good {
            kinds.insert(posting.why());
        }
        run.compare(&after).await;
        if step % 9 == 0 {
            run.comes_again().await;
        }
        if step % 100 == 99 {
            assert_eq!(run.store.audit_ledger().await.unwrap(), Vec::<String>::new(), "{after}");
        }
    }
    assert!(stood > 150, "only {stood} postings stood");
    assert!(kinds.len() >= 14, "only {kinds:?} were tried");
}

async fn two_gateways_post_at_once(database: &TestDatabase) {
    let (store, other) = (open(database).await, open(database).await);
    let asset = asset(&store, 1).await;
    let gateways = [store.clone(), other].map(|store| Ledger::start(store, LedgerConfig::default()));
    for who in 0..WHO as u64 {
        crate::ledger::credit(&gateways[0], asset, who + 1, account(who), 1000).await;
    }
    let clients: Vec<_> = (0..16_u64)
        .map(|client| {
            let ledger = gateways[client as usize % 2].clone();
            tokio::spawn(async move {
                let mut spent = 0;
                for n in 0..20 {
                    let job = job(client * 1000 + n);
                    let (part, price_per_hour, resource, amount) = (0, 1, None, 30);
                    let of = account(client % WHO as u64);
                    let hold = Posting::Hold { job, part, account: of, asset, amount, price_per_hour, resource };
                    if ledger.post(hold, NOW).await.is_err() {
                        continue;
                    }
                    ledger.post(Posting::JobLocked { job, part: 0, amount: 25 }, NOW).await.unwrap();
                    ledger.post(Posting::JobSettled { job, spent: 10, refunded: 15, fee: 2 }, NOW).await.unwrap();
                    spent += 12;
                }
                spent
            })
        })
        .collect();
    let mut spent = 0;
    for client in clients {
        spent += client.await.unwrap();
    }
    let totals = store.assets().await.unwrap()[0].totals;
    assert_eq!((totals.available, totals.held, totals.locks), (4000 - spent, 0, 0));
    assert_eq!(totals.treasury, 4000 - spent / 12 * 10);
    assert!(totals.agree() && spent > 0);
    assert_eq!(store.audit_ledger().await.unwrap(), Vec::<String>::new());
}
