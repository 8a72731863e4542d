//! The gateway by the checklist of its specification, row by row.

use std::sync::Arc;
use std::time::Duration;

use content::gateway::router;
use content::{
    Block, BlockStore, Cid, DAG_PB, GatewayConfig, ImportConfig, Pace, RAW, StoreConfig, add_tree, import_car, resolve,
    serves_pinned,
};
use reqwest::{Client, Method, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::fixture::{Keystream, Store, plant, serve, store};

struct Gateway {
    url: Url,
    store: Store,
    root: Cid,
    file: Cid,
    content: Vec<u8>,
}

async fn gateway(config: GatewayConfig) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    let content = Keystream::bytes("gateway", 700_000);
    plant(
        dir.path(),
        &[("folder/file.bin", &content), ("folder/small", b"hello"), ("page.html", b"<script>alert(1)</script>")],
    );
    let store = store();
    let chunks = ImportConfig { chunk_bytes: ImportConfig::CHUNK_256_KIB, ..ImportConfig::default() };
    let root = add_tree(&store, dir.path(), &chunks).unwrap().cid;
    let file = resolve(&store, &root, "folder/file.bin").unwrap();
    let url = serve(router(store.store.clone(), config)).await;
    Gateway { url, store, root, file, content }
}

impl Gateway {
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let path = path.replace("ROOT", &self.root.to_string()).replace("FILE", &self.file.to_string());
        let mut request =
            Client::new().request(Method::from_bytes(method.as_bytes()).unwrap(), self.url.join(&path).unwrap());
        for (name, value) in headers {
            request = request
                .header(*name, value.replace("ROOT", &self.root.to_string()).replace("FILE", &self.file.to_string()));
        }
        request.send().await.unwrap()
    }
}

/// Method, path, request headers, status, response headers that must begin like this.
type Row =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], u16, &'static [(&'static str, &'static str)]);

const RAW_ACCEPT: (&str, &str) = ("accept", "application/vnd.ipld.raw");
const CAR_ACCEPT: (&str, &str) = ("accept", "application/vnd.ipld.car; version=1; order=dfs; dups=n");
const CAR_ANSWER: (&str, &str) = ("content-type", "application/vnd.ipld.car; version=1; order=dfs; dups=n");
const IMMUTABLE: (&str, &str) = ("cache-control", "public, max-age=29030400, immutable");
const NOSNIFF: (&str, &str) = ("x-content-type-options", "nosniff");
const PROBLEM: (&str, &str) = ("content-type", "application/problem+json");

const ROWS: &[Row] = &[
    // Raw blocks.
    ("GET", "/ipfs/FILE?format=raw", &[], 200, &[("content-type", "application/vnd.ipld.raw"), NOSNIFF, IMMUTABLE]),
    (
        "GET",
        "/ipfs/FILE?format=raw",
        &[],
        200,
        &[("content-disposition", "attachment; filename=\"FILE.bin\""), ("etag", "\"FILE.raw\"")],
    ),
    (
        "HEAD",
        "/ipfs/FILE?format=raw",
        &[],
        200,
        &[("content-type", "application/vnd.ipld.raw"), ("content-length", "")],
    ),
    ("GET", "/ipfs/FILE", &[RAW_ACCEPT], 200, &[("content-location", "/ipfs/FILE?format=raw"), ("vary", "Accept")]),
    (
        "GET",
        "/ipfs/FILE?format=raw",
        &[("range", "bytes=0-9")],
        206,
        &[("content-range", "bytes 0-9/"), ("content-length", "10")],
    ),
    ("GET", "/ipfs/ROOT/page.html?format=raw", &[], 400, &[PROBLEM]),
    // CARs.
    ("GET", "/ipfs/ROOT?format=car", &[], 200, &[CAR_ANSWER, NOSNIFF, IMMUTABLE, ("etag", "W/\"ROOT.car.")]),
    ("GET", "/ipfs/ROOT?format=car", &[], 200, &[("content-disposition", "attachment; filename=\"ROOT.car\"")]),
    ("GET", "/ipfs/ROOT?format=car", &[RAW_ACCEPT], 200, &[CAR_ANSWER]),
    (
        "GET",
        "/ipfs/ROOT/folder",
        &[CAR_ACCEPT],
        200,
        &[CAR_ANSWER, ("content-location", "/ipfs/ROOT/folder?format=car")],
    ),
    ("HEAD", "/ipfs/ROOT?format=car", &[], 200, &[CAR_ANSWER]),
    ("GET", "/ipfs/ROOT?format=car&car-version=2", &[], 406, &[PROBLEM]),
    ("GET", "/ipfs/ROOT", &[("accept", "application/vnd.ipld.car; version=2")], 406, &[]),
    ("GET", "/ipfs/ROOT?format=car&car-dups=y", &[], 200, &[CAR_ANSWER]),
    ("GET", "/ipfs/ROOT?format=car&dag-scope=everything", &[], 400, &[]),
    ("GET", "/ipfs/ROOT?format=car&entity-bytes=5", &[], 400, &[]),
    ("GET", "/ipfs/ROOT?format=car&entity-bytes=9:5", &[], 400, &[]),
    // Files.
    (
        "GET",
        "/ipfs/ROOT/folder/file.bin",
        &[],
        200,
        &[("content-length", "700000"), NOSNIFF, IMMUTABLE, ("etag", "\"FILE\"")],
    ),
    ("GET", "/ipfs/ROOT/folder/file.bin", &[], 200, &[("content-disposition", "attachment; filename=\"file.bin\"")]),
    (
        "GET",
        "/ipfs/ROOT/folder/file.bin",
        &[],
        200,
        &[("x-ipfs-path", "/ipfs/ROOT/folder/file.bin"), ("accept-ranges", "bytes")],
    ),
    (
        "GET",
        "/ipfs/ROOT/page.html",
        &[("accept", "text/html")],
        200,
        &[("content-type", "application/octet-stream"), NOSNIFF],
    ),
    ("HEAD", "/ipfs/FILE", &[], 200, &[("content-length", "700000")]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=699990-")], 206, &[("content-range", "bytes 699990-699999/700000")]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=-5")], 206, &[("content-range", "bytes 699995-699999/700000")]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=5-99999999")], 206, &[("content-range", "bytes 5-699999/700000")]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=700000-")], 416, &[PROBLEM]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=0-1,5-6")], 200, &[("content-length", "700000")]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=5-9"), ("if-range", "\"FILE\"")], 206, &[]),
    ("GET", "/ipfs/FILE", &[("range", "bytes=5-9"), ("if-range", "\"other\"")], 200, &[]),
    ("GET", "/ipfs/ROOT/folder", &[], 406, &[PROBLEM]),
    ("GET", "/ipfs/ROOT/folder/", &[], 406, &[PROBLEM]),
    // Caches.
    ("GET", "/ipfs/FILE", &[("if-none-match", "\"FILE\"")], 304, &[("etag", "\"FILE\""), IMMUTABLE]),
    ("GET", "/ipfs/FILE", &[("if-none-match", "\"a\", W/\"FILE\"")], 304, &[]),
    ("GET", "/ipfs/FILE", &[("if-none-match", "*")], 304, &[]),
    ("GET", "/ipfs/FILE?format=raw", &[("if-none-match", "\"FILE\"")], 200, &[]),
    // What is not here, or not understood.
    ("GET", "/ipfs/bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", &[], 404, &[PROBLEM]),
    (
        "GET",
        "/ipfs/bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
        &[("cache-control", "only-if-cached")],
        412,
        &[],
    ),
    ("GET", "/ipfs/ROOT/no/such", &[], 404, &[PROBLEM]),
    ("GET", "/ipfs/nonsense", &[], 400, &[PROBLEM, NOSNIFF]),
    ("GET", "/ipfs/ROOT?format=tar", &[], 406, &[PROBLEM]),
    ("GET", "/ipfs/ROOT", &[("accept", "application/vnd.ipld.dag-json")], 406, &[PROBLEM]),
    ("GET", "/ipfs/ROOT?format=raw", &[("service-worker", "script")], 400, &[]),
    ("POST", "/ipfs/ROOT?format=raw", &[], 405, &[]),
    // The probe, and browsers of other origins.
    ("GET", "/ipfs/bafkqaaa", &[RAW_ACCEPT], 200, &[("content-length", "0")]),
    ("HEAD", "/ipfs/bafkqaaa?format=raw", &[], 200, &[("content-length", "0")]),
    ("GET", "/ipfs/bafkqaaa?format=car", &[], 200, &[CAR_ANSWER]),
    (
        "OPTIONS",
        "/ipfs/ROOT",
        &[],
        204,
        &[("access-control-allow-origin", "*"), ("access-control-allow-methods", "GET, HEAD")],
    ),
    ("GET", "/ipfs/ROOT?format=car", &[], 200, &[("access-control-allow-origin", "*")]),
];

#[tokio::test]
async fn the_checklist() {
    let gateway = gateway(GatewayConfig::default()).await;
    for (method, path, headers, status, expected) in ROWS {
        let answer = gateway.ask(method, path, headers).await;
        let row = format!("{method} {path} {headers:?}");
        assert_eq!(answer.status().as_u16(), *status, "{row}");
        for (name, value) in *expected {
            let value = value.replace("ROOT", &gateway.root.to_string()).replace("FILE", &gateway.file.to_string());
            let found = answer.headers().get(*name).map(|value| value.to_str().unwrap().to_owned());
            assert!(
                found.as_ref().is_some_and(|found| found.starts_with(&value)),
                "{row}: {name} is {found:?}, not {value:?}"
            );
        }
    }
}

#[tokio::test]
async fn without_files_a_format_must_be_named() {
    let gateway = gateway(GatewayConfig { deserialized: false, ..GatewayConfig::default() }).await;
    for (headers, status) in [
        (&[][..], 400),
        (&[("accept", "*/*")][..], 400),
        (&[("accept", "text/html")][..], 406),
        (&[RAW_ACCEPT][..], 200),
    ] {
        assert_eq!(gateway.ask("GET", "/ipfs/ROOT", headers).await.status().as_u16(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn only_what_is_served_is_answered() {
    let served = Block::new(RAW, "hello").unwrap();
    let only = *served.cid();
    let gateway =
        gateway(GatewayConfig { serves: Some(Arc::new(move |cid| *cid == only)), ..GatewayConfig::default() }).await;
    assert_eq!(gateway.ask("GET", "/ipfs/ROOT?format=raw", &[]).await.status(), 404);
    assert_eq!(gateway.ask("GET", &format!("/ipfs/{only}"), &[]).await.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn above_the_limit_clients_are_told_to_wait() {
    let gateway = gateway(GatewayConfig { requests_max: 0, ..GatewayConfig::default() }).await;
    let answer = gateway.ask("GET", "/ipfs/ROOT?format=raw", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "1"));
}

#[tokio::test]
async fn bodies_are_the_bytes_asked_for() {
    let gateway = gateway(GatewayConfig::default()).await;
    let body = |path: &'static str, headers: &'static [(&str, &str)]| {
        let gateway = &gateway;
        async move { gateway.ask("GET", path, headers).await.bytes().await.unwrap() }
    };
    assert_eq!(body("/ipfs/ROOT/folder/file.bin", &[]).await, gateway.content);
    assert_eq!(body("/ipfs/FILE", &[("range", "bytes=262140-262150")]).await, gateway.content[262_140..=262_150]);
    assert_eq!(body("/ipfs/FILE?format=raw", &[]).await, gateway.store.get(&gateway.file).unwrap().unwrap());
    let problem: serde_json::Value = serde_json::from_slice(&body("/ipfs/nonsense", &[]).await).unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&400.into(), &"Bad Request".into()));
}

#[tokio::test]
async fn a_car_holds_its_scope() {
    let gateway = gateway(GatewayConfig::default()).await;
    // The tree: root, folder, file of three leaves, small, page.
    let rows = [
        ("/ipfs/ROOT?format=car", 8),
        ("/ipfs/ROOT?format=car&dag-scope=block", 1),
        ("/ipfs/ROOT?format=car&dag-scope=entity", 1),
        ("/ipfs/ROOT/folder?format=car&dag-scope=entity", 2),
        ("/ipfs/ROOT/folder?format=car", 7),
        ("/ipfs/ROOT/folder/file.bin?format=car&dag-scope=block", 3),
        ("/ipfs/FILE?format=car&dag-scope=entity", 4),
        ("/ipfs/FILE?format=car&entity-bytes=0:0", 2),
        ("/ipfs/FILE?format=car&entity-bytes=0:262144", 3),
        ("/ipfs/FILE?format=car&entity-bytes=-1:*", 2),
        ("/ipfs/FILE?format=car&entity-bytes=262144:-200000", 2),
        ("/ipfs/ROOT/folder/small?format=car&entity-bytes=0:*", 3),
        ("/ipfs/bafkqaaa?format=car", 0),
    ];
    for (path, blocks) in rows {
        let car = gateway.ask("GET", path, &[]).await.bytes().await.unwrap();
        let imported = import_car(&store(), car.as_ref(), 1 << 30).unwrap();
        assert_eq!(imported.blocks, blocks, "{path}");
    }
}

#[tokio::test]
async fn a_car_that_lacks_a_block_breaks_off() {
    let gateway = gateway(GatewayConfig::default()).await;
    let partial = store();
    partial.put(Block::verified(gateway.root, gateway.store.get(&gateway.root).unwrap().unwrap()).unwrap()).unwrap();
    let url = serve(router(partial.store.clone(), GatewayConfig::default())).await;
    let answer =
        Client::new().get(url.join(&format!("/ipfs/{}?format=car", gateway.root)).unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "the client sees that it is cut off");
}

/// Only what is under a pin is handed out: the root, its children by their own names, and nothing else.
#[tokio::test]
async fn pinned_content_is_served_and_nothing_that_merely_lies_here() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &[("a/b", &Keystream::bytes("kept", 700_000)), ("c", b"c")]);
    let store = store();
    let small = ImportConfig { chunk_bytes: ImportConfig::CHUNK_256_KIB, ..ImportConfig::default() };
    let root = add_tree(&store, dir.path(), &small).unwrap().cid;
    let stray = Block::new(RAW, "a stranger's half upload").unwrap();
    store.put(stray.clone()).unwrap();
    let config = GatewayConfig { serves: Some(serves_pinned(&store.store)), ..GatewayConfig::default() };
    let url = serve(router(store.store.clone(), config)).await;
    let status = async |cid: &Cid| {
        let url = url.join(&format!("/ipfs/{cid}?format=raw")).unwrap();
        Client::new().get(url).send().await.unwrap().status().as_u16()
    };
    let all = content::blocks_of(&store, &root).unwrap();
    assert!(all.len() > 5);
    assert_eq!(status(&all[0]).await, 404, "nothing is pinned yet");
    assert_eq!(status(&"bafkqaaa".parse().unwrap()).await, 200, "the probe is always answered");

    store.pin("me", &root).unwrap();
    for cid in &all {
        assert_eq!(status(cid).await, 200, "{cid} is under the pin");
    }
    assert_eq!(status(stray.cid()).await, 404);
    let bytes_of_a_node = Cid::new_v1(RAW, *root.hash());
    assert_eq!(status(&bytes_of_a_node).await, 200, "the same bytes");

    // Bytes that could be read as a node do not lead on: whoever pins them would choose what is served.
    let stray_dir = tempfile::tempdir().unwrap();
    plant(stray_dir.path(), &[("stray/secret", b"not to be served")]);
    let fake = add_tree(&store, stray_dir.path(), &small).unwrap().cid;
    let as_bytes = Cid::new_v1(RAW, *fake.hash());
    store.pin("me", &as_bytes).unwrap();
    assert_eq!(status(&as_bytes).await, 200);
    assert_eq!(fake.codec(), DAG_PB);
    assert_eq!(status(&fake).await, 404);
    assert_eq!(status(&content::blocks_of(&store, &fake).unwrap()[1]).await, 404);

    store.unpin("me", &root).unwrap();
    assert_eq!(status(&root).await, 404);
    assert_eq!(status(&as_bytes).await, 200, "another pin");
}

#[test]
fn what_is_kept_is_known_after_a_restart_and_grows_with_what_comes() {
    let (whole, dir, folder) = (store(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    plant(folder.path(), &[("a/b", b"b"), ("c", b"c")]);
    let root = add_tree(&whole, folder.path(), &ImportConfig::default()).unwrap().cid;
    let all = content::blocks_of(&whole, &root).unwrap();
    let open = || BlockStore::open(dir.path(), StoreConfig::default()).unwrap();
    let kept = |store: &BlockStore| all.iter().filter(|cid| store.is_kept(cid)).count();
    let here = open();
    here.pin("me", &root).unwrap();
    assert_eq!(kept(&here), 1, "what the root leads to is not known yet");
    let mut before = 1;
    for cid in &all {
        here.put(Block::verified(*cid, whole.get(cid).unwrap().unwrap()).unwrap()).unwrap();
        assert!(kept(&here) >= before);
        before = kept(&here);
    }
    assert_eq!(before, all.len());
    drop(here);
    assert_eq!(kept(&open()), all.len());
}

/// A client that does not read gives its place back, and its half answer is not taken for a whole one.
#[tokio::test]
async fn who_does_not_read_gives_its_place_back() {
    let pace = Pace { idle: Duration::from_millis(200), bytes_per_s: 1, grace: Duration::from_secs(60) };
    let store = store();
    // Larger than what the system buffers for a connection; equal leaves make it cheap.
    let file = content::add_bytes(&store, &vec![7; 64 << 20], &ImportConfig::default()).unwrap().cid;
    let url =
        serve(router(store.store.clone(), GatewayConfig { requests_max: 1, pace, ..GatewayConfig::default() })).await;
    let mut line = TcpStream::connect(url.socket_addrs(|| None).unwrap()[0]).await.unwrap();
    line.write_all(format!("GET /ipfs/{file} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0; 1024];
    assert!(line.read(&mut first).await.unwrap() > 0);
    let small = async || {
        let url = url.join(&format!("/ipfs/{file}?format=raw")).unwrap();
        Client::new().get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(small().await, 429, "the only place is taken");
    let patience = std::time::Instant::now();
    while small().await != 200 {
        assert!(patience.elapsed() < Duration::from_secs(30), "the place is still taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut rest = Vec::new();
    // Whether the end comes as a reset or as an end of the stream is the system's choice.
    let _ = line.read_to_end(&mut rest).await;
    assert!(rest.len() < 64 << 20, "it was cut off");
}
