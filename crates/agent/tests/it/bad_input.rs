//! What cannot or may not be run is refused before the clock runs, with the reason and a full refund.

use alloy_primitives::B256;
use content::ImageLimits;
use content::image::{ImageConfig, ImageFile, LayerSource, build_image};
use market::PerHour;
use testkit::{Need, docker_available, skip};
use wire::{JobNews, Network, document};

use crate::gateway::now;
use crate::stage::{Stage, liar};

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_block_is_refused_and_the_next_source_asked() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let mut stage = Stage::new().await;
    let bad = liar(stage.gateway.store.clone()).await;
    stage.config.content_sources = vec![bad];
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo still"), 60).await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0));
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

#[tokio::test]
async fn content_that_only_liars_have_is_refused() {
    let mut stage = Stage::new().await;
    let spec = stage.script("echo never");
    let digest = document(&spec).unwrap().digest;
    let honest = stage.gateway.store.clone();
    let lying = std::sync::Arc::new(
        content::BlockStore::open(stage.state.path().join("lies"), content::StoreConfig::default()).unwrap(),
    );
    let document = document(&spec).unwrap();
    lying.put(content::Block::verified(document.cid, document.bytes).unwrap()).unwrap();
    stage.config.content_sources = vec![liar(lying).await];
    let _agent = stage.agent().await;
    assert!(!honest.has(&document.cid), "the gateway does not have it");
    let (job, _) = stage.order_digest(digest, 60).await;
    let reason = stage.declined(job).await;
    assert!(reason.contains("not those its CID names") || reason.contains("not found"), "{reason}");
    stage.refunded_whole(job).await;
}

#[tokio::test]
async fn a_cid_that_nobody_has_is_refused() {
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let (job, _) = stage.order_digest(B256::repeat_byte(7), 60).await;
    let reason = stage.declined(job).await;
    assert!(reason.contains("not found"), "{reason}");
    stage.refunded_whole(job).await;
    let mut spec = stage.script("echo never");
    spec.image = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e".into();
    let (job, _) = stage.order(&spec, 60).await;
    let reason = stage.declined(job).await;
    assert!(reason.contains("not found"), "{reason}");
    stage.refunded_whole(job).await;
}

#[tokio::test]
async fn what_this_machine_may_not_run_is_refused() {
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let mut network = stage.script("echo never");
    network.network = Network::Full;
    let mut listed = stage.script("echo never");
    listed.network = Network::Allow(vec!["example.org".into()]);
    let mut large = stage.script("echo never");
    large.resources.memory_mib = 1 << 20;
    let mut card = stage.script("echo never");
    card.resources.gpus = 1;
    for (spec, reason) in [
        (network, "network policy"),
        (listed, "network policy: this provider runs jobs without network only"),
        (large, "does not fit this resource: it has 256 MiB of memory"),
        (card, "does not fit this resource: it has 0 GPUs"),
    ] {
        let (job, _) = stage.order(&spec, 60).await;
        let declined = stage.declined(job).await;
        assert!(declined.starts_with(reason), "{declined}");
        stage.refunded_whole(job).await;
    }
}

#[tokio::test]
async fn a_spec_that_breaks_its_rules_is_refused() {
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let mut spec = stage.script("echo never");
    spec.inputs = vec![wire::spec::Input { cid: spec.image.clone(), path: "../../etc".into() }];
    let (job, _) = stage.order(&spec, 60).await;
    let declined = stage.declined(job).await;
    assert!(declined.starts_with("spec invalid: inputs[0].path"), "{declined}");
    stage.refunded_whole(job).await;
}

#[tokio::test]
async fn a_store_without_room_for_the_end_is_a_reason_to_refuse() {
    let mut stage = Stage::new().await;
    stage.config.store_bytes_max = 2 << 20;
    let _agent = stage.agent().await;
    let (job, _) = stage.order(&stage.script("echo never"), 60).await;
    let declined = stage.declined(job).await;
    assert!(declined.starts_with("store full"), "{declined}");
    stage.refunded_whole(job).await;
}

#[tokio::test]
async fn inputs_beyond_the_jobs_disk_are_refused_unfetched() {
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    // 24 MiB of which no two blocks are alike, and 24 MiB that are one block many times.
    let distinct: Vec<u8> =
        (0_u32..6 << 20).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for bytes in [distinct, vec![7; 24 << 20]] {
        let input = content::add_bytes(&stage.gateway.store, &bytes, &Default::default()).unwrap().cid;
        let mut spec = stage.script("echo never");
        spec.inputs = vec![wire::spec::Input { cid: input.to_string(), path: "large".into() }];
        let (job, _) = stage.order(&spec, 60).await;
        let declined = stage.declined(job).await;
        assert!(declined.contains("larger than the limit"), "{declined}");
        stage.refunded_whole(job).await;
    }
}

#[tokio::test]
async fn an_agent_does_not_talk_in_the_clear() {
    let mut stage = Stage::new().await;
    stage.config.gateway = Some("http://gateway.example".parse().unwrap());
    let refused = agent::run(stage.config.clone(), Default::default()).await;
    assert!(matches!(refused, Err(agent::AgentError::PlainGateway { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_none_is_refused() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let mut spec = stage.script("echo never");
    spec.image = content::add_bytes(&stage.gateway.store, b"no image", &Default::default()).unwrap().cid.to_string();
    let (job, _) = stage.order(&spec, 60).await;
    let declined = stage.declined(job).await;
    assert!(declined.starts_with("image refused"), "{declined}");
    stage.refunded_whole(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_a_file_that_is_known_to_be_bad_is_refused() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let mut stage = Stage::new().await;
    stage.config.known_bad.insert(content::sha256(&std::fs::read("/bin/busybox").unwrap()));
    let _agent = stage.agent().await;
    // Another image than the tests' own, which the engine may have from before.
    let busybox = ImageFile { source: "/bin/busybox".into(), path: "bin/busybox".into(), mode: 0o755 };
    let mark = ImageFile { source: stage.state.path().join("mark"), path: "mark".into(), mode: 0o644 };
    std::fs::write(&mark.source, stage.town.market.address().to_string()).unwrap();
    let layers = [LayerSource::Files(vec![busybox, mark])];
    let image = build_image(&stage.gateway.store, &layers, &ImageConfig::default(), &ImageLimits::default()).unwrap();
    let mut spec = stage.script("echo never");
    spec.image = image.root.to_string();
    let (job, _) = stage.order(&spec, 60).await;
    let reason = stage.declined(job).await;
    assert!(reason.starts_with("image refused: known-bad in bin/busybox"), "{reason}");
    stage.refunded_whole(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_does_not_agree_gets_everything_back() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let mut stage = Stage::new().await;
    stage.config.ready_within = std::time::Duration::from_secs(1);
    stage.gateway.set_agrees(false);
    let _agent = stage.agent().await;
    let (job, _) = stage.order(&stage.script("echo never"), 60).await;
    assert_eq!(stage.declined(job).await, "no Ready came in time");
    stage.refunded_whole(job).await;
    stage.cleaned_up(job).await;
    assert!(stage.lines(job).is_empty(), "nothing ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_controller_or_the_renter_starts_the_clock() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    stage.gateway.set_agrees(false);
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo ran"), 60).await;
    let is_ready = |event: &wire::JobEvent| matches!(event.news, JobNews::JobReady { .. });
    stage.news(job, |event| is_ready(event).then_some(())).await;
    let controller = stage.town.controller.clone();
    stage.gateway.agree_as(job, stage.town.stranger.wallet(), |_| ());
    stage.gateway.agree_as(job, &controller, |ready| ready.readyRecord = B256::repeat_byte(1));
    stage.gateway.agree_as(job, &controller, |ready| ready.at = (now() - 1000).try_into().unwrap());
    stage.gateway.agree_as(job, stage.town.renter.wallet(), |_| ());
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0));
    // A signature that the agent takes and the chain does not is followed by asking again.
    assert_eq!(stage.gateway.events(job).iter().filter(|event| is_ready(event)).count(), 1);
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

#[tokio::test]
async fn a_price_that_rose_meanwhile_is_a_reason_to_refuse() {
    let mut stage = Stage::new().await;
    stage.agent().await.stop().await.unwrap();
    let (job, _) = stage.order(&stage.script("echo never"), 60).await;
    stage.config.price_per_hour = PerHour(7200);
    let _agent = stage.agent().await;
    let declined = stage.declined(job).await;
    assert!(declined.starts_with("price too low"), "{declined}");
    stage.refunded_whole(job).await;
}
