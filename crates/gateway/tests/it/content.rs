//! `/ipfs` and `POST /api/v1/images/upload`, as far as the gateway decides.

use std::sync::Arc;

use alloy_primitives::aliases::U40;
use chain::Wallet;
use content::{BlockStore, StoreConfig};
use reqwest::header::{AUTHORIZATION, HeaderMap};
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
    assert_eq!(stage.store.len(), 0);
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
    assert_eq!(stage.store.pins().len(), 1);
    assert!(stage.store.pins()[0].name.contains(&wallet.address().to_string()), "{:?}", stage.store.pins());
}
