//! Pages of others: they may buy over x402 and nothing else.

use reqwest::Method;

use crate::stage::Stage;

#[tokio::test]
async fn a_browser_is_told_what_a_page_may_send_to_the_paid_routes_only() {
    let stage = Stage::new(|_| ()).await;
    let ask = async |path: &str| {
        let request = stage.http().request(Method::OPTIONS, stage.url(path)).header("origin", "https://page.example");
        request.header("access-control-request-method", "POST").send().await.unwrap()
    };
    let answer = ask("/api/v1/x402/jobs").await;
    assert_eq!(answer.status(), 204);
    let allowed = answer.headers()["access-control-allow-headers"].to_str().unwrap().to_owned();
    for header in ["payment-signature", "x-payment", "access-control-expose-headers"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"), "no cookie counts there");
    // The seeds' spelling is the same route.
    assert_eq!(ask("/api/x402/jobs/").await.status(), 204);
    for closed in ["/api/v1/jobs", "/api/v1/auth/siwe/nonce"] {
        let answer = ask(closed).await;
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{closed}");
    }
}

#[tokio::test]
async fn a_page_may_read_what_it_must_pay_and_what_it_paid() {
    let stage = Stage::new(|_| ()).await;
    let request = stage.http().get(stage.url("/api/v1/x402/nothing")).header("origin", "https://page.example");
    let answer = request.send().await.unwrap();
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_owned();
    for header in ["payment-required", "payment-response", "x-payment-response"] {
        assert!(exposed.contains(header), "{exposed}");
    }
}
