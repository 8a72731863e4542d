//! What a judge finds of a disputed job: on chain, and where the provider left it.

use alloy_primitives::B256;
use content::{Block, FetchConfig, Fetcher, add_bytes};
use market::{Outcome, Seconds, Verdict};
use oracle::disputes::{Facts, Published, Reason, decide, gather};
use serde::Serialize;
use wire::{
    HardwareJson, JobSpec, Terms, document,
    record::{CompletionRecord, ReadyRecord},
};

use crate::stage::{PRICE, Stage};

const IMAGE: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
const OTHER: &str = "bafkreigdpjluexw5ponbonhw5tnqltp3ijrbak2ouja5xjpoh23exj3hmm";

/// Keeps a document where the judge looks; gives its digest.
fn keep(stage: &Stage, value: &impl Serialize) -> B256 {
    let named = document(value).unwrap();
    stage.blocks.put(Block::verified(named.cid, named.bytes).unwrap()).unwrap();
    named.digest
}

fn spec() -> JobSpec {
    let text = format!(
        r#"{{"version":1,"image":"{IMAGE}","resources":{{"gpus":0,"vramMib":0,"cpus":1,"memoryMib":64,"diskMib":64}}}}"#
    );
    JobSpec::parse(text.as_bytes()).unwrap()
}

fn ready(job: B256, image: &str) -> ReadyRecord {
    let hardware = HardwareJson {
        model: "test processor".into(),
        gpus: 0,
        vram_mib: 0,
        cpus: 2,
        memory_mib: 2048,
        disk_mib: 4096,
        simulated: false,
    };
    ReadyRecord {
        job_id: job,
        image: image.into(),
        image_id: "sha256:1".into(),
        inputs: Vec::new(),
        container_id: "c".into(),
        hardware,
    }
}

/// A job that ran `image` and left the record that `left` makes of its id.
async fn job(stage: &mut Stage, image: &str, left: impl FnOnce(&Stage, B256) -> B256) -> Terms {
    let resource = stage.t.list(PRICE).await.unwrap();
    let terms = Terms { specDigest: keep(stage, &spec()), ..stage.t.terms(resource, PRICE) };
    stage.t.renter.create_job(&terms).await.unwrap();
    let id = B256::from(stage.id(&terms).0);
    let prepared = keep(stage, &ready(id, image));
    let (at, signature) = stage.t.ready(&terms, prepared).await.unwrap();
    stage.t.agent.start_job(&terms, prepared, at, &signature).await.unwrap();
    stage.t.advance(Seconds(100)).await.unwrap();
    let digest = left(stage, id);
    stage.t.agent.complete_job(&terms, Outcome::Succeeded, digest).await.unwrap();
    terms
}

fn completion(job: B256, exit_code: i64, result: Option<String>, log: Option<String>) -> CompletionRecord {
    CompletionRecord { job_id: job, exit_code: Some(exit_code), reason: None, result, log, simulated: false }
}

/// What a judge finds who asks nobody but the store.
async fn found(stage: &Stage, terms: &Terms) -> Facts {
    let fetcher = Fetcher::new(Vec::new(), FetchConfig::default()).unwrap();
    let published = Published { fetcher: &fetcher, store: &stage.blocks };
    gather(&stage.t.market, stage.id(terms), stage.config.deployed_at, Some(published)).await.unwrap()
}

#[tokio::test]
async fn the_providers_own_records_are_found_by_their_digests() {
    let mut stage = Stage::new().await;
    let bytes = |stage: &Stage, text: &str| add_bytes(&stage.blocks, text.as_bytes(), &Default::default()).unwrap().cid;
    let terms = job(&mut stage, IMAGE, |stage, id| {
        let (result, log) = (bytes(stage, "a result").to_string(), bytes(stage, "a log").to_string());
        keep(stage, &completion(id, 0, Some(result), Some(log)))
    })
    .await;
    let facts = found(&stage, &terms).await;
    assert_eq!((facts.record_holds, facts.exit_code, facts.image_holds), (Some(true), Some(0), Some(true)));
    assert_eq!((facts.result_found, facts.log_holds), (Some(true), Some(true)));
    assert_eq!(decide(&facts), (Verdict::Provider, Reason::Ran));

    // Who asks nobody knows the chain's word alone, and decides by it.
    let deployed_at = stage.config.deployed_at;
    let chain = gather(&stage.t.market, stage.id(&terms), deployed_at, None).await.unwrap();
    assert_eq!((chain.has_record, chain.record_holds, chain.image_holds), (true, None, None));
    assert_eq!((chain.outcome, chain.ran), (facts.outcome, facts.ran));
}

#[tokio::test]
async fn what_they_say_against_the_provider_decides_for_the_renter() {
    let mut stage = Stage::new().await;
    let terms = job(&mut stage, OTHER, |stage, id| keep(stage, &completion(id, 0, None, None))).await;
    let facts = found(&stage, &terms).await;
    assert_eq!(facts.image_holds, Some(false));
    assert_eq!(decide(&facts), (Verdict::Renter, Reason::OtherImage));

    let terms = job(&mut stage, IMAGE, |stage, id| keep(stage, &completion(id, 0, Some(OTHER.into()), None))).await;
    let facts = found(&stage, &terms).await;
    assert_eq!(facts.result_found, Some(false), "nobody has it");
    assert_eq!(decide(&facts), (Verdict::Renter, Reason::ResultMissing));

    let terms = job(&mut stage, IMAGE, |stage, id| keep(stage, &completion(id, 3, None, None))).await;
    assert_eq!(decide(&found(&stage, &terms).await), (Verdict::Renter, Reason::ForgedRecord), "well, with a failure");

    let terms = job(&mut stage, IMAGE, |stage, _| keep(stage, &completion(B256::ZERO, 0, None, None))).await;
    assert_eq!(found(&stage, &terms).await.record_holds, Some(false), "another job's");
    let terms = job(&mut stage, IMAGE, |stage, _| keep(stage, &"no record")).await;
    assert_eq!(found(&stage, &terms).await.record_holds, Some(false), "no record at all");

    // A record that nobody has any more speaks against nobody.
    let terms = job(&mut stage, IMAGE, |_, id| document(&completion(id, 3, None, None)).unwrap().digest).await;
    let facts = found(&stage, &terms).await;
    assert_eq!((facts.has_record, facts.record_holds, facts.exit_code), (true, None, None));
}
