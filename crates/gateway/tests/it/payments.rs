//! `GET /api/v1/payments/stream/{id}`: money by the second, and the names under which it is deposited.

use market::Seconds;
use wire::http::{JobJson, PaymentStreamJson, Runway, StatusJson};

use crate::jobs::{PRICE, Shop};

fn units(money: &wire::http::Money) -> u128 {
    money.amount.parse().unwrap()
}

#[tokio::test]
async fn a_stream_follows_the_clock_to_its_end() {
    let shop = Shop::new().await;
    let terms = shop.job().await;
    let id = shop.stage.market.job_id(&terms);
    let path = format!("/api/v1/payments/stream/{id}");
    let waiting: PaymentStreamJson = shop.stage.get(&path).await.json();
    assert_eq!((waiting.status, waiting.is_streaming, waiting.seconds), (StatusJson::Created, false, 0));
    assert_eq!((waiting.per_second.as_str(), waiting.runs_out_at), ("1000.000000", None));
    assert_eq!((units(&waiting.left), waiting.runway_s), (PRICE.0, 3600));

    shop.start(&terms).await;
    shop.stage.town.advance(Seconds(2700)).await.unwrap();
    shop.stage.indexed().await;
    let running: PaymentStreamJson = shop.stage.get(&format!("{path}?seconds=5")).await.json();
    assert!(running.is_streaming && (2700..2900).contains(&running.seconds), "{running:?}");
    assert_eq!(units(&running.accrued) + units(&running.left), units(&running.locked));
    assert_eq!((running.runway, running.runway_s), (Runway::Short, 3600 - running.seconds));
    let ends = running.runs_out_at.unwrap().as_second() - running.at.as_second();
    assert_eq!(u64::try_from(ends).unwrap(), running.runway_s);
    let last = running.seconds;
    let expected: Vec<_> =
        (last - 4..=last).map(|second| (second, PRICE.cost(Seconds(second)).0.to_string())).collect();
    let shown: Vec<_> = running.series.into_iter().map(|point| (point.second, point.accrued)).collect();
    assert_eq!(shown, expected);
    let job: JobJson = shop.stage.get(&shop.path(&terms, "")).await.json();
    assert_eq!(job.runway, Some(Runway::Short), "the job itself warns too");

    shop.stage.post_as(&shop.path(&terms, "/stop"), &shop.token, &serde_json::json!({})).await;
    shop.stage.indexed().await;
    let over: PaymentStreamJson = shop.stage.get(&path).await.json();
    assert!(!over.is_streaming && over.runs_out_at.is_none());
    assert_eq!((over.runway, over.runway_s), (Runway::Over, 0));
    let paid: u128 = over.payouts.iter().map(|payout| units(&payout.amount)).sum();
    assert_eq!(paid, units(&over.paid), "every payout is listed once");
}

#[tokio::test]
async fn a_series_has_a_limit_and_a_job_must_be_there() {
    let shop = Shop::new().await;
    let terms = shop.job().await;
    let path = format!("/api/v1/payments/stream/{}", shop.stage.market.job_id(&terms));
    for wrong in ["0", "3601"] {
        let problem = shop.stage.get(&format!("{path}?seconds={wrong}")).await.is_problem(400, "1 to 3600");
        assert_eq!(problem.field.as_deref(), Some("seconds"));
    }
    shop.stage.get(&format!("{path}?limit=1")).await.is_problem(400, "limit");
    let nobody = alloy_primitives::B256::repeat_byte(1);
    shop.stage.get(&format!("/api/v1/payments/stream/{nobody}")).await.is_problem(404, "there is no job");
    shop.stage.get("/api/v1/payments/stream/7").await.is_problem(400, "an id is");
}

#[tokio::test]
async fn a_deposit_for_a_job_is_the_payment_of_its_lock() {
    let shop = Shop::new().await;
    let quote = shop.quote().await;
    let payment = shop.payment(&quote).await;
    assert_eq!(shop.stage.post_as("/api/v1/escrow/deposit", &shop.token, &payment).await.status, 201);
    assert_eq!(shop.stage.post_as("/api/escrow/deposit", &shop.token, &payment).await.status, 200, "once only");
}
