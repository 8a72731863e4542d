//! What a gateway asks.

use std::collections::BTreeMap;

use market::{Amount, Status, Timestamp};
use store::{EventRow, JobFilter, JobRow, PAGE_MAX, Row};
use testkit::TestDatabase;

use crate::fixture::{Chance, address, batch, begun, block, chance, resource_id, with_rows};

on_both_engines! {
    jobs_are_found_by_what_they_are
    pages_of_jobs_have_each_once
    listings_that_changed
    providers_are_found
    earnings_are_summed_by_day
    disputes_and_slashes_are_found
}

fn jobs(chance: &mut Chance, count: u64) -> Vec<JobRow> {
    // Several in a block, blocks in no order.
    (0..count).map(|n| chance.job(n, (1 + (n * 7) % (count / 3), n), 1)).collect()
}

async fn jobs_are_found_by_what_they_are(database: &TestDatabase) {
    let store = begun(database).await;
    let jobs = jobs(&mut chance(21), 150);
    store.commit(&batch(&[with_rows(1, jobs.iter().cloned().map(Row::Job).collect())])).await.unwrap();
    let check = async |filter: JobFilter, holds: &dyn Fn(&JobRow) -> bool| {
        let mut expected: Vec<_> = jobs.iter().filter(|job| holds(job)).cloned().collect();
        expected.sort_by_key(|job| std::cmp::Reverse(job.created));
        assert!(!expected.is_empty() && (filter == JobFilter::default() || expected.len() < jobs.len()), "{filter:?}");
        assert_eq!(store.jobs(&filter, None, PAGE_MAX).await.unwrap(), expected, "{filter:?}");
    };
    check(JobFilter::default(), &|_| true).await;
    check(JobFilter { renter: Some(address(1)), ..JobFilter::default() }, &|job| job.terms.renter == address(1)).await;
    let controller = JobFilter { controller: Some(address(2)), ..JobFilter::default() };
    check(controller, &|job| job.terms.controller == address(2)).await;
    check(JobFilter { provider: Some(2), ..JobFilter::default() }, &|job| job.provider == 2).await;
    let resource = JobFilter { resource: Some(resource_id(3)), ..JobFilter::default() };
    check(resource, &|job| job.terms.resource() == resource_id(3)).await;
    let statuses = vec![Status::Final, Status::Silent];
    check(JobFilter { statuses: statuses.clone(), ..JobFilter::default() }, &|job| statuses.contains(&job.status))
        .await;
    check(JobFilter { live: true, ..JobFilter::default() }, &|job| !job.status.is_over()).await;
    let unsettled = JobFilter { unsettled: true, ..JobFilter::default() };
    check(unsettled, &|job| !job.status.is_settled()).await;
    let several = JobFilter { renter: Some(address(1)), provider: Some(2), live: true, ..JobFilter::default() };
    check(several, &|job| job.terms.renter == address(1) && job.provider == 2 && !job.status.is_over()).await;
}

async fn pages_of_jobs_have_each_once(database: &TestDatabase) {
    let store = begun(database).await;
    let rows = jobs(&mut chance(22), 300).into_iter().map(Row::Job).collect();
    store.commit(&batch(&[with_rows(1, rows)])).await.unwrap();
    let mut seen: Vec<JobRow> = Vec::new();
    loop {
        let before = seen.last().map(|job| job.created);
        let page = store.jobs(&JobFilter::default(), before, 37).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen.len(), 300);
    assert!(seen.is_sorted_by(|a, b| a.created > b.created));
    let most = store.jobs(&JobFilter::default(), None, u64::MAX).await.unwrap();
    assert_eq!(most.len() as u64, PAGE_MAX);
}

async fn listings_that_changed(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(23);
    let (a, b) = (chance.provider(1, 1), chance.provider(2, 1));
    let listings = [(1, 1, 1), (2, 1, 2), (3, 2, 1)].map(|(id, provider, at)| chance.resource(id, provider, at));
    let mut rows = vec![Row::Provider(a.clone()), Row::Provider(b.clone())];
    rows.extend(listings.iter().cloned().map(Row::Resource));
    store.commit(&batch(&[with_rows(2, rows)])).await.unwrap();
    let [x, y, z] = listings;
    let all = [(x.clone(), a.clone()), (y.clone(), a.clone()), (z.clone(), b)];
    assert_eq!(store.resources_changed(0).await.unwrap(), all);
    assert_eq!(store.resources_changed(1).await.unwrap(), [(y.clone(), a)]);
    assert_eq!(store.resources_changed(2).await.unwrap(), []);
    let news = chance.provider(2, 3);
    store.commit(&batch(&[with_rows(3, vec![Row::Provider(news.clone())])])).await.unwrap();
    assert_eq!(store.resources_changed(2).await.unwrap(), [(z, news)], "of a provider that changed");
    let mut of_first = store.resources_of(1).await.unwrap();
    of_first.sort_by_key(|row| row.id);
    assert_eq!(of_first, [x, y]);
}

async fn providers_are_found(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(24);
    let rows: Vec<_> = (1..=250).map(|id| chance.provider(id, 1)).collect();
    store.commit(&batch(&[with_rows(1, rows.iter().cloned().map(Row::Provider).collect())])).await.unwrap();
    assert_eq!(store.provider_by(address(7)).await.unwrap().as_ref(), Some(&rows[6]), "by its owner");
    assert_eq!(store.provider_by(address(350)).await.unwrap().as_ref(), Some(&rows[249]), "by its agent");
    assert_eq!(store.provider_by(address(999)).await.unwrap(), None);
    assert_eq!(store.providers(10, 3).await.unwrap(), rows[10..13]);
    assert_eq!(store.providers(0, u64::MAX).await.unwrap().len() as u64, PAGE_MAX);
    let since = Timestamp(1_800_500_000);
    let mut late: Vec<_> = rows.into_iter().filter(|row| row.registered_at >= since).collect();
    late.sort_by_key(|row| std::cmp::Reverse((row.registered_at, row.id)));
    assert_eq!(store.providers_since(since, PAGE_MAX).await.unwrap(), late);
}

async fn earnings_are_summed_by_day(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(25);
    let day = 86_400;
    // Amounts of every length: the database adds them up in its own way.
    let amount = |n: u32| Amount(u128::MAX / 1000 / 7_u128.pow(n % 44));
    let events: Vec<EventRow> = (0..400_u32)
        .map(|n| EventRow {
            at: Timestamp(u64::from(n) * day / 40),
            provider: Some(n % 2),
            earned: (n % 5 > 0).then(|| amount(n)),
            ..chance.event(1, n.into())
        })
        .collect();
    let mut expected: BTreeMap<u64, u128> = BTreeMap::new();
    for event in events.iter().filter(|event| event.provider == Some(1)) {
        if let Some(earned) = event.earned {
            *expected.entry(event.at.0 / day).or_default() += earned.0;
        }
    }
    let mut changes = with_rows(1, vec![]);
    changes.events = events;
    assert_eq!(changes.block, block(1));
    store.commit(&batch(&[changes])).await.unwrap();
    let days: Vec<_> = expected.iter().map(|(day, sum)| (*day, Amount(*sum))).collect();
    assert_eq!(days.len(), 10);
    assert_eq!(store.earnings(1, Timestamp(0)).await.unwrap(), days);
    assert_eq!(store.earnings(1, Timestamp(3 * day)).await.unwrap(), days[3..]);
    assert_eq!(store.earnings_total(1).await.unwrap(), Amount(expected.values().sum()));
    assert_eq!(store.earnings_total(9).await.unwrap(), Amount::ZERO);
    assert_eq!(store.earnings(9, Timestamp(0)).await.unwrap(), []);
}

async fn disputes_and_slashes_are_found(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(26);
    let disputes: Vec<_> = (0..60).map(|job| chance.dispute(job, 1)).collect();
    let slashes: Vec<_> = (1..=60).map(|id| chance.slash(id, 1)).collect();
    let mut rows: Vec<Row> = disputes.iter().cloned().map(Row::Dispute).collect();
    rows.extend(slashes.iter().cloned().map(Row::Slash));
    store.commit(&batch(&[with_rows(1, rows)])).await.unwrap();

    let mut open: Vec<_> = disputes.iter().filter(|row| row.decision.is_none()).cloned().collect();
    open.sort_by_key(|row| (row.opened_at, row.job));
    assert!(open.len() > 9 && open.len() < 50);
    assert_eq!(store.open_disputes(PAGE_MAX).await.unwrap(), open, "the oldest first");
    assert_eq!(store.open_disputes(9).await.unwrap(), open[..9]);
    assert_eq!(store.dispute(disputes[7].job).await.unwrap().as_ref(), Some(&disputes[7]));
    assert_eq!(store.dispute(crate::fixture::job_id(99)).await.unwrap(), None);

    let mut of_one: Vec<_> = slashes.iter().filter(|row| row.resource == resource_id(2)).cloned().collect();
    of_one.reverse();
    assert!(of_one.len() > 3 && of_one.len() < 60);
    assert_eq!(store.slashes_of(resource_id(2), PAGE_MAX).await.unwrap(), of_one, "the newest first");
    assert_eq!(store.slashes_of(resource_id(2), 2).await.unwrap(), of_one[..2]);
}
