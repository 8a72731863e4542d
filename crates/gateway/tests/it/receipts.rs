//! `/api/v1/receipts` and the timeline of a job, with receipts that were really written and committed.

use std::time::Duration;

use chain::Recorder;
use market::{JobId, Outcome, PerHour, Seconds};
use oracle::{ReceiptsConfig, receipts::run};
use serde_json::{Value, json};
use wire::{
    Terms,
    feed::{JobNews, Phase},
    http::Page,
    receipt::{Receipt, ReceiptKind, Verification},
    record::CompletionRecord,
};

use crate::{
    jobs::Shop,
    sockets::{event, line, phase},
    stage::{Answer, Job, Stage, until},
};

const PRICE: PerHour = PerHour(3_600_000);

/// A stage on which receipts are written.
async fn stage() -> Stage {
    let stage = Stage::new(|_| ()).await;
    write(&stage);
    stage
}

fn write(stage: &Stage) {
    let town = &stage.town;
    let poll = Duration::from_millis(20);
    let config = ReceiptsConfig { poll, ..ReceiptsConfig::new(town.deployment.block, "test") };
    let recorder = Recorder::new(town.register.clone(), town.recorder.clone());
    let (market, store, blocks) = (stage.market.clone(), stage.store.clone(), stage.blocks.clone());
    tokio::spawn(run(config, market, recorder, store, blocks, stage.shutdown.clone()));
}

/// A job that ran and ended; its receipts are committed and final.
async fn job(stage: &Stage) -> (JobId, Terms) {
    let town = &stage.town;
    let terms = town.terms(town.list(PRICE).await.unwrap(), PRICE);
    town.renter.create_job(&terms).await.unwrap();
    let record = alloy_primitives::B256::repeat_byte(9);
    let (at, signature) = town.ready(&terms, record).await.unwrap();
    town.agent.start_job(&terms, record, at, &signature).await.unwrap();
    town.advance(Seconds(100)).await.unwrap();
    town.agent.complete_job(&terms, Outcome::Succeeded, alloy_primitives::B256::repeat_byte(7)).await.unwrap();
    let id = stage.market.job_id(&terms);
    committed(stage, id).await;
    (id, terms)
}

/// Waits until both receipts of the job are final.
async fn committed(stage: &Stage, id: JobId) {
    until(async || {
        // Finality comes with blocks.
        stage.town.dev.mine(3).await.unwrap();
        let receipts = stage.store.receipts_of(id).await.unwrap();
        let done = |row: &store::ReceiptRow| matches!(row.state, store::ReceiptState::Committed { .. });
        receipts.len() == 2 && receipts.iter().all(done)
    })
    .await;
    stage.indexed().await;
}

async fn verify(stage: &Stage, body: &Value) -> Answer {
    stage.post("/api/v1/receipts/verify", body.to_string()).await
}

fn failing(found: &Verification) -> Vec<&str> {
    found.lines.iter().filter(|line| !line.holds).map(|line| line.name.as_str()).collect()
}

#[tokio::test]
async fn a_job_leaves_receipts_that_anybody_can_read_and_check() {
    let stage = stage().await;
    let (id, _) = job(&stage).await;
    let line: Page<Receipt> = stage.get(&format!("/api/v1/jobs/timeline/{id}")).await.json();
    let kinds: Vec<ReceiptKind> = line.items.iter().map(|receipt| receipt.document.event_type).collect();
    assert_eq!(kinds, [ReceiptKind::JobSubmitted, ReceiptKind::JobCompleted], "oldest first");
    let by_nid: Page<Receipt> = stage.get(&format!("/api/jobs/timeline/{}", line.items[1].nid)).await.json();
    assert_eq!(by_nid, line);
    let all: Page<Receipt> = stage.get("/api/v1/receipts").await.json();
    assert_eq!(all.items.len(), 2);
    let newest: Page<Receipt> = stage.get("/api/v1/receipts?limit=1").await.json();
    let cursor = newest.next_cursor.unwrap();
    let oldest: Page<Receipt> = stage.get(&format!("/api/v1/receipts?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&newest.items[0], &oldest.items[0], oldest.next_cursor), (&all.items[0], &all.items[1], None));
    for receipt in &line.items {
        let commit = receipt.commit.as_ref().unwrap();
        assert_eq!(commit.recorder, stage.town.recorder.address());
        let one: Receipt = stage.get(&format!("/api/v1/receipts/{}", receipt.nid)).await.json();
        assert_eq!(&one, receipt);
        let found: Verification = verify(&stage, &json!(receipt)).await.json();
        assert!(found.verified, "{found:?}");
        // The link leads here, for people and for programs.
        let url = receipt.verify_url.as_ref().unwrap();
        assert_eq!(url, &stage.url(&format!("/api/v1/receipts/{}/verify", receipt.nid)));
        let linked: Verification = Answer::of(stage.http().get(url).send().await.unwrap()).await.json();
        assert_eq!(linked, found);
        let page = stage.http().get(url).header("accept", "text/html,*/*").send().await.unwrap();
        assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let page = page.text().await.unwrap();
        assert!(page.contains(": verified</h1>") && page.contains(&receipt.nid), "{page}");
    }
}

#[tokio::test]
async fn the_agents_word_travels_beside_the_document() {
    let mut shop = Shop::new().await;
    write(&shop.stage);
    let terms = shop.job().await;
    shop.start(&terms).await;
    let town = &shop.stage.town;
    let id = shop.stage.market.job_id(&terms);
    let job = Job {
        id,
        terms: wire::TermsJson::from(&terms),
        renter: town.renter.wallet().clone(),
        controller: town.watcher.wallet().clone(),
    };
    let record = CompletionRecord {
        job_id: job.hash(),
        exit_code: Some(3),
        reason: Some("no more paper".into()),
        result: None,
        log: None,
        simulated: false,
    };
    let digest = wire::document(&record).unwrap().digest;
    let attest = wire::signed::Attest { jobId: job.hash(), digest };
    let signature = town.agent.wallet().sign(&shop.stage.domain(), &attest).unwrap();
    // Its news before are many, and its end is not the last of them.
    shop.agent.announce(&job).await;
    for seq in 1..=600 {
        shop.agent.tell(&job, line(seq, "JOB_COMPLETED, says the program")).await;
    }
    shop.agent.tell(&job, event(601, JobNews::JobCompleted { record: record.clone(), signature })).await;
    shop.agent.tell(&job, phase(602, Phase::Done)).await;
    shop.agent.is_heard(&job).await;
    shop.stage.town.agent.complete_job(&terms, Outcome::Failed, digest).await.unwrap();
    committed(&shop.stage, id).await;
    let told: Page<Receipt> = shop.stage.get(&format!("/api/v1/jobs/timeline/{id}")).await.json();
    assert_eq!((&told.items[0].record, &told.items[1].record), (&None, &Some(record)));
    let found: Verification = verify(&shop.stage, &json!(told.items[1])).await.json();
    assert!(found.verified && found.lines.iter().any(|line| line.name == "record"), "{found:?}");
    // Also when nothing is heard of the job any more.
    until(async || !shop.stage.blocks.pinned_by(&format!("attested:{id}")).is_empty()).await;
    let (register, recorder) = (shop.stage.town.deployment.register, shop.stage.town.recorder.address());
    let change = |config: &mut gateway::GatewayConfig| {
        (config.register, config.recorder) = (Some(register), Some(recorder));
    };
    shop.stage.restart(async {}, change).await;
    let again: Page<Receipt> = shop.stage.get(&format!("/api/v1/jobs/timeline/{id}")).await.json();
    assert_eq!(again.items[1].record, told.items[1].record);
    assert_eq!(again.items[1].record_signature, told.items[1].record_signature);
}

#[tokio::test]
async fn a_lie_is_found_by_its_line_and_whom_to_believe_is_the_readers_choice() {
    let stage = stage().await;
    let (id, _) = job(&stage).await;
    let line: Page<Receipt> = stage.get(&format!("/api/v1/jobs/timeline/{id}")).await.json();
    let good = line.items[1].clone();
    let mut altered = good.clone();
    altered.document.metadata.gpu_type = "H100".into();
    let found: Verification = verify(&stage, &json!(altered)).await.json();
    assert!(!found.verified && failing(&found).contains(&"document"), "{found:?}");
    for (field, at) in [("version", "/version"), ("document.version", "/document/version")] {
        let mut newer = json!(good);
        *newer.pointer_mut(at).unwrap() = json!(2_147_483_648_u64);
        let refused = verify(&stage, &newer).await.is_problem(400, "is not known here, only 1");
        assert_eq!(refused.field.as_deref(), Some(field));
    }
    // Nobody is believed: everything else still holds.
    let nobody = json!({"receipt": good, "trust": {"markets": [], "recorders": []}});
    let found: Verification = verify(&stage, &nobody).await.json();
    assert!(failing(&found).contains(&"recorder") && !failing(&found).contains(&"document"), "{found:?}");
    let trusted = json!({"receipt": good, "trust": {
        "markets": [{
            "chainId": stage.market.chain().id(),
            "market": stage.market.address(),
            "register": stage.town.deployment.register,
        }],
        "recorders": [stage.town.recorder.address()],
    }});
    assert!(verify(&stage, &trusted).await.json::<Verification>().verified);
    // A search through all blocks that there ever will be ends.
    let wide = Receipt { from_block: 0, to_block: u64::MAX, ..good };
    assert_eq!(verify(&stage, &json!(wide)).await.status, 200);
}

#[tokio::test]
async fn what_is_no_receipt_is_refused_with_what_to_do() {
    let stage = Stage::new(|_| ()).await;
    for bad in ["x", "0x00", "' OR 1=1 --", "%F0%9F%92%A9", &"b".repeat(4000)] {
        stage.get(&format!("/api/v1/receipts/{bad}")).await.is_problem(400, "the CID of a receipt");
        stage.get(&format!("/api/v1/receipts/{bad}/verify")).await.is_problem(400, "the CID of a receipt");
        stage.get(&format!("/api/v1/jobs/timeline/{bad}")).await.is_problem(400, "the NID of a receipt");
    }
    let nid = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    for path in [format!("receipts/{nid}"), format!("receipts/{nid}/verify"), format!("jobs/timeline/{nid}")] {
        stage.get(&format!("/api/v1/{path}")).await.is_problem(404, "there is no receipt");
    }
    let nobody = alloy_primitives::B256::repeat_byte(1);
    stage.get(&format!("/api/v1/jobs/timeline/{nobody}")).await.is_problem(404, "there is no job");
    for body in ["", "[]", "{}", r#"{"receipt":7}"#, r#"{"receipt":{},"more":1}"#, "\"x\""] {
        stage.post("/api/v1/receipts/verify", body).await.is_problem(400, "");
    }
    stage.post("/api/v1/receipts/verify", "x".repeat(70_000)).await.is_problem(413, "65536");
    for forged in ["x", "00", "5b312c325d", &alloy_primitives::hex::encode("[1,\"' OR 1=1\"]x")] {
        stage.get(&format!("/api/v1/receipts?cursor={forged}")).await.is_problem(400, "cursor");
    }
    for last in ["' OR 1=1 --", "\\u0000", ""] {
        let odd = alloy_primitives::hex::encode(format!("[18446744073709551615,\"{last}\"]"));
        stage.get(&format!("/api/v1/receipts?cursor={odd}")).await.is_problem(400, "cursor");
    }
    let odd = alloy_primitives::hex::encode(format!("[18446744073709551615,\"{nid}\"]"));
    assert_eq!(stage.get(&format!("/api/v1/receipts?cursor={odd}")).await.status, 200);
    let silent = Stage::new(|config| config.register = None).await;
    assert_eq!(silent.get("/api/v1/receipts").await.status, 200);
}
