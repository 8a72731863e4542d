//! `Idempotency-Key`: the same request once.

use serde_json::{Value, json};
use wire::http::{CreatedJobJson, StoppedJson};

use crate::{
    jobs::Shop,
    stage::{Answer, Stage},
};

/// The answer, and whether it was given before.
async fn post(stage: &Stage, path: &str, token: Option<&str>, key: &str, body: &Value) -> (Answer, bool) {
    let mut request = stage.http().post(stage.url(path)).header("idempotency-key", key).body(body.to_string());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let replayed = response.headers().get("idempotent-replayed").is_some_and(|value| value == "true");
    (Answer::of(response).await, replayed)
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_done_again() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let ask = async |key: &str, body: &Value| post(stage, "/api/v1/jobs", Some(&shop.token), key, body).await;
    let (first, replayed) = ask("one", &shop.wish()).await;
    assert!(!replayed);
    let (again, replayed) = ask("\"one\"", &shop.wish()).await;
    assert!(replayed);
    assert_eq!((again.status, &again.kind, &again.body), (first.status, &first.kind, &first.body), "word for word");
    let (other, replayed) = ask("two", &shop.wish()).await;
    assert!(!replayed);
    assert_ne!(other.json::<CreatedJobJson>().job_id, first.json::<CreatedJobJson>().job_id);
    // Another body under the key is refused, and changes nothing about it.
    let mut longer = shop.wish();
    longer["maxDurationS"] = json!(7200);
    ask("one", &longer).await.0.is_problem(422, "new key");
    assert_eq!(ask("one", &shop.wish()).await.0.body, first.body);
    // A key is its owner's: a stranger's request under it is his own.
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    let (his, replayed) = post(stage, "/api/v1/jobs", Some(&stranger), "one", &shop.wish()).await;
    assert!(!replayed);
    assert_ne!(his.body, first.body);
    // A second name is the same route.
    let (named, replayed) = post(stage, "/api/jobs/create/", Some(&shop.token), "one", &shop.wish()).await;
    assert!(replayed && named.body == first.body);
}

#[tokio::test]
async fn of_many_at_once_one_is_done_and_all_that_answer_say_the_same() {
    let shop = Shop::new().await;
    let payment = shop.payment(&shop.quote().await).await;
    let sent = (0..8).map(|_| post(&shop.stage, "/api/v1/jobs", Some(&shop.token), "key", &payment));
    let answers = futures_util::future::join_all(sent).await;
    let done: Vec<&(Answer, bool)> = answers.iter().filter(|(answer, _)| answer.status == 201).collect();
    assert_eq!(done.iter().filter(|(_, replayed)| !replayed).count(), 1);
    assert!(done.iter().all(|(answer, _)| answer.body == done[0].0.body));
    for (answer, _) in answers.iter().filter(|(answer, _)| answer.status != 201) {
        assert_eq!(answer.is_problem(409, "still at work").kind, "in-flight");
    }
    let (late, replayed) = post(&shop.stage, "/api/v1/jobs", Some(&shop.token), "key", &payment).await;
    assert!(replayed && late.status == 201 && late.body == done[0].0.body, "created still, not found");
}

#[tokio::test]
async fn what_was_refused_may_be_sent_again_under_its_key() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let terms = shop.job().await;
    let path = shop.path(&terms, "/stop");
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    post(stage, &path, Some(&stranger), "k", &Value::Null).await.0.is_problem(403, "may not");
    let (refused, replayed) = post(stage, &path, Some(&stranger), "k", &Value::Null).await;
    refused.is_problem(403, "may not");
    assert!(!replayed);
    post(stage, "/api/v1/jobs", Some(&shop.token), "k2", &json!({})).await.0.is_problem(400, "what to run");
    assert_eq!(post(stage, "/api/v1/jobs", Some(&shop.token), "k2", &shop.wish()).await.0.status, 200);
    // Without a session the route says so, and nothing is kept.
    post(stage, &path, None, "k", &Value::Null).await.0.is_problem(401, "sign in");
    shop.start(&terms).await;
    let (first, _) = post(stage, &path, Some(&shop.token), "k", &Value::Null).await;
    let (again, replayed) = post(stage, &path, Some(&shop.token), "k", &Value::Null).await;
    assert!(replayed && first.json::<StoppedJson>().tx.is_some() && again.body == first.body);
    // The key of a route is no key of another.
    let (other, _) = post(stage, "/api/v1/jobs", Some(&shop.token), "k", &shop.wish()).await;
    other.is_problem(422, "new key");
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let shop = Shop::new().await;
    for key in ["", "\"\"", "a b", "a,b", &"x".repeat(161)] {
        let (answer, _) = post(&shop.stage, "/api/v1/jobs", Some(&shop.token), key, &shop.wish()).await;
        assert_eq!(answer.is_problem(400, "like a UUID").field.as_deref(), Some("Idempotency-Key"), "{key:?}");
    }
    let huge = json!({"spec": "x".repeat(70_000)});
    let (answer, _) = post(&shop.stage, "/api/v1/jobs", Some(&shop.token), "k", &huge).await;
    answer.is_problem(413, "65536");
}

#[tokio::test]
async fn a_read_is_read_anew_whatever_its_key() {
    let stage = Stage::new(|_| ()).await;
    let wallet = chain::Wallet::random();
    let token = stage.sign_in(&wallet).await.token;
    for _ in 0..2 {
        let me = stage.http().get(stage.url("/api/v1/auth/me")).bearer_auth(&token).header("idempotency-key", "one");
        let answer = me.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().get("idempotent-replayed")), (200, None));
    }
}
