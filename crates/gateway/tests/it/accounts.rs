//! Accounts with e-mail address and password: `POST /api/v1/auth/signup`, `/login`, `/refresh`, `/logout`, `/link`.

use chain::Wallet;
use reqwest::Method;
use serde_json::{Value, json};
use wire::http::{AccountSessionJson, LinkedJson, MeJson, WalletJson};

use crate::stage::{Answer, Stage};

const PASSWORD: &str = "secure123";

impl Stage {
    /// An account that is signed in.
    pub(crate) async fn account(&self, email: &str) -> AccountSessionJson {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.post("/api/v1/auth/signup", body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({"email": email, "password": password}).to_string()).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", json!({ "refreshToken": token }).to_string()).await
    }

    async fn who(&self, token: &str) -> Answer {
        self.send_as(Method::GET, "/api/v1/auth/me", token, &Value::Null).await
    }
}

#[tokio::test]
async fn an_account_signs_up_in_and_out() {
    let stage = Stage::new(|_| ()).await;
    let made = stage.account("Ann@Example.com").await;
    let me: MeJson = stage.who(&made.token).await.json();
    assert_eq!((me.account, me.email.as_deref()), (made.account, Some("ann@example.com")));
    assert!(me.wallets.is_empty());
    // As JSON, and as the form of the seed; case does not matter.
    let session: AccountSessionJson = stage.login("ann@example.com", PASSWORD).await.json();
    assert_eq!(session.account, made.account);
    let form = stage.http().post(stage.url("/api/v1/auth/login"));
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(format!("username=ANN%40example.com&password={PASSWORD}"));
    let form = form.send().await.unwrap();
    let cookies: Vec<_> =
        form.headers().get_all("set-cookie").iter().map(|it| it.to_str().unwrap().to_owned()).collect();
    assert_eq!(cookies.len(), 2, "a session and what makes the next");
    assert!(cookies.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict")));
    assert_eq!(form.json::<AccountSessionJson>().await.unwrap().account, made.account);

    let out = json!({ "refreshToken": session.refresh_token });
    assert_eq!(stage.post_as("/api/v1/auth/logout", &session.token, &out).await.status, 204);
    stage.who(&session.token).await.is_problem(401, "not good now");
    stage.refresh(&session.refresh_token).await.is_problem(401, "sign in again");
    assert_eq!(stage.who(&made.token).await.status, 200, "another session goes on");
}

#[tokio::test]
async fn a_refresh_token_makes_one_session() {
    let stage = Stage::new(|_| ()).await;
    let made = stage.account("bob@example.com").await;
    let sent = [0; 4].map(|_| stage.refresh(&made.refresh_token));
    let answers: Vec<Answer> = futures_util::future::join_all(sent).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "exactly one of many at once");
    let next: AccountSessionJson = answers.iter().find(|answer| answer.status == 200).unwrap().json();
    assert_eq!(next.account, made.account);
    assert_ne!(next.refresh_token, made.refresh_token);
    assert_eq!(stage.refresh(&next.refresh_token).await.status, 200);
    // Neither token stands for the other.
    let again = stage.account("bob2@example.com").await;
    stage.refresh(&again.token).await.is_problem(401, "sign in again");
    stage.who(&again.refresh_token).await.is_problem(401, "not good now");
    stage.post("/api/v1/auth/refresh", "").await.is_problem(401, "no refresh token");
}

#[tokio::test]
async fn what_makes_no_account_is_named() {
    let stage = Stage::new(|_| ()).await;
    stage.account("carol@example.com").await;
    let refused = async |email: &str, password: &str, status: u16, field: Option<&str>, words: &str| {
        let body = json!({"email": email, "password": password}).to_string();
        let problem = stage.post("/api/v1/auth/signup", body).await.is_problem(status, words);
        assert_eq!(problem.field.as_deref(), field);
    };
    refused("CAROL@example.com", PASSWORD, 409, None, "has an account").await;
    refused("carol", PASSWORD, 400, Some("email"), "no e-mail address").await;
    refused("dan@example.com", "short", 400, Some("password"), "8 to 256").await;
    refused("dan@example.com", &"x".repeat(257), 400, Some("password"), "8 to 256").await;
    refused("dan@example.com", "dan@example.com", 400, Some("password"), "would try that first").await;
    let bare = Stage::new(|config| config.wallet = None).await;
    let body = json!({"email": "e@example.com", "password": PASSWORD}).to_string();
    bare.post("/api/v1/auth/signup", body).await.is_problem(501, "keeps no money");
}

#[tokio::test]
async fn guessing_is_answered_alike_and_then_not_at_all() {
    let stage = Stage::new(|_| ()).await;
    stage.account("erin@example.com").await;
    let wrong = stage.login("erin@example.com", "wrong password").await.is_problem(401, "address or password is wrong");
    let nobody =
        stage.login("nobody@example.com", "wrong password").await.is_problem(401, "address or password is wrong");
    assert_eq!(wrong, nobody, "who has an account is not told");
    for _ in 0..3 {
        stage.login("erin@example.com", "wrong password").await.is_problem(401, "wrong");
    }
    stage.login("erin@example.com", "wrong password").await.is_problem(401, "wrong");
    let resting = stage.login("erin@example.com", PASSWORD).await;
    assert_eq!(
        resting.is_problem(401, "wait"),
        wrong,
        "the right one waits too, and nobody is told that it is the right one"
    );
}

#[tokio::test]
async fn a_wallet_is_linked_once_and_then_speaks_for_the_account() {
    let stage = Stage::new(|_| ()).await;
    let (made, wallet) = (stage.account("fay@example.com").await, Wallet::random());
    let proof = async || {
        let message = stage.nonce(Some(wallet.address())).await.message.unwrap();
        json!({"message": message, "signature": wallet.sign_message(&message).unwrap().to_string()})
    };
    let first = proof().await;
    let linked: LinkedJson = stage.post_as("/api/v1/auth/link", &made.token, &first).await.json();
    assert_eq!((linked.account, linked.wallets), (made.account, vec![wallet.address()]));
    stage.post_as("/api/v1/auth/link", &made.token, &first).await.is_problem(401, "is used");

    let by_wallet = stage.sign_in(&wallet).await.token;
    let balance = stage.send_as(Method::GET, "/api/v1/wallets/balance", &by_wallet, &Value::Null).await;
    assert_eq!(balance.json::<WalletJson>().account, made.account);
    stage.post_as("/api/v1/auth/link", &by_wallet, &proof().await).await.is_problem(409, "password first");

    let other = stage.account("gus@example.com").await;
    stage.post_as("/api/v1/auth/link", &other.token, &proof().await).await.is_problem(409, "another account");
    let mut forged = proof().await;
    forged["signature"] = json!(Wallet::random().sign_message("x").unwrap().to_string());
    stage.post_as("/api/v1/auth/link", &other.token, &forged).await.is_problem(401, "signed it");
    stage.post("/api/v1/auth/link", first.to_string()).await.is_problem(401, "sign in");
}

#[tokio::test]
async fn what_needs_a_signature_is_not_prepared_for_who_has_no_key() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let made = stage.account("hal@example.com").await;
    let token = stage.market.token();
    let body = json!({"resourceId": provider.gpus[0].id, "amount": {"amount": "1.0", "token": token}});
    stage.post_as("/api/v1/providers/1/stake", &made.token, &body).await.is_problem(403, "a wallet's signature");
}
