//! Searching, signing in, jobs and receipts: what can be said without a market, and what a gateway must not get.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Output};

use serde_json::{Value, json};

/// A free person: a folder of his own, no market unless he writes one.
struct Nobody {
    dir: tempfile::TempDir,
}

impl Nobody {
    fn new() -> Self {
        Self { dir: testkit::temp_dir() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A market file whose chain and gateway nobody answers for.
    fn with_market(self, gateway: &str) -> Self {
        let address = |digit: char| format!("0x{}", String::from(digit).repeat(40));
        let file = json!({ "rpc": "http://127.0.0.1:9", "chainId": 31337, "market": address('1'), "token": address('2'),
            "deployedAt": 0, "gateway": gateway });
        std::fs::write(self.path().join("market.json"), file.to_string()).unwrap();
        self
    }

    async fn verb(&self, args: &[&str]) -> (i32, String, Value) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_bourse"));
        command.env_clear().current_dir(self.path()).arg("--home").arg(self.path()).arg("--json").args(args);
        command.env("BOURSE_KEY", format!("0x{}", "11".repeat(32)));
        let Output { status, stdout, stderr } = command.output().await.unwrap();
        let out = String::from_utf8(stdout).unwrap();
        let answer = out.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        (status.code().unwrap(), format!("{out}{}", String::from_utf8(stderr).unwrap()), answer)
    }
}

/// A gateway that signs anybody in, and keeps what it was shown.
async fn obliging(domain: Option<&'static str>) -> (String, std::sync::Arc<std::sync::Mutex<Vec<Value>>>) {
    use axum::{Json, Router, http::StatusCode, routing::post};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let shown = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = shown.clone();
    let named = domain.map_or_else(|| own.clone(), str::to_owned);
    let nonce = move || async move {
        Json(json!({ "nonce": "0123456789abcdef", "domain": named, "uri": format!("http://{named}"), "chainId": 31337,
            "expiresAt": "2999-01-01T00:00:00Z" }))
    };
    let verify = move |Json(body): Json<Value>| async move {
        let address = body["message"].as_str().unwrap().lines().nth(1).unwrap().to_owned();
        seen.lock().unwrap().push(body);
        Json(json!({ "token": "whoever-has-this", "address": address, "expiresAt": "2999-01-01T00:00:00Z" }))
    };
    let router = Router::new()
        .route("/api/v1/auth/siwe/nonce", post(nonce))
        .route("/api/v1/auth/siwe/verify", post(verify))
        .route("/api/v1/auth/logout", post(|| async { StatusCode::NO_CONTENT }));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{own}"), shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_is_named_and_the_token_is_never_printed() {
    let (url, shown) = obliging(None).await;
    let nobody = Nobody::new().with_market(&url);
    let (code, text, answer) = nobody.verb(&["-vv", "login"]).await;
    assert_eq!(code, 0, "{text}");
    let address = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A";
    assert_eq!(answer["address"].as_str().unwrap().to_lowercase(), address.to_lowercase());
    assert!(!text.contains("whoever-has-this"), "{text}");
    let message = shown.lock().unwrap()[0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(&format!("{address}\n")) && message.contains("Chain ID: 31337\n"), "{message}");
    let file = nobody.path().join("session.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, text, answer) = nobody.verb(&["login", "--logout"]).await;
    assert_eq!((code, &answer["endedAtGateway"]), (0, &json!(true)), "{text}");
    assert!(!file.exists());
    let (code, _, answer) = nobody.verb(&["logout"]).await;
    assert_eq!((code, &answer["signedOut"]), (0, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_calls_itself_another_gets_no_signature() {
    let (url, shown) = obliging(Some("gate.example")).await;
    let nobody = Nobody::new().with_market(&url);
    let (code, text, _) = nobody.verb(&["login"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("calls itself \"gate.example\""), "{text}");
    assert!(shown.lock().unwrap().is_empty() && !nobody.path().join("session.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_with_what_to_do() {
    let without = Nobody::new();
    let cases: [(&[&str], i32, &str); 10] = [
        (&["search"], 4, "bourse up"),
        (&["receipt", "list"], 4, "bourse up"),
        (&["login"], 4, "bourse up"),
        (&["job", "events", "0x12"], 4, "give the whole id"),
        (&["search", "--min-vram", "24"], 2, "24GiB or 24MiB"),
        (&["search", "--real", "--simulated"], 2, "cannot be used with"),
        (&["search", "--sort", "beauty"], 2, "sort by price, vram"),
        (&["job", "list", "--limit", "0"], 2, "from 1 to"),
        (&["receipt", "verify", "./not-there.json"], 4, "no file, no NID and no job"),
        (&["provider", "run", "--region", "EU West"], 2, "as in eu-west"),
    ];
    for (args, expected, words) in cases {
        let (code, text, _) = without.verb(args).await;
        assert_eq!(code, expected, "{args:?}\n{text}");
        assert!(text.contains(words), "{args:?}\n{text}");
    }
    let nobody = Nobody::new().with_market("http://127.0.0.1:9");
    for (args, words) in
        [(["receipt", "show", "nothing"], "no file, no NID and no job"), (["receipt", "verify", "0x99"], "whole id")]
    {
        let (code, text, _) = nobody.verb(&args).await;
        assert_eq!(code, 4, "{args:?}\n{text}");
        assert!(text.contains(words), "{args:?}\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_explains_itself() {
    let nobody = Nobody::new();
    let verbs: [(&[&str], &str); 7] = [
        (&["search", "--help"], "--min-vram <SIZE>"),
        (&["login", "--help"], "--logout"),
        (&["job", "list", "--help"], "--renter <ADDRESS>"),
        (&["job", "events", "--help"], "when, who, what, why"),
        (&["receipt", "list", "--help"], "--job <JOB>"),
        (&["receipt", "show", "--help"], "NID|JOB"),
        (&["receipt", "verify", "--help"], "FILE|NID|JOB"),
    ];
    for (args, words) in verbs {
        let (code, text, _) = nobody.verb(args).await;
        assert_eq!(code, 0, "{args:?}\n{text}");
        assert!(text.contains(words), "{args:?}\n{text}");
    }
}
