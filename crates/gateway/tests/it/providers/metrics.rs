//! `GET /api/v1/providers/{id}/metrics`.

use jiff::Timestamp;
use wire::http::{MetricsPoint, Page};

use crate::stage::Stage;

fn point(second: i64) -> MetricsPoint {
    let at = Timestamp::from_second(second).unwrap();
    MetricsPoint { at, utilisation_pct: 50, memory_mib: 1, temperature_c: 2, power_w: 3 }
}

#[tokio::test]
async fn pages_lead_from_the_newest_to_the_oldest() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(0).await;
    let number = stage.market.provider_of(provider.account.address()).await.unwrap().unwrap();
    let end = Timestamp::now().as_second();
    let points: Vec<MetricsPoint> = (1..=5).rev().map(|back| point(end - 10 * back)).collect();
    let rows: Vec<_> = points.iter().map(|point| (number, *point)).collect();
    stage.store.add_metrics(&rows).await.unwrap();
    let get = async |query: &str| -> Page<MetricsPoint> {
        stage.get(&format!("/api/v1/providers/{number}/metrics{query}")).await.json()
    };
    assert_eq!(get("").await, Page { items: points.clone(), next_cursor: None });
    let first = get("?limit=2").await;
    assert_eq!(first.items, points[3..]);
    let second = get(&format!("?limit=2&cursor={}", first.next_cursor.unwrap())).await;
    assert_eq!(second.items, points[1..3]);
    let third = get(&format!("?limit=2&cursor={}", second.next_cursor.unwrap())).await;
    assert_eq!((third.items.as_slice(), third.next_cursor), (&points[..1], None));
    let part = get(&format!("?since={}&until={}", points[1].at, points[3].at)).await;
    assert_eq!(part.items, points[1..3]);
    let backwards = format!("/api/v1/providers/{number}/metrics?since={}&until={}", points[3].at, points[1].at);
    stage.get(&backwards).await.is_problem(400, "it lies after until");
    stage.get("/api/v1/providers/99/metrics").await.is_problem(404, "no provider 99");
}
