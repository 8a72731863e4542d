//! Uploading: only what is missing, only by those who may, only what is whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use content::upload::{Authorise, Refused, router};
use content::{
    Block, Cid, CollectConfig, ImportConfig, Pace, Pin, Progress, RAW, UploadConfig, add_tree, export_car, push,
    total_size,
};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use url::Url;

use crate::fixture::{Keystream, Store, impatient_store, plant, serve, store};

fn only_with_token() -> Authorise {
    Arc::new(|headers, _root| match headers.get("authorization") {
        Some(value) if value == "token" => Ok("alice".to_owned()),
        Some(value) if value == "bob" => Ok("bob".to_owned()),
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
    post_as("token", url, path, body).await
}

async fn post_as(who: &str, url: &Url, path: &str, body: Vec<u8>) -> Response {
    let url = url.join("/api/v1/images/upload").unwrap();
    Client::new().post(format!("{url}{path}")).header("authorization", who).body(body).send().await.unwrap()
}

/// A CAR of these blocks only.
fn car_of(store: &Store, cids: &[Cid]) -> Vec<u8> {
    let varint = |mut number: usize| {
        let mut out = Vec::new();
        while number > 127 {
            out.push(u8::try_from(number & 127).unwrap() | 128);
            number >>= 7;
        }
        out.push(u8::try_from(number).unwrap());
        out
    };
    // {"roots": [], "version": 1}
    let mut car = b"\x11\xa2\x65roots\x80\x67version\x01".to_vec();
    for cid in cids {
        let (name, bytes) = (cid.to_bytes(), store.get(cid).unwrap().unwrap());
        car.extend([varint(name.len() + bytes.len()), name, bytes.to_vec()].concat());
    }
    car
}

async fn lacks(who: &str, url: &Url, root: &Cid, cids: &[Cid]) -> Vec<String> {
    let cids: Vec<_> = cids.iter().map(Cid::to_string).collect();
    let question = serde_json::json!({ "cids": cids }).to_string().into_bytes();
    let answer: serde_json::Value =
        post_as(who, url, &format!("/missing?root={root}"), question).await.json().await.unwrap();
    answer["missing"].as_array().unwrap().iter().map(|cid| cid.as_str().unwrap().to_owned()).collect()
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
    let half = &all[..all.len() / 2];
    assert_eq!(post(&url, &format!("?root={root}"), car_of(&from, half)).await.status().as_u16(), 200);
    assert_eq!(to.len(), half.len());
    let pushed = push(&from, &root, &url, &token, None).await.unwrap();
    assert_eq!((pushed.blocks_before, pushed.blocks), (half.len() as u64, (all.len() - half.len()) as u64));
}

#[tokio::test]
async fn a_push_goes_on_at_a_server_that_has_forgotten_who_sent_what() {
    let (from, root) = sample();
    let to = store();
    // Question, blocks, end: from the end on it is somebody else who sends, as after a restart.
    let requests = AtomicUsize::new(0);
    let forgets: Authorise = Arc::new(move |_headers, _root| {
        Ok(if requests.fetch_add(1, Ordering::SeqCst) < 2 { "before" } else { "after" }.to_owned())
    });
    let url = serve(router(to.store.clone(), UploadConfig::default(), forgets)).await;
    let pushed = push(&from, &root, &url, &token, None).await.unwrap();
    let size = total_size(&from, &root).unwrap();
    assert_eq!((pushed.blocks, pushed.blocks_before), (2 * size.blocks, 0), "everything was sent again");
    assert_eq!(to.pins(), [Pin { name: "after".to_owned(), root }]);
    assert_eq!(to.len() as u64, size.blocks);
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
    let path = format!("?root={root}&complete=true");
    let problem = refused(post(&url, &path, car_of(&from, &[root])).await, 409).await;
    assert_eq!(problem["missing"], content::blocks_of(&from, &root).unwrap()[1].to_string());
    assert_eq!(to.pins(), []);
}

#[tokio::test]
async fn bad_uploads_are_refused() {
    let (from, root) = sample();
    let mut car = Vec::new();
    export_car(&from, &root, &mut car).unwrap();
    let config =
        UploadConfig { request_bytes_max: 1 << 20, cids_max: 3, dag_bytes_max: 3000, ..UploadConfig::default() };
    let (to, url) = server(config).await;
    let ask = |path: String, body: Vec<u8>, status: u16| {
        let url = &url;
        async move { refused(post(url, &path, body).await, status).await }
    };
    ask("?root=nonsense".to_owned(), vec![], 400).await;
    for path in ["", "?complete=true", "/missing", "/missing?complete=perhaps"] {
        let problem = ask(path.to_owned(), vec![], 400).await;
        assert!(problem["detail"].as_str().unwrap().contains("write ?root=CID"), "{problem}");
    }
    ask(format!("?root={root}"), b"nonsense".to_vec(), 400).await;
    ask(format!("?root={root}"), car.clone(), 413).await;
    ask(format!("?root={root}"), car[..5000].to_vec(), 400).await;
    let mut wrong = car[..150_000].to_vec();
    wrong[1000] ^= 1;
    ask(format!("?root={root}"), wrong, 400).await;
    for cid in content::blocks_of(&from, &root).unwrap() {
        to.put(Block::verified(cid, from.get(&cid).unwrap().unwrap()).unwrap()).unwrap();
    }
    to.pin("here", &root).unwrap();
    ask(format!("?root={root}&complete=true"), vec![], 413).await;
    assert_eq!(to.pins().len(), 1);
    let question = |cids: Vec<String>| serde_json::json!({ "cids": cids }).to_string().into_bytes();
    let unknown = Block::new(RAW, "unknown").unwrap().cid().to_string();
    let answer = post(&url, &format!("/missing?root={root}"), question(vec![root.to_string(), unknown.clone()])).await;
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), serde_json::json!({ "missing": [unknown.clone()] }));
    ask(format!("/missing?root={root}"), question(vec![unknown.clone(); 4]), 413).await;
    ask(format!("/missing?root={root}"), question(vec![unknown; 5000]), 413).await;
    ask(format!("/missing?root={root}"), question(vec!["x".to_owned()]), 400).await;
    ask(format!("/missing?root={root}"), b"[]".to_vec(), 400).await;
}

#[tokio::test]
async fn what_others_did_not_complete_is_theirs() {
    let (from, root) = sample();
    let (to, url) = server(UploadConfig::default()).await;
    let all = content::blocks_of(&from, &root).unwrap();
    let name = format!("?root={root}");
    assert_eq!(post(&url, &name, car_of(&from, &all)).await.status().as_u16(), 200);
    assert_eq!(lacks("token", &url, &root, &all).await, [""; 0]);
    assert_eq!(lacks("bob", &url, &root, &all).await.len(), all.len());
    refused(post_as("bob", &url, &format!("{name}&complete=true"), vec![]).await, 409).await;
    assert_eq!(to.pins(), []);

    // What is pinned is for everybody.
    assert_eq!(post(&url, &format!("{name}&complete=true"), vec![]).await.status().as_u16(), 200);
    assert_eq!(lacks("bob", &url, &root, &all).await, [""; 0]);
    assert_eq!(post_as("bob", &url, &format!("{name}&complete=true"), vec![]).await.status().as_u16(), 200);
    assert_eq!(to.pins().len(), 2);
}

#[tokio::test]
async fn unfinished_uploads_have_their_limits() {
    let (from, root) = sample();
    let all = content::blocks_of(&from, &root).unwrap();
    let size = total_size(&from, &root).unwrap();
    let (path, last) = (format!("?root={root}"), format!("?root={root}&complete=true"));
    let car = car_of(&from, &all);

    let small = UploadConfig { dag_bytes_max: size.bytes - 1, ..UploadConfig::default() };
    let (to, url) = server(small).await;
    let problem = refused(post(&url, &path, car.clone()).await, 413).await;
    assert!(problem["detail"].as_str().unwrap().contains("the uploaded DAG is larger"), "{problem}");
    assert_eq!(to.pins(), []);

    // Room for this DAG and little more; completing it makes room for another.
    let room = size.bytes + 256 * size.blocks + 500;
    let config = UploadConfig { unfinished_signer_bytes_max: room, ..UploadConfig::default() };
    let (_to, url) = server(config).await;
    assert_eq!(post(&url, &path, car.clone()).await.status().as_u16(), 200);
    let (other, another) = (store(), store());
    let second = Block::new(RAW, vec![2; 300]).unwrap();
    let other_root = *second.cid();
    other.put(second.clone()).unwrap();
    another.put(second).unwrap();
    let other_path = format!("?root={other_root}");
    let problem = refused(post(&url, &other_path, car_of(&other, &[other_root])).await, 429).await;
    assert!(problem["detail"].as_str().unwrap().contains("complete one with complete=true"), "{problem}");
    let by_bob = post_as("bob", &url, &other_path, car_of(&other, &[other_root])).await;
    assert_eq!(by_bob.status().as_u16(), 200, "others have limits of their own");
    assert_eq!(post(&url, &last, vec![]).await.status().as_u16(), 200);
    assert_eq!(post(&url, &other_path, car_of(&another, &[other_root])).await.status().as_u16(), 200);

    let config = UploadConfig { unfinished_bytes_max: room, ..UploadConfig::default() };
    let (_to, url) = server(config).await;
    assert_eq!(post(&url, &path, car).await.status().as_u16(), 200);
    let problem = refused(post_as("bob", &url, &other_path, car_of(&other, &[other_root])).await, 429).await;
    assert!(problem["detail"].as_str().unwrap().contains("upload to another"), "{problem}");
}

/// The head of an upload of 100,000 bytes.
async fn begin(url: &Url, root: &Cid) -> TcpStream {
    let mut line = TcpStream::connect(url.socket_addrs(|| None).unwrap()[0]).await.unwrap();
    let head = format!("POST /api/v1/images/upload?root={root} HTTP/1.1\r\nhost: x\r\nauthorization: token\r\n");
    line.write_all(format!("{head}content-length: 100000\r\n\r\n").as_bytes()).await.unwrap();
    line
}

#[tokio::test]
async fn who_stalls_or_trickles_gives_its_place_back() {
    let (from, root) = sample();
    let pace = Pace { idle: Duration::from_millis(200), bytes_per_s: 10_000, grace: Duration::from_millis(500) };
    let (_to, url) = server(UploadConfig { uploads_max: 1, pace, ..UploadConfig::default() }).await;
    let car = car_of(&from, &[root]);
    let answered = async |mut line: TcpStream| {
        let mut said = vec![0; 4096];
        let length = timeout(Duration::from_secs(20), line.read(&mut said)).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&said[..length]).into_owned();
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    };
    let free = async || {
        let answer = post(&url, &format!("?root={root}"), car.clone()).await;
        assert_eq!(answer.status().as_u16(), 200, "the place is free again");
    };
    answered(begin(&url, &root).await).await;
    free().await;

    let line = begin(&url, &root).await;
    let (mut reader, mut writer) = line.into_split();
    let trickle = tokio::spawn(async move {
        // The length of a header that takes long to come.
        writer.write_all(&[0x90, 0x07]).await.unwrap();
        while writer.write_all(&[0x11]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        writer
    });
    let mut said = vec![0; 4096];
    let length = timeout(Duration::from_secs(20), reader.read(&mut said)).await.unwrap().unwrap();
    assert!(said[..length].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said[..length]));
    trickle.abort();
    free().await;
}

#[tokio::test]
async fn an_unfinished_upload_survives_a_collection() {
    let (from, root) = sample();
    let to = impatient_store();
    let url = serve(router(to.store.clone(), UploadConfig::default(), only_with_token())).await;
    let cids = content::blocks_of(&from, &root).unwrap();
    let (first, rest) = cids.split_at(cids.len() / 2);
    let everything = CollectConfig { live_percent_min: 100, ..CollectConfig::default() };
    let litter = Block::new(RAW, b"nobody sent this".to_vec()).unwrap();
    to.put(litter).unwrap();
    assert_eq!(post(&url, &format!("?root={root}"), car_of(&from, first)).await.status(), 200);
    assert_eq!(to.collect_async(everything.clone()).await.unwrap().blocks, 1);
    assert_eq!(lacks("token", &url, &root, &cids).await.len(), rest.len(), "what was sent need not be sent again");
    assert_eq!(post(&url, &format!("?root={root}&complete=true"), car_of(&from, rest)).await.status(), 200);
    assert_eq!(to.collect_async(everything.clone()).await.unwrap().blocks, 0);
    assert_eq!(total_size(&to, &root).unwrap(), total_size(&from, &root).unwrap());
    to.unpin("alice", &root).unwrap();
    let done = to.collect_async(everything.clone()).await.unwrap();
    assert_eq!((done.blocks, to.len()), (cids.len() as u64, 0));
    assert_eq!(lacks("token", &url, &root, &cids).await.len(), cids.len());
}
