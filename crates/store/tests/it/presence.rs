//! Measurements and hours, for as long as they are of use.

use market::Timestamp;
use store::{HOUR_S, METRICS_KEPT_S, PRESENCE_KEPT_S};
use testkit::TestDatabase;
use wire::http::MetricsPoint;

use crate::fixture::open;

on_both_engines! { measurements_are_kept_a_week hours_add_up the_first_hour_stays }

fn point(ms: i64, utilisation_pct: u16) -> MetricsPoint {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap();
    MetricsPoint { at, utilisation_pct, memory_mib: u32::MAX, temperature_c: 71, power_w: 300 }
}

async fn measurements_are_kept_a_week(database: &TestDatabase) {
    let store = open(database).await;
    let points: Vec<_> = (0..5000).map(|n| (1, point(n * 1000 + 7, 50))).collect();
    store.add_metrics(&points).await.unwrap();
    store.add_metrics(&[(1, point(7, 99)), (2, point(7, 98))]).await.unwrap();
    store.add_metrics(&[]).await.unwrap();
    let all = |limit| store.metrics(1, Timestamp(0), Timestamp(3), limit);
    assert_eq!(all(100).await.unwrap(), [point(7, 50), point(1007, 50), point(2007, 50)], "the first one stays");
    assert_eq!(all(2).await.unwrap(), [point(1007, 50), point(2007, 50)], "the newest");
    assert_eq!(store.metrics(2, Timestamp(0), Timestamp(u64::MAX), 100).await.unwrap(), [point(7, 98)]);
    store.prune(Timestamp(METRICS_KEPT_S + 2)).await.unwrap();
    assert_eq!(all(100).await.unwrap(), [point(2007, 50)], "older ones are pruned");
}

async fn hours_add_up(database: &TestDatabase) {
    let store = open(database).await;
    assert_eq!(store.uptime(1, 0).await.unwrap(), None, "never heard");
    store.add_presence(&[(1, 10, 600), (1, 10, 60), (2, 10, 5)]).await.unwrap();
    store.add_presence(&[(1, 10, 40), (1, 11, 3000)]).await.unwrap();
    store.add_presence(&[(1, 11, 3000)]).await.unwrap();
    store.add_presence(&[]).await.unwrap();
    assert_eq!(store.uptime(1, 0).await.unwrap(), Some((10, 700 + HOUR_S)), "an hour has no more than an hour");
    assert_eq!(store.uptime(1, 11).await.unwrap(), Some((10, HOUR_S)));
    assert_eq!(store.uptime(1, 12).await.unwrap(), Some((10, 0)));
    assert_eq!(store.uptime(2, 0).await.unwrap(), Some((10, 5)));
}

async fn the_first_hour_stays(database: &TestDatabase) {
    let store = open(database).await;
    store.add_presence(&[(1, 10, 1), (1, 11, 2), (1, 12, 4), (2, 11, 8)]).await.unwrap();
    store.prune(Timestamp(PRESENCE_KEPT_S + 12 * HOUR_S)).await.unwrap();
    assert_eq!(store.uptime(1, 0).await.unwrap(), Some((10, 5)));
    assert_eq!(store.uptime(2, 0).await.unwrap(), Some((11, 8)));
}
