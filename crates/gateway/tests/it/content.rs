//! `/ipfs` and `POST /api/v1/images/upload`, as far as the gateway decides.

use std::{sync::Arc, time::Duration};

use alloy_primitives::aliases::U40;
use chain::Wallet;
use content::{BlockStore, StoreConfig};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wire::{http::UploadPass, signed::Upload};

use crate::{
    sockets::now,
    stage::{Answer, Stage},
};

fn pass(stage: &Stage, signer: &Wallet, root: &str, at: u64) -> String {
    let upload = Upload { root: root.into(), at: U40::from(at) };
    let signature = signer.sign(&stage.domain(), &upload).unwrap();
    UploadPass { who: signer.address(), at, signature }.header()
}

#[tokio::test]
async fn an_upload_needs_a_pass_for_its_root() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let [root, other] =
        ["root", "other"].map(|text| content::Block::new(content::RAW, text).unwrap().cid().to_string());
    let check = async |pass: Option<String>, words: &str| {
        let mut request = stage.http().post(stage.url(&format!("/api/v1/images/upload?root={root}")));
        if let Some(pass) = pass {
            request = request.header(AUTHORIZATION, pass);
        }
        Answer::of(request.send().await.unwrap()).await.is_problem(401, words);
    };
    check(None, "sign an upload pass").await;
    check(Some("Bearer token".into()), "sign an upload pass").await;
    check(Some(pass(&stage, &wallet, &root, now() - 500)), "check this machine's clock").await;
    let garbled = pass(&stage, &wallet, &root, now()).replace("0x", "0xzz");
    check(Some(garbled), "sign an upload pass").await;
    check(Some(pass(&stage, &wallet, &other, now())), "is by").await;
    assert_eq!(stage.blocks.len(), 0);
}

#[tokio::test]
async fn what_was_uploaded_is_served_as_an_attachment() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let folder = tempfile::tempdir().unwrap();
    let mine = Arc::new(BlockStore::open(folder.path(), StoreConfig::default()).unwrap());
    let block = content::Block::new(content::RAW, "<script>").unwrap();
    let root = *block.cid();
    mine.put(block).unwrap();
    let headers =
        || HeaderMap::from_iter([(AUTHORIZATION, pass(&stage, &wallet, &root.to_string(), now()).parse().unwrap())]);
    let base = stage.url("/").parse().unwrap();
    content::push(&mine, &root, &base, &headers, None).await.unwrap();

    let answer = stage.http().get(stage.url(&format!("/ipfs/{root}"))).send().await.unwrap();
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(answer.bytes().await.unwrap().as_ref(), b"<script>");
    assert_eq!(stage.blocks.pins().len(), 1);
    assert!(stage.blocks.pins()[0].name.contains(&wallet.address().to_string()), "{:?}", stage.blocks.pins());
}

/// Half uploads of strangers lie in the store and are not handed out; completed, they are, each block by its name.
#[tokio::test]
async fn only_completed_uploads_are_served() {
    let stage = Stage::new(|_| ()).await;
    let wallet = Wallet::random();
    let half = content::Block::new(content::RAW, "half").unwrap();
    let root = half.cid().to_string();
    stage.blocks.put(half).unwrap();
    let served = async || stage.get(&format!("/ipfs/{root}?format=raw")).await;
    served().await.is_problem(404, "is not here");
    assert_eq!(stage.get("/ipfs/bafkqaaa?format=raw").await.status, 200);

    let upload = async |root: &str, last: &str, body: Vec<u8>| {
        let request = stage.http().post(stage.url(&format!("/api/v1/images/upload?root={root}{last}")));
        let pass = pass(&stage, &wallet, root, now());
        Answer::of(request.header(AUTHORIZATION, pass).body(body).send().await.unwrap()).await
    };
    upload(&root, "&complete=true", vec![]).await.is_problem(409, "has not been uploaded");
    served().await.is_problem(404, "is not here");

    let mut car = Vec::new();
    content::export_car(&stage.blocks, &root.parse().unwrap(), &mut car).unwrap();
    assert_eq!(upload(&root, "", car).await.status, 200);
    served().await.is_problem(404, "is not here");
    assert_eq!(upload(&root, "&complete=true", vec![]).await.status, 200);
    assert_eq!(served().await.body, b"half");
    let answer = stage.post("/api/v1/images/upload", "").await;
    answer.is_problem(400, "write ?root=CID");
}

/// A client that does not read what it asked for does not keep others out.
#[tokio::test]
async fn who_does_not_read_loses_the_connection() {
    let stage = Stage::new(|config| {
        config.limits.connections = 1;
        config.limits.write_within = Duration::from_millis(200);
    })
    .await;
    // Larger than what the system buffers for a connection; equal leaves make it cheap.
    let file = content::add_bytes(&stage.blocks, &vec![7; 64 << 20], &content::ImportConfig::default()).unwrap().cid;
    stage.blocks.pin("test", &file).unwrap();
    let mut line = TcpStream::connect(&stage.host).await.unwrap();
    line.write_all(format!("GET /ipfs/{file} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(line.read(&mut [0; 15]).await.unwrap(), 15);
    assert_eq!(stage.get("/api/v1/health").await.status, 200, "the only connection is free again");
}
