//! Verification against a real chain: each receipt here is wrong in one thing, and that line fails and no other.

use alloy_primitives::{Address, B256};
use chain::{Account, DeployConfig, Market, Register, SendConfig, Wallet, deploy};
use jiff::ToSpan;
use market::{Amount, JobId, Outcome, Seconds};
use oracle::receipts::{commit_body, document::Facts, document::completed, verify};
use wire::{
    document,
    receipt::{CommitJson, Receipt, ReceiptDocument, Trust, TrustedMarket, Verification},
    record::CompletionRecord,
    signed::Attest,
};

use crate::stage::{PRICE, Stage, commit, history};

async fn check(stage: &Stage, receipt: &Receipt, trust: &Trust) -> Verification {
    verify(receipt, &stage.t.market, &stage.t.register, stage.config.deployed_at, trust).await.unwrap()
}

/// The lines that do not hold.
fn failing(verification: &Verification) -> Vec<&str> {
    let failing: Vec<_> = verification.lines.iter().filter(|line| !line.holds).map(|line| line.name.as_str()).collect();
    assert_eq!(verification.verified, failing.is_empty());
    failing
}

fn detail<'a>(verification: &'a Verification, name: &str) -> &'a str {
    &verification.lines.iter().find(|line| line.name == name).unwrap().detail
}

/// Another document in the same envelope, committed like the true one, by the key that is trusted.
async fn forged(stage: &Stage, receipt: &Receipt, change: impl FnOnce(&mut ReceiptDocument)) -> Receipt {
    let mut document = receipt.document.clone();
    change(&mut document);
    let forged = recommitted(stage, receipt, document, &stage.t.recorder).await;
    stage.finalize().await;
    forged
}

async fn recommitted(stage: &Stage, receipt: &Receipt, document: ReceiptDocument, by: &Wallet) -> Receipt {
    let named = wire::document(&document).unwrap();
    let nid = named.cid.to_string();
    let body = commit_body(document.job_id, document.event_type, &nid).unwrap();
    let (tx, block) = commit(&stage.t.register, by, &nid, &body).await;
    let place = CommitJson { recorder: by.address(), tx, block, ..receipt.commit.clone().unwrap() };
    Receipt { nid, proof_hash: named.digest, document, commit: Some(place), ..receipt.clone() }
}

#[tokio::test]
async fn an_untouched_receipt_verifies() {
    let mut stage = Stage::new().await;
    let (terms, receipt) = stage.receipt().await;
    let trust = stage.trust();
    let verification = check(&stage, &receipt, &trust).await;
    assert_eq!(failing(&verification), [""; 0], "{verification:#?}");
    let names: Vec<_> = verification.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["document", "market", "recorder", "commit", "terms", "times", "cost", "outcome"]);
    assert!(detail(&verification, "cost").contains("3600000 locked"), "{verification:#?}");

    // So does the receipt of its order, and so do both as they travel.
    let row = stage.one(&terms, wire::receipt::ReceiptKind::JobSubmitted).await;
    let ordered = oracle::receipts::envelope(&row, &stage.committer(), None, None).unwrap();
    for receipt in [receipt, ordered] {
        let travelled: Receipt = serde_json::from_slice(&serde_json::to_vec(&receipt).unwrap()).unwrap();
        let verification = check(&stage, &travelled, &trust).await;
        assert_eq!(failing(&verification), [""; 0], "{verification:#?}");
    }
}

#[tokio::test]
async fn an_altered_document_is_another() {
    let mut stage = Stage::new().await;
    let (_, receipt) = stage.receipt().await;
    let trust = stage.trust();
    let mut altered = receipt.clone();
    altered.document.task_type = "function".into();
    assert_eq!(failing(&check(&stage, &altered, &trust).await), ["document"]);
    // Where the chain knows better, it says so too.
    let mut altered = receipt.clone();
    altered.document.metadata.gpu_type = "NVIDIA B200\u{1b}[8m".into();
    let verification = check(&stage, &altered, &trust).await;
    assert_eq!(failing(&verification), ["document", "terms"]);
    assert!(!detail(&verification, "terms").contains('\u{1b}'));
    let altered = Receipt { proof_hash: B256::repeat_byte(1), ..receipt.clone() };
    assert_eq!(failing(&check(&stage, &altered, &trust).await), ["document"]);
    // Committed by whom one trusts, under another job's key.
    let altered = forged(&stage, &receipt, |it| it.idempotency_key.push('0')).await;
    assert_eq!(failing(&check(&stage, &altered, &trust).await), ["document"]);
}

#[tokio::test]
async fn a_foreign_recorder_is_not_believed() {
    let mut stage = Stage::new().await;
    let (_, receipt) = stage.receipt().await;
    let stranger = stage.t.stranger.wallet().clone();
    let foreign = recommitted(&stage, &receipt, receipt.document.clone(), &stranger).await;
    stage.finalize().await;
    let verification = check(&stage, &foreign, &stage.trust()).await;
    assert_eq!(failing(&verification), ["recorder"], "{verification:#?}");
    assert!(detail(&verification, "recorder").contains(&stranger.address().to_string()));
    // A stranger's commit under a trusted name is nobody's.
    let mut borrowed = foreign;
    borrowed.commit.as_mut().unwrap().recorder = stage.t.recorder.address();
    assert_eq!(failing(&check(&stage, &borrowed, &stage.trust()).await), ["commit"]);
}

#[tokio::test]
async fn a_foreign_market_is_not_believed() {
    let mut stage = Stage::new().await;
    let (_, own) = stage.receipt().await;
    // A market like ours on the same chain, where somebody pays himself.
    let t = &stage.t;
    let crook = t.newcomer().await.unwrap().wallet().clone();
    let config = DeployConfig { mint: vec![(crook.address(), Amount(1 << 60))], ..DeployConfig::default() };
    let deployed = deploy(&t.chain, &crook, config).await.unwrap();
    let market = Market::open(t.chain.clone(), deployed.market).await.unwrap();
    let everybody = Account::new(market.clone(), crook.clone(), SendConfig::default());
    everybody.register_provider(crook.address(), Address::ZERO).await.unwrap();
    everybody.approve(Amount(u128::MAX)).await.unwrap();
    let listing = t.market.listing(own_resource(&own), 0).await.unwrap().unwrap();
    let resource = everybody.register_resource(&listing).await.unwrap();
    let mut terms = t.terms(resource, PRICE);
    (terms.renter, terms.controller) = (crook.address(), crook.address());
    everybody.create_job(&terms).await.unwrap();
    let job = market.job_id(&terms);
    let at = t.now().await.unwrap().0;
    let ready =
        wire::signed::Ready { jobId: job.0.into(), readyRecord: B256::ZERO, at: at.to_string().parse().unwrap() };
    let signature = crook.sign(&market.domain(), &ready).unwrap();
    everybody.start_job(&terms, B256::ZERO, at, &signature).await.unwrap();
    everybody.complete_job(&terms, Outcome::Succeeded, B256::ZERO).await.unwrap();
    let events = history(&market, job).await;
    let facts = Facts {
        chain_id: t.chain.id(),
        market: market.address(),
        token: market.token(),
        hardware: listing.hardware,
        agent: crook.address(),
    };
    let document = completed(job, &events, &facts).unwrap();
    let mut foreign = recommitted(&stage, &own, document, &stage.t.recorder).await;
    (foreign.from_block, foreign.to_block) = (events[0].block, events.last().unwrap().block);
    stage.finalize().await;

    let register = &stage.t.register;
    let verification = verify(&foreign, &market, register, 0, &stage.trust()).await.unwrap();
    assert_eq!(failing(&verification), ["market"], "{verification:#?}");
    let mut trust = stage.trust();
    trust.markets.push(TrustedMarket { market: market.address(), ..trust.markets[0].clone() });
    assert_eq!(failing(&verify(&foreign, &market, register, 0, &trust).await.unwrap()), [""; 0]);
    // Its register is not the one that the verifier believes.
    trust.markets[1].register = deployed.register;
    assert_eq!(failing(&verify(&foreign, &market, register, 0, &trust).await.unwrap()), ["commit"]);
    // Asked at our market, it knows nothing of that job.
    let asked = check(&stage, &foreign, &trust).await;
    assert_eq!(failing(&asked), ["market", "commit", "terms", "times", "cost", "outcome"]);
    let other = Register::open(stage.t.chain.clone(), deployed.register).await.unwrap();
    let verification = verify(&own, &stage.t.market, &other, 0, &stage.trust()).await.unwrap();
    assert_eq!(failing(&verification), ["commit"]);
}

fn own_resource(receipt: &Receipt) -> market::ResourceId {
    market::ResourceId(receipt.document.terms.resource_id.0)
}

#[tokio::test]
async fn wrong_times_costs_and_ends_fail_where_they_are_wrong() {
    let mut stage = Stage::new().await;
    let (_, receipt) = stage.receipt().await;
    let trust = stage.trust();
    let fails = async |change: fn(&mut ReceiptDocument), line: &str| {
        let forged = forged(&stage, &receipt, change).await;
        let verification = check(&stage, &forged, &trust).await;
        assert_eq!(failing(&verification), [line], "{verification:#?}");
    };
    fails(|it| it.occurred_at += 1.second(), "times").await;
    fails(|it| it.metadata.started_at = None, "times").await;
    fails(|it| it.metadata.duration = it.metadata.duration.map(|seconds| seconds + 1), "times").await;
    fails(|it| it.cost.as_mut().unwrap().disputable_until += 1.second(), "times").await;
    fails(|it| it.cost.as_mut().unwrap().paid.amount.push('0'), "cost").await;
    fails(|it| it.cost.as_mut().unwrap().fee.token = Address::repeat_byte(1), "cost").await;
    fails(|it| it.cost.as_mut().unwrap().refunded.amount = "0".into(), "cost").await;
    fails(|it| it.metadata.status = "failed".into(), "outcome").await;
    fails(|it| it.metadata.output_hash = Some(B256::ZERO), "outcome").await;
    fails(|it| it.metadata.output_cid = None, "outcome").await;
    fails(|it| it.executor = Address::repeat_byte(1), "terms").await;
    fails(|it| it.simulated = true, "terms").await;
    fails(|it| it.metadata.estimated_duration += 1, "terms").await;
    fails(|it| it.metadata.input_hash.push('a'), "terms").await;
    fails(|it| it.terms.salt += 1, "terms").await;
    fails(|it| it.metadata.gpu_count += 1, "terms").await;
    fails(|it| it.metadata.outcome = None, "outcome").await;
    fails(|it| it.version += 1, "document").await;
    fails(|it| it.cost.as_mut().unwrap().locked.amount.push('0'), "cost").await;
}

#[tokio::test]
async fn a_commit_must_be_there_final_and_about_this_receipt() {
    let mut stage = Stage::new().await;
    let (_, receipt) = stage.receipt().await;
    let trust = stage.trust();
    let commit_fails = async |receipt: &Receipt, words: &str| {
        let verification = check(&stage, receipt, &trust).await;
        assert_eq!(failing(&verification), ["commit"], "{verification:#?}");
        assert!(detail(&verification, "commit").starts_with(words), "{verification:#?}");
    };
    commit_fails(&Receipt { commit: None, ..receipt.clone() }, "missing").await;
    let hinted = |block, tx| Receipt {
        commit: Some(CommitJson { block, tx, ..receipt.commit.clone().unwrap() }),
        ..receipt.clone()
    };
    let place = receipt.commit.clone().unwrap();
    commit_fails(&hinted(place.block + 1, place.tx), "reorganised").await;
    commit_fails(&hinted(place.block, B256::ZERO), "reorganised").await;
    commit_fails(&hinted(u64::MAX, place.tx), "reorganised").await;
    let elsewhere = CommitJson { chain_id: place.chain_id + 1, ..place.clone() };
    commit_fails(&Receipt { commit: Some(elsewhere), ..receipt.clone() }, "the chain of the register").await;

    // Never committed.
    let mut uncommitted = receipt.clone();
    let other = stage.t.newcomer().await.unwrap();
    uncommitted.commit.as_mut().unwrap().recorder = other.address();
    let both = Trust { recorders: vec![stage.t.recorder.address(), other.address()], ..trust.clone() };
    let verification = check(&stage, &uncommitted, &both).await;
    assert_eq!(failing(&verification), ["commit"]);
    assert!(detail(&verification, "commit").starts_with("missing"));

    // Committed, and says something else.
    let (tx, block) = commit(&stage.t.register, other.wallet(), &receipt.nid, "{\"jobId\":\"another\"}").await;
    stage.finalize().await;
    let mut misled = uncommitted.clone();
    let place = misled.commit.as_mut().unwrap();
    (place.tx, place.block) = (tx, block);
    let verification = check(&stage, &misled, &both).await;
    assert_eq!(failing(&verification), ["commit"]);
    assert!(detail(&verification, "commit").starts_with("the commit says"), "{verification:#?}");
}

#[tokio::test]
async fn a_reorganised_commit_is_not_believed() {
    let mut stage = Stage::new().await;
    let (_, receipt) = stage.receipt().await;
    let stranger = stage.t.stranger.wallet().clone();
    let trust = Trust { recorders: vec![stranger.address()], ..stage.trust() };
    let fresh = recommitted(&stage, &receipt, receipt.document.clone(), &stranger).await;
    let verification = check(&stage, &fresh, &trust).await;
    assert_eq!(failing(&verification), ["commit"]);
    assert!(detail(&verification, "commit").starts_with("not final yet"), "{verification:#?}");
    stage.t.dev.reorg(1).await.unwrap();
    stage.finalize().await;
    let verification = check(&stage, &fresh, &trust).await;
    assert_eq!(failing(&verification), ["commit"]);
    assert!(detail(&verification, "commit").contains("reorganised away"), "{verification:#?}");
    // Sent again, it is in another block, and the envelope is old.
    let again = recommitted(&stage, &receipt, receipt.document.clone(), &stranger).await;
    stage.finalize().await;
    let verification = check(&stage, &fresh, &trust).await;
    assert_eq!(failing(&verification), ["commit"]);
    assert!(detail(&verification, "commit").starts_with("reorganised"), "{verification:#?}");
    assert_eq!(failing(&check(&stage, &again, &trust).await), [""; 0]);
}

#[tokio::test]
async fn hidden_events_prove_nothing() {
    let mut stage = Stage::new().await;
    let (_, receipt) = stage.receipt().await;
    let trust = stage.trust();
    let hidden = Receipt { from_block: receipt.to_block, ..receipt.clone() };
    assert_eq!(failing(&check(&stage, &hidden, &trust).await), ["terms", "times", "cost", "outcome"]);
    let hidden = Receipt { to_block: receipt.to_block - 1, ..receipt.clone() };
    let verification = check(&stage, &hidden, &trust).await;
    assert_eq!(failing(&verification), ["terms", "times", "cost", "outcome"], "{verification:#?}");
    let upside_down = Receipt { from_block: 9, to_block: 3, ..receipt.clone() };
    assert_eq!(failing(&check(&stage, &upside_down, &trust).await), ["terms", "times", "cost", "outcome"]);
    let wide = Receipt { from_block: 0, to_block: u64::MAX, ..receipt };
    assert_eq!(failing(&check(&stage, &wide, &trust).await), [""; 0]);
}

#[tokio::test]
async fn the_record_is_the_providers_word() {
    let mut stage = Stage::new().await;
    let terms = stage.start().await;
    let job: JobId = stage.id(&terms);
    let record = |exit_code| CompletionRecord {
        job_id: job.0.into(),
        exit_code: Some(exit_code),
        reason: None,
        result: None,
        log: None,
        simulated: false,
    };
    let digest = document(&record(0)).unwrap().digest;
    stage.t.advance(Seconds(10)).await.unwrap();
    stage.t.agent.complete_job(&terms, Outcome::Succeeded, digest).await.unwrap();
    stage.index().await;
    let running = stage.receipts();
    stage.committed(2).await;
    running.end().await;
    let sign =
        |by: &Wallet, digest| by.sign(&stage.t.market.domain(), &Attest { jobId: job.0.into(), digest }).unwrap();
    let row = stage.one(&terms, wire::receipt::ReceiptKind::JobCompleted).await;
    let signature = sign(stage.t.agent.wallet(), digest);
    let enclose = |record| oracle::receipts::envelope(&row, &stage.committer(), record, None).unwrap();
    let receipt = enclose(Some((record(0), signature)));
    assert_eq!(enclose(Some((record(1), signature))).record, None, "another record does not travel along");

    let verification = check(&stage, &receipt, &stage.trust()).await;
    assert_eq!(failing(&verification), [""; 0], "{verification:#?}");
    assert!(detail(&verification, "record").starts_with("the provider's word"), "{verification:#?}");
    for wrong in [
        Receipt { record: Some(record(1)), ..receipt.clone() },
        Receipt { record_signature: None, ..receipt.clone() },
        Receipt { record_signature: Some(sign(stage.t.renter.wallet(), digest)), ..receipt.clone() },
    ] {
        let verification = check(&stage, &wrong, &stage.trust()).await;
        assert_eq!(failing(&verification), ["record"], "{verification:#?}");
    }
}
