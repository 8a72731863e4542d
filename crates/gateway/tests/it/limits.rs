//! How much one client may ask for.

use std::{net::IpAddr, time::Duration};

use gateway::Rate;

use crate::stage::{Answer, Stage, until};

const FEW: u32 = 3;

/// One in a minute: nothing comes back while a test runs.
fn few() -> Rate {
    let mut rate = Rate::new(1, FEW);
    rate.per_second = std::num::NonZeroU32::MIN;
    rate
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_again_and_comes_again() {
    let stage = Stage::new(|config| config.limits.rates.writes = few()).await;
    let path = format!("/api/v1/jobs/{}/ready", alloy_primitives::B256::ZERO);
    let answer = async || stage.http().post(stage.url(&path)).body("{").send().await.unwrap();
    for _ in 0..FEW {
        assert_eq!(answer().await.status(), 400);
    }
    let mut refused = answer().await;
    while refused.status() != 429 {
        refused = answer().await;
    }
    assert_eq!(refused.headers()["retry-after"], "1");
    let problem = Answer::of(refused).await.is_problem(429, "ask again in 1 s");
    assert_eq!(problem.kind, "too-many");
    // Reads have a budget of their own, and the other one fills again.
    assert_eq!(stage.get("/api/v1/health").await.status, 200);
    until(async || answer().await.status() == 400).await;
}

#[tokio::test]
async fn signing_in_has_the_smallest_budget() {
    let stage = Stage::new(|config| config.limits.rates.sign_in = few()).await;
    let mut last = 0;
    for _ in 0..20 {
        last = stage.post("/api/v1/auth/siwe/nonce", "{}").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(stage.get("/api/v1/gpus").await.status, 200);
}

#[tokio::test]
async fn only_a_trusted_proxy_says_whom_it_forwards_for() {
    for trusted in [false, true] {
        let stage = Stage::new(|config| {
            config.limits.rates.writes = few();
            config.trusted_proxies = trusted.then_some(IpAddr::from([127, 0, 0, 1])).into_iter().collect();
        })
        .await;
        let mut refused = 0;
        for number in 0..20 {
            let request = stage.http().delete(stage.url("/api/v1/nothing"));
            let request =
                request.header("x-forwarded-for", format!("10.0.0.{number}")).timeout(Duration::from_secs(30));
            refused += u32::from(request.send().await.unwrap().status() == 429);
        }
        assert_eq!(refused > 0, !trusted, "{refused}");
    }
}
