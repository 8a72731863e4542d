//! `POST /api/v1/jobs/{id}/stop`.

use chain::calls;
use market::{Outcome, Status};
use serde_json::{Value, json};
use wire::http::{JobJson, Page, StatusJson, StoppedJson};

use super::{PRICE, Shop};

#[tokio::test]
async fn the_gateway_ends_for_its_renter_what_it_watches_over() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let terms = shop.job().await;
    let path = shop.path(&terms, "/stop");
    // Before the clock runs, only the renter can take it back, with his own key.
    let said: StoppedJson = stage.post_as(&path, &shop.token, &Value::Null).await.json();
    let transaction = said.transaction.unwrap();
    assert_eq!((said.status, said.tx), (StatusJson::Created, None));
    assert_eq!((&transaction.data, transaction.from), (&calls::cancel_job(&terms), stage.town.renter.address()));

    shop.start(&terms).await;
    let said: StoppedJson = stage.post_as(&path, &shop.token, &Value::Null).await.json();
    assert_eq!((said.status, said.transaction), (StatusJson::Ended, None));
    assert!(said.tx.is_some());
    let state = stage.market.job(stage.market.job_id(&terms)).await.unwrap();
    assert_eq!((state.status, state.outcome), (Status::Ended, Outcome::StoppedByRenter));
    // Saying it again does nothing.
    let again: StoppedJson = stage.post_as(&path, &shop.token, &Value::Null).await.json();
    assert_eq!((again.tx, again.transaction, again.does.as_str()), (None, None, "nothing: it is over"));
}

#[tokio::test]
async fn many_who_stop_at_once_stop_once() {
    let shop = Shop::new().await;
    let terms = shop.job().await;
    shop.start(&terms).await;
    let path = shop.path(&terms, "/stop");
    let sent = (0..6).map(|_| shop.stage.post_as(&path, &shop.token, &Value::Null));
    let answers = futures_util::future::join_all(sent).await;
    let said: Vec<StoppedJson> = answers.iter().map(|answer| answer.json()).collect();
    assert_eq!(said.iter().filter(|said| said.tx.is_some()).count(), 1, "{said:?}");
    assert!(said.iter().all(|said| said.status == StatusJson::Ended));
}

#[tokio::test]
async fn nobody_ends_the_job_of_another() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let terms = shop.job().await;
    shop.start(&terms).await;
    let (path, id) = (shop.path(&terms, "/stop"), stage.market.job_id(&terms));
    for other in [&stage.town.stranger, &stage.town.owner, &stage.town.agent] {
        let token = stage.sign_in(other.wallet()).await.token;
        stage.post_as(&path, &token, &Value::Null).await.is_problem(403, "may not do this");
        let instance = format!("/api/v1/instances/{id}");
        stage
            .send_as(reqwest::Method::DELETE, &instance, &token, &Value::Null)
            .await
            .is_problem(403, "may not do this");
    }
    stage.post(&path, "").await.is_problem(401, "sign in");
    stage.post_as(&path, "forged", &Value::Null).await.is_problem(401, "not good now");
    // A cookie that a page of somebody else's sends along is no word of the renter's.
    let request = stage.http().post(stage.url(&path)).header("origin", "https://evil.example");
    let request = request.header("cookie", format!("bourse_session={}", shop.token));
    crate::stage::Answer::of(request.send().await.unwrap()).await.is_problem(403, "own pages");
    assert_eq!(stage.market.job(id).await.unwrap().status, Status::Running);
}

#[tokio::test]
async fn who_named_another_controller_gets_the_transaction_to_send() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let terms = stage.town.terms(shop.resource, PRICE);
    stage.town.renter.create_job(&terms).await.unwrap();
    stage.indexed().await;
    let controller = stage.sign_in(&stage.town.controller).await.token;
    let path = shop.path(&terms, "/stop");
    let answer = stage.post_as(&path, &controller, &Value::Null).await;
    answer.is_problem(409, "only the renter");
    shop.start(&terms).await;
    for (token, who) in [(&shop.token, stage.town.renter.address()), (&controller, stage.town.controller.address())] {
        let said: StoppedJson = stage.post_as(&path, token, &Value::Null).await.json();
        let transaction = said.transaction.unwrap();
        assert_eq!((transaction.from, &transaction.data), (who, &calls::stop_job(&terms)));
        assert_eq!(said.tx, None);
    }
    assert_eq!(stage.market.job(stage.market.job_id(&terms)).await.unwrap().status, Status::Running);
}

#[tokio::test]
async fn instances_are_the_live_jobs_of_who_asks() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let terms = shop.job().await;
    let mine = async |token: &str, query: &str| {
        let page: Page<JobJson> = stage.get_as(&format!("/api/v1/instances{query}"), token).await.json();
        page.items.len()
    };
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    assert_eq!((mine(&shop.token, "").await, mine(&stranger, "").await), (1, 0));
    let named = format!("?renter={}", stage.town.renter.address());
    assert_eq!(mine(&stranger, &named).await, 0, "a filter opens nobody's list");
    stage.get("/api/v1/instances").await.is_problem(401, "sign in");
    shop.start(&terms).await;
    let id = stage.market.job_id(&terms);
    let path = format!("/api/v1/instances/{id}");
    let ended: StoppedJson = stage.send_as(reqwest::Method::DELETE, &path, &shop.token, &json!({})).await.json();
    assert!(ended.tx.is_some());
    stage.indexed().await;
    assert_eq!((mine(&shop.token, "").await, mine(&shop.token, "?live=false").await), (0, 1));
}
