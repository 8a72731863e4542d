//! Uploading: only what is missing, only by those who may, only what is whole.

use std::sync::Arc;

use content::upload::{Authorise, Refused, router};
use content::{Block, Cid, ImportConfig, Pin, Progress, RAW, UploadConfig, add_tree, export_car, push, total_size};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Response};
use tokio::sync::watch;
use url::Url;

use crate::fixture::{Keystream, Store, plant, serve, store};

fn only_with_token() -> Authorise {
    Arc::new(|headers, _root| match headers.get("authorization") {
        Some(value) if value == "token" => Ok("alice".to_owned()),
        _ => Err(Refused { status: 401, detail: "sign in first".to_owned() }),
    })
}

fn token() -> HeaderMap {
    HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, HeaderValue::from_static("token"))])
}

fn sample() -> (Store, Cid) {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &[("a", &Keystream::bytes("upload", 3_000_000)), ("b", b"b"), ("c/d", b"d")]);
    let store = store();
    let root =
        add_tree(&store, dir.path(), &ImportConfig { chunk_bytes: 100_000, ..ImportConfig::default() }).unwrap().cid;
    (store, root)
}

async fn server(config: UploadConfig) -> (Store, Url) {
    let store = store();
    let url = serve(router(store.store.clone(), config, only_with_token())).await;
    (store, url)
}

async fn post(url: &Url, path: &str, body: Vec<u8>) -> Response {
    let url = url.join("/api/v1/images/upload").unwrap();
    Client::new().post(format!("{url}{path}")).headers(token()).body(body).send().await.unwrap()
}

async fn refused(answer: Response, status: u16) -> serde_json::Value {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.status().as_u16(), status);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_pushed_dag_is_whole_and_pinned() {
    let (from, root) = sample();
    let (to, url) = server(UploadConfig::default()).await;
    let (sender, receiver) = watch::channel(Progress::default());
    let pushed = push(&from, &root, &url, &token, Some(sender)).await.unwrap();
    let size = total_size(&from, &root).unwrap();
    assert_eq!((pushed.blocks, pushed.bytes, pushed.blocks_before), (size.blocks, size.bytes, 0));
    assert_eq!(total_size(&to, &root).unwrap(), size);
    assert_eq!(to.pins(), [Pin { name: "alice".to_owned(), root }]);
    let end = *receiver.borrow();
    assert_eq!((end.blocks, end.bytes, end.total_bytes), (size.blocks, size.bytes, Some(size.bytes)));
    let again = push(&from, &root, &url, &token, None).await.unwrap();
    assert_eq!((again.blocks, again.blocks_before), (0, size.blocks), "nothing is sent twice");
}

#[tokio::test]
async fn a_push_that_was_cut_off_sends_only_the_rest() {
    let (from, root) = sample();
    let (to, url) = server(UploadConfig::default()).await;
    let all = content::blocks_of(&from, &root).unwrap();
    let half: Vec<_> = all[..all.len() / 2]
        .iter()
        .map(|cid| Block::verified(*cid, from.get(cid).unwrap().unwrap()).unwrap())
        .collect();
    to.put_many(&half).unwrap();
    let pushed = push(&from, &root, &url, &token, None).await.unwrap();
    assert_eq!((pushed.blocks_before, pushed.blocks), (half.len() as u64, (all.len() - half.len()) as u64));
}

#[tokio::test]
async fn strangers_are_refused() {
    let (from, root) = sample();
    let (to, url) = server(UploadConfig::default()).await;
    let error = push(&from, &root, &url, &HeaderMap::new, None).await.unwrap_err();
    assert!(
        matches!(&error, content::Error::Server { status: 401, detail, .. } if detail == "sign in first"),
        "{error}"
    );
    assert!(to.is_empty());
}

#[tokio::test]
async fn an_incomplete_dag_is_not_pinned() {
    let (from, root) = sample();
    let (to, url) = server(UploadConfig::default()).await;
    to.put(Block::verified(root, from.get(&root).unwrap().unwrap()).unwrap()).unwrap();
    let problem = refused(post(&url, &format!("?root={root}&complete=true"), vec![]).await, 409).await;
    assert_eq!(problem["missing"], content::blocks_of(&from, &root).unwrap()[1].to_string());
    assert_eq!(to.pins(), []);
}

#[tokio::test]
async fn bad_uploads_are_refused() {
    let (from, root) = sample();
    let mut car = Vec::new();
    export_car(&from, &root, &mut car).unwrap();
    let config =
        UploadConfig { request_bytes_max: 1 << 20, cids_max: 3, dag_bytes_max: 1000, ..UploadConfig::default() };
    let (to, url) = server(config).await;
    let ask = |path: String, body: Vec<u8>, status: u16| {
        let url = &url;
        async move { refused(post(url, &path, body).await, status).await }
    };
    ask("?root=nonsense".to_owned(), vec![], 400).await;
    ask(format!("?root={root}"), b"nonsense".to_vec(), 400).await;
    ask(format!("?root={root}"), car.clone(), 413).await;
    ask(format!("?root={root}"), car[..5000].to_vec(), 400).await;
    let mut wrong = car[..150_000].to_vec();
    wrong[1000] ^= 1;
    ask(format!("?root={root}"), wrong, 400).await;
    for cid in content::blocks_of(&from, &root).unwrap() {
        to.put(Block::verified(cid, from.get(&cid).unwrap().unwrap()).unwrap()).unwrap();
    }
    ask(format!("?root={root}&complete=true"), vec![], 413).await;
    assert_eq!(to.pins(), []);
    let question = |cids: Vec<String>| serde_json::json!({ "cids": cids }).to_string().into_bytes();
    let unknown = Block::new(RAW, "unknown").unwrap().cid().to_string();
    let answer = post(&url, &format!("/missing?root={root}"), question(vec![root.to_string(), unknown.clone()])).await;
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), serde_json::json!({ "missing": [unknown.clone()] }));
    ask(format!("/missing?root={root}"), question(vec![unknown.clone(); 4]), 413).await;
    ask(format!("/missing?root={root}"), question(vec![unknown; 5000]), 413).await;
    ask(format!("/missing?root={root}"), question(vec!["x".to_owned()]), 400).await;
    ask(format!("/missing?root={root}"), b"[]".to_vec(), 400).await;
}
