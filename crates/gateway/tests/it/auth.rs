//! Signing in with a wallet: `POST /api/v1/auth/siwe/nonce`, `/verify`, `/auth/logout`, `GET /auth/me`.

use alloy_primitives::{Address, U256, hex};
use chain::Wallet;
use reqwest::RequestBuilder;
use wire::http::{MeJson, NonceJson, SessionJson};

use crate::{
    sockets::now,
    stage::{Answer, Stage},
};

/// The curve's order: `s` and `order - s` are both right before EIP-2.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

impl Stage {
    async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn nonce(&self, address: Option<Address>) -> NonceJson {
        let body = address.map_or_else(|| "{}".to_owned(), |address| format!(r#"{{"address":"{address}"}}"#));
        self.post("/api/v1/auth/siwe/nonce", body).await.json()
    }

    async fn verify(&self, message: &str, signature: &str) -> Answer {
        let body = serde_json::json!({ "message": message, "signature": signature });
        self.post("/api/v1/auth/siwe/verify", body.to_string()).await
    }

    /// A session of `wallet`.
    pub(crate) async fn sign_in(&self, wallet: &Wallet) -> SessionJson {
        let message = self.nonce(Some(wallet.address())).await.message.unwrap();
        self.verify(&message, &wallet.sign_message(&message).unwrap().to_string()).await.json()
    }

    async fn me(&self, token: &str) -> Answer {
        self.send(self.http().get(self.url("/api/v1/auth/me")).bearer_auth(token)).await
    }
}

/// A message with everything as it should be, then changed.
struct Draft {
    domain: String,
    address: Address,
    uri: String,
    chain_id: u64,
    nonce: String,
    issued: u64,
    expires: Option<u64>,
    not_before: Option<u64>,
}

impl Draft {
    async fn new(stage: &Stage, wallet: &Wallet) -> Self {
        let NonceJson { nonce, domain, uri, chain_id, .. } = stage.nonce(None).await;
        let address = wallet.address();
        Self { domain, address, uri, chain_id, nonce, issued: now(), expires: None, not_before: None }
    }

    fn text(&self) -> String {
        let Self { domain, address, uri, chain_id, nonce, .. } = self;
        let time = |at: u64| jiff::Timestamp::from_second(at.try_into().unwrap()).unwrap();
        let mut text = format!(
            "{domain} wants you to sign in with your Ethereum account:\n{address}\n\n\nURI: {uri}\nVersion: 1\n\
             Chain ID: {chain_id}\nNonce: {nonce}\nIssued At: {}",
            time(self.issued)
        );
        for (name, at) in [("Expiration Time", self.expires), ("Not Before", self.not_before)] {
            if let Some(at) = at {
                text += &format!("\n{name}: {}", time(at));
            }
        }
        text
    }
}

#[tokio::test]
async fn a_signed_message_opens_a_session_once() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let nonce = stage.nonce(Some(wallet.address())).await;
    assert_eq!((nonce.domain.as_str(), nonce.chain_id), (stage.host.as_str(), stage.domain().chain_id));
    let message = nonce.message.unwrap();
    let signature = wallet.sign_message(&message).unwrap().to_string();
    let session: SessionJson = stage.verify(&message, &signature).await.json();
    assert_eq!(session.address, wallet.address());
    let me: MeJson = stage.me(&session.token).await.json();
    assert_eq!((me.address, me.expires_at), (wallet.address(), session.expires_at));
    let left = me.expires_at.as_second() - i64::try_from(now()).unwrap();
    assert!((86_300..=86_400).contains(&left), "{left}");

    stage.verify(&message, &signature).await.is_problem(401, "nonce was not given out, is used or has expired");
    stage.me("00").await.is_problem(401, "bearer token is not good");
    stage.get("/api/v1/auth/me").await.is_problem(401, "nobody is signed in");

    let logout = || stage.http().post(stage.url("/api/v1/auth/logout")).bearer_auth(&session.token);
    assert_eq!(stage.send(logout()).await.status, 204);
    stage.me(&session.token).await.is_problem(401, "bearer token is not good");
    stage.send(logout()).await.is_problem(401, "bearer token is not good");
}

#[tokio::test]
async fn of_many_who_come_with_one_nonce_one_gets_in() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let message = stage.nonce(None).await;
    let draft = Draft { nonce: message.nonce, ..Draft::new(&stage, &wallet).await }.text();
    let signature = wallet.sign_message(&draft).unwrap().to_string();
    let tries = (0..8).map(|_| stage.verify(&draft, &signature));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
}

#[tokio::test]
async fn a_message_that_is_not_for_here_and_now_signs_nobody_in() {
    let stage = Stage::new(|config| config.limits.rates.sign_in = gateway::Rate::new(1000, 1000)).await;
    let wallet = Wallet::random();
    let check = async |change: fn(&mut Draft), status: u16, words: &str| {
        let mut draft = Draft::new(&stage, &wallet).await;
        change(&mut draft);
        let text = draft.text();
        let answer = stage.verify(&text, &wallet.sign_message(&text).unwrap().to_string()).await;
        if status == 200 {
            answer.json::<SessionJson>();
        } else {
            answer.is_problem(status, words);
        }
    };
    check(|_| (), 200, "").await;
    check(|draft| draft.expires = Some(now() + 60), 200, "").await;
    check(|draft| draft.not_before = Some(now() - 1), 200, "").await;
    check(|draft| draft.domain = "evil.example".into(), 400, "it is for the domain evil.example").await;
    check(|draft| draft.uri = "http://evil.example/".into(), 400, "its URI is http://evil.example/").await;
    check(|draft| draft.chain_id += 1, 400, "it is for chain").await;
    check(|draft| draft.nonce = "0123456789abcdef".into(), 401, "nonce was not given out").await;
    check(|draft| draft.nonce += ":x", 400, "letters and digits").await;
    check(|draft| draft.issued -= 3600, 401, "issued too long ago").await;
    check(|draft| draft.issued += 3600, 401, "issued in the future").await;
    check(|draft| draft.expires = Some(now()), 401, "has expired").await;
    check(|draft| draft.not_before = Some(now() + 60), 401, "not good yet").await;
    check(|draft| draft.address = Address::repeat_byte(7), 401, "signed it").await;
}

#[tokio::test]
async fn only_the_signature_of_this_very_message_counts() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let text = Draft::new(&stage, &wallet).await.text();
    let signature = wallet.sign_message(&text).unwrap();
    let altered = text.replacen("\n\n\nURI", "\n\nI give everything away.\n\nURI", 1);
    stage.verify(&altered, &signature.to_string()).await.is_problem(401, "signed it");
    let more = format!("{text}\nand more");
    stage.verify(&more, &wallet.sign_message(&more).unwrap().to_string()).await.is_problem(400, "message");
    let other = Wallet::random().sign_message(&text).unwrap();
    stage.verify(&text, &other.to_string()).await.is_problem(401, "signed it");
    stage.verify(&text, "0x00").await.is_problem(400, "65 bytes in hex");
    stage.verify("hello", &signature.to_string()).await.is_problem(400, "message");
    stage.verify(&"x".repeat(5000), &signature.to_string()).await.is_problem(400, "more than 4096 bytes");

    // The other s of the same signature, which everybody can compute.
    let mut high = signature.0;
    let s = U256::from_be_slice(&high[32..64]);
    let order = U256::from_be_slice(&hex::decode(ORDER).unwrap());
    high[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
    high[64] = 27 + 28 - high[64];
    stage.verify(&text, &hex::encode_prefixed(high)).await.is_problem(401, "lower half");
    // None of these used the nonce up.
    stage.verify(&text, &signature.to_string()).await.json::<SessionJson>();
}

#[tokio::test]
async fn a_nonce_for_one_address_is_of_no_use_to_another() {
    let stage = Stage::new(|_| ()).await;
    let (asked, other) = (Wallet::random(), Wallet::random());
    let nonce = stage.nonce(Some(asked.address())).await.nonce;
    let text = Draft { nonce, ..Draft::new(&stage, &other).await }.text();
    let answer = stage.verify(&text, &other.sign_message(&text).unwrap().to_string()).await;
    answer.is_problem(401, "nonce was not given out");
    // Nor is the name under which it is stored, which whoever asked for it can compute.
    let nonce = stage.nonce(Some(asked.address())).await.nonce;
    let mut digest = sha256(&format!("{nonce}:{}", asked.address()));
    for _ in 0..2 {
        let text = Draft { nonce: digest.clone(), ..Draft::new(&stage, &other).await }.text();
        let answer = stage.verify(&text, &other.sign_message(&text).unwrap().to_string()).await;
        assert!(matches!(answer.status, 400 | 401), "{}", answer.status);
        digest.insert(0, '@');
    }
}

fn sha256(text: &str) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    hex::encode(digest(&SHA256, text.as_bytes()))
}

#[tokio::test]
async fn a_gateway_without_a_public_address_believes_no_name() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let to_evil =
        |path: &str, body: String| stage.http().post(stage.url(path)).header("host", "evil.example").body(body);
    let asked = to_evil("/api/v1/auth/siwe/nonce", "{}".into());
    stage.send(asked).await.is_problem(501, "--public-url");
    // A page of evil.example has its visitor sign for that name and brings what it got here.
    let host = "evil.example".to_owned();
    let draft = Draft { domain: host.clone(), uri: format!("http://{host}/"), ..Draft::new(&stage, &wallet).await };
    let message = draft.text();
    let signature = wallet.sign_message(&message).unwrap().to_string();
    let body = serde_json::json!({ "message": message, "signature": signature }).to_string();
    stage.send(to_evil("/api/v1/auth/siwe/verify", body)).await.is_problem(501, "localhost");
}

#[tokio::test]
async fn a_foreign_page_puts_nobody_into_a_session_of_its_own() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    for (origin, sets) in [("http://evil.example".to_owned(), false), (stage.url(""), true)] {
        let message = stage.nonce(Some(wallet.address())).await.message.unwrap();
        let signature = wallet.sign_message(&message).unwrap().to_string();
        let body = serde_json::json!({ "message": message, "signature": signature }).to_string();
        let verify = stage.http().post(stage.url("/api/v1/auth/siwe/verify")).header("origin", &origin).body(body);
        let answer = verify.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("set-cookie")), (200, sets), "{origin}");
    }
}

#[tokio::test]
async fn an_account_opens_so_many_sessions_and_no_more() {
    let stage = Stage::new(|config| config.limits.rates.sign_in = gateway::Rate::new(1000, 1000)).await;
    let wallet = Wallet::random();
    for _ in 0..30 {
        stage.sign_in(&wallet).await;
    }
    let message = stage.nonce(Some(wallet.address())).await.message.unwrap();
    let signature = wallet.sign_message(&message).unwrap().to_string();
    stage.verify(&message, &signature).await.is_problem(429, "too many requests");
    stage.sign_in(&Wallet::random()).await;
}

#[tokio::test]
async fn the_cookie_signs_in_where_only_our_own_pages_change_something() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let message = stage.nonce(Some(wallet.address())).await.message.unwrap();
    let signature = wallet.sign_message(&message).unwrap().to_string();
    let body = serde_json::json!({ "message": message, "signature": signature }).to_string();
    let answer = stage.http().post(stage.url("/api/v1/auth/siwe/verify")).body(body).send().await.unwrap();
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Strict"), "{set}");
    let cookie = set.split(';').next().unwrap().to_owned();
    let me = || stage.http().get(stage.url("/api/v1/auth/me")).header("cookie", &cookie);
    assert_eq!(stage.send(me()).await.json::<MeJson>().address, wallet.address());

    let logout = || stage.http().post(stage.url("/api/v1/auth/logout")).header("cookie", &cookie);
    stage.send(logout()).await.is_problem(403, "only on this gateway's own pages");
    stage.send(logout().header("origin", "http://evil.example")).await.is_problem(403, "own pages");
    stage.send(logout().header("sec-fetch-site", "cross-site")).await.is_problem(403, "own pages");
    assert_eq!(stage.send(me()).await.status, 200, "still signed in");
    let done = logout().header("origin", stage.url("")).send().await.unwrap();
    assert_eq!(done.status(), 204);
    assert!(done.headers()["set-cookie"].to_str().unwrap().starts_with("bourse_session=; Path=/; Max-Age=0;"));
    // A cookie that is no longer good is nobody.
    stage.send(me()).await.is_problem(401, "nobody is signed in");
}

#[tokio::test]
async fn the_public_address_is_what_a_message_names() {
    let stage = Stage::new(|config| config.public_url = Some("https://gate.example/x".parse().unwrap())).await;
    let wallet = Wallet::random();
    let nonce = stage.nonce(None).await;
    assert_eq!((nonce.domain.as_str(), nonce.uri.as_str()), ("gate.example", "https://gate.example"));
    let session = stage.sign_in(&wallet).await;
    assert_eq!(session.address, wallet.address());
    // The Host header, which everybody writes as he likes, changes nothing.
    let text = Draft { domain: stage.host.clone(), ..Draft::new(&stage, &wallet).await }.text();
    let answer = stage.verify(&text, &wallet.sign_message(&text).unwrap().to_string()).await;
    answer.is_problem(400, "this gateway is gate.example");
}

#[tokio::test]
async fn two_gateways_on_one_database_know_the_same_sessions() {
    let public = |config: &mut gateway::GatewayConfig| config.public_url = Some("http://gate.example".parse().unwrap());
    let stage = Stage::new(public).await;
    let other = stage.another(public).await;
    let at = |path: &str| format!("http://{other}{path}");
    let wallet = Wallet::random();
    let message = stage.nonce(Some(wallet.address())).await.message.unwrap();
    let signature = wallet.sign_message(&message).unwrap().to_string();
    // The nonce of the one opens a session at the other, once.
    let body = serde_json::json!({ "message": message, "signature": signature }).to_string();
    let verify = stage.http().post(at("/api/v1/auth/siwe/verify")).body(body);
    let session: SessionJson = stage.send(verify).await.json();
    stage.verify(&message, &signature).await.is_problem(401, "is used");
    assert_eq!(stage.me(&session.token).await.status, 200);
    let logout = stage.http().post(at("/api/v1/auth/logout")).bearer_auth(&session.token);
    assert_eq!(stage.send(logout).await.status, 204);
    stage.me(&session.token).await.is_problem(401, "bearer token is not good");
}
