//! What people see of their money.

use market::{Seconds, Timestamp};
use payments::ledger::{Ledger, LedgerConfig, Period, Posting, RUNWAY_LOW, RunwayWarning, Spending, runway, wallets};
use store::{AnalyticsBy, DepositKey};
use testkit::TestDatabase;

use crate::ledger::{NOW, account, asset, credit, hash, hold, job, open, seen};

on_both_engines! { history_has_every_posting_once_by_pages spending_is_added_up money_lasts_so_long }

async fn history_has_every_posting_once_by_pages(database: &TestDatabase) {
    let store = open(database).await;
    let asset = asset(&store, 1).await;
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    credit(&ledger, asset, 1, account(1), 1000).await;
    credit(&ledger, asset, 2, account(2), 1000).await;
    for n in 1..=5 {
        ledger.post(hold(asset, n, account(1), 10), NOW).await.unwrap();
    }
    ledger.post(Posting::Release { job: job(3) }, NOW).await.unwrap();
    let (mut seen_lines, mut before) = (Vec::new(), None);
    loop {
        let page = store.history(account(1), before, 3).await.unwrap();
        before = page.last().map(|row| row.posting);
        if page.is_empty() {
            break;
        }
        seen_lines.extend(page.into_iter().map(|row| (row.why, row.available, row.held)));
    }
    let lines: Vec<_> = seen_lines.iter().map(|(why, available, held)| (why.as_str(), *available, *held)).collect();
    let hold = ("hold", -10, 10);
    assert_eq!(lines, [("release", 10, -10), hold, hold, hold, hold, hold, ("deposit", 1000, 0)]);
    let balance = wallets(&store, account(1)).await.unwrap();
    let sum: i64 = lines.iter().map(|line| line.1).sum();
    assert_eq!((balance[0].available, balance[0].held), (sum, 40), "balance = credits - debits");
}

async fn spending_is_added_up(database: &TestDatabase) {
    let store = open(database).await;
    let asset = asset(&store, 1).await;
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    credit(&ledger, asset, 1, account(1), 10_000).await;
    // Friday 2026-11-20, the Sunday after it, and the Monday in December's first full week.
    for (n, day) in [(1, 20_777), (2, 20_777), (3, 20_779), (4, 20_794)] {
        let at = Timestamp(day * 86_400 + 5);
        ledger.post(hold(asset, n, account(1), 100), at).await.unwrap();
        ledger.post(Posting::JobLocked { job: job(n), part: 0, amount: 100 }, at).await.unwrap();
        ledger.post(Posting::JobSettled { job: job(n), spent: 50, refunded: 50, fee: 1 }, at).await.unwrap();
    }
    let ask = async |by| store.analytics(account(1), by, Timestamp(0), Timestamp(u64::MAX)).await.unwrap();
    let days = ask(AnalyticsBy::Day).await;
    let shown = |period| {
        let sums = Spending::by(period, &days).into_iter();
        sums.map(|it| (it.from.to_string(), it.jobs, it.spent, it.refunded)).collect::<Vec<_>>()
    };
    let line = |from: &str, jobs, spent, refunded| (from.to_owned(), jobs, spent, refunded);
    assert_eq!(
        shown(Period::Day),
        [line("2026-11-20", 2, 102, 100), line("2026-11-22", 1, 51, 50), line("2026-12-07", 1, 51, 50)]
    );
    assert_eq!(shown(Period::Week), [line("2026-11-16", 3, 153, 150), line("2026-12-07", 1, 51, 50)]);
    assert_eq!(shown(Period::Month), [line("2026-11-01", 3, 153, 150), line("2026-12-01", 1, 51, 50)]);
    assert_eq!(ask(AnalyticsBy::Job).await.len(), 4);
    let by_resource = ask(AnalyticsBy::Resource).await;
    assert_eq!(by_resource.iter().map(|it| (it.resource, it.spent)).collect::<Vec<_>>(), [(None, 204)]);
    assert!(store.analytics(account(2), AnalyticsBy::Job, Timestamp(0), NOW).await.unwrap().is_empty(), "one's own");
}

async fn money_lasts_so_long(database: &TestDatabase) {
    let store = open(database).await;
    let asset = asset(&store, 1).await;
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    let day = i64::try_from(RUNWAY_LOW.0).unwrap();
    credit(&ledger, asset, 1, account(1), day + 400).await;
    let _: DepositKey = seen(&store, asset, 2, 77).await;
    let mut pending = store.deposit(DepositKey { asset, tx: hash(2), log_index: 2 }).await.unwrap().unwrap();
    pending.account = Some(account(1));
    assert!(store.move_deposit(&pending).await.unwrap());
    ledger.post(hold(asset, 1, account(1), 1800), NOW).await.unwrap();
    let left = async |after: u64| {
        let wallet = &wallets(&store, account(1)).await.unwrap()[0];
        assert_eq!((wallet.available, wallet.held, wallet.pending), (day - 1400, 1800, 77));
        let holds = store.open_holds(account(1)).await.unwrap();
        runway(wallet.available, &holds, asset, Timestamp(NOW.0 + after))
    };
    assert_eq!(left(10).await, None, "nothing runs");
    ledger.post(Posting::JobStarted { job: job(1), at: NOW }, NOW).await.unwrap();
    // One unit a second.
    let at = async |after| left(after).await.map(|it| (it.left, it.warning)).unwrap();
    assert_eq!(at(0).await, (Seconds(RUNWAY_LOW.0 + 400), None));
    assert_eq!(at(400).await, (RUNWAY_LOW, None));
    assert_eq!(at(401).await, (Seconds(RUNWAY_LOW.0 - 1), Some(RunwayWarning::Low)));
    let rest = Seconds(RUNWAY_LOW.0 - 1400);
    assert_eq!(left(1800).await.unwrap().left, rest, "the hold is spent; more can be set aside");
    assert_eq!(left(9000).await.unwrap().left, rest);
}
