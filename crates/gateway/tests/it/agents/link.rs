//! `GET /api/v1/agents/link`.

use alloy_primitives::B256;
use chain::Wallet;
use wire::{
    HardwareJson,
    http::{GpuJson, Page, Presence},
    link::{Announced, FromAgent, FromGateway, VERSION},
};

use crate::{
    sockets::{Agent, Reader, beat, hello, now},
    stage::{Stage, until},
};

/// Listings whose agent is online.
async fn heard(stage: &Stage) -> usize {
    let page: Page<GpuJson> = stage.get("/api/v1/gpus").await.json();
    page.items.iter().filter(|gpu| gpu.status == Presence::Online).count()
}

#[tokio::test]
async fn who_answers_the_challenge_with_its_own_resources_is_welcome() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(2).await;
    assert_eq!(heard(&stage).await, 0);
    let _agent = Agent::welcome(&stage, &provider).await;
    until(async || heard(&stage).await == 2).await;
}

#[tokio::test]
async fn everybody_else_is_refused_with_the_reason() {
    let stage = Stage::new(|_| ()).await;
    let (own, other) = (stage.provider(1).await, stage.provider(1).await);
    let check = async |signer: &Wallet, gpus: &[Announced], nonce: Option<B256>, version, words: &str| {
        let mut agent = Agent::connect(&stage).await;
        let nonce = nonce.unwrap_or(agent.nonce);
        agent.line.say(&hello(&stage, signer, own.agent.address(), gpus, nonce, version)).await;
        agent.is_refused(words).await;
    };
    check(&other.agent, &own.gpus, None, VERSION, "signature over Hello").await;
    check(&own.agent, &own.gpus, Some(B256::repeat_byte(1)), VERSION, "signature over Hello").await;
    check(&own.agent, &own.gpus, None, 0, "speaks version 1, not 0").await;

    let foreign = [own.gpus.clone(), other.gpus.clone()].concat();
    check(&own.agent, &foreign, None, VERSION, "belongs to a provider whose agent is").await;

    let mut unlisted = own.gpus.clone();
    unlisted[0].id = B256::repeat_byte(0x77);
    check(&own.agent, &unlisted, None, VERSION, "is not listed in this market").await;

    let mut real = own.gpus.clone();
    real[0].hardware.simulated = false;
    check(&own.agent, &real, None, VERSION, "is listed as simulated").await;

    let announced = async |change: fn(&mut HardwareJson), words: &str| {
        let mut gpus = own.gpus.clone();
        change(&mut gpus[0].hardware);
        check(&own.agent, &gpus, None, VERSION, words).await;
    };
    announced(|listed| listed.model = "H100".into(), "model \"Test 0\", not \"H100\"").await;
    announced(|listed| listed.gpus += 7, "gpus \"1\", not \"8\"").await;
    announced(|listed| listed.vram_mib += 1, "vramMib \"1024\", not \"1025\"").await;
    announced(|listed| listed.cpus += 1, "cpus \"2\", not \"3\"").await;
    announced(|listed| listed.memory_mib += 1, "memoryMib \"512\", not \"513\"").await;
    announced(|listed| listed.disk_mib += 1, "diskMib \"2048\", not \"2049\"").await;

    let mut rude = Agent::connect(&stage).await;
    rude.line.say_text("good day".into()).await;
    rude.is_refused("cannot be read").await;
    assert_eq!(heard(&stage).await, 0);
}

#[tokio::test]
async fn a_listing_older_than_where_it_is_looked_for_is_not_believed() {
    let stage = Stage::new(|config| config.from_block = 1 << 40).await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::connect(&stage).await;
    agent
        .line
        .say(&hello(&stage, &provider.agent, provider.agent.address(), &provider.gpus, agent.nonce, VERSION))
        .await;
    agent.is_refused("is not in the log from block 1099511627776 on").await;
    assert_eq!(heard(&stage).await, 0);
}

#[tokio::test]
async fn a_hello_for_another_gateway_is_refused() {
    // Whoever relays our nonce under an address of its own gets hellos over that address.
    let stage = Stage::new(|config| config.public_url = Some("https://gate.example".parse().unwrap())).await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::connect(&stage).await;
    agent
        .line
        .say(&hello(&stage, &provider.agent, provider.agent.address(), &provider.gpus, agent.nonce, VERSION))
        .await;
    agent.is_refused("this gateway is https://gate.example").await;
    assert_eq!(heard(&stage).await, 0);
}

#[tokio::test]
async fn an_agent_that_says_nothing_is_sent_away() {
    let stage = Stage::new(|config| config.limits.hello_within = std::time::Duration::from_millis(50)).await;
    Agent::connect(&stage).await.is_refused("no hello came").await;
}

#[tokio::test]
async fn a_newer_link_takes_over() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let mut older = Agent::welcome(&stage, &provider).await;
    let mut newer = Agent::welcome(&stage, &provider).await;
    older.is_refused("newer link").await;
    assert_eq!(newer.announce(&stage.job(&provider, 1)).await, 0);
}

#[tokio::test]
async fn who_is_silent_is_not_online_and_a_beat_brings_it_back() {
    let stage = Stage::new(|config| config.limits.stale_after = std::time::Duration::from_secs(1)).await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    until(async || heard(&stage).await == 0).await;
    agent.line.say(&beat(&stage, &provider.agent, now())).await;
    until(async || heard(&stage).await > 0).await;
}

#[tokio::test]
async fn a_beat_by_another_key_or_of_another_time_ends_the_link() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.line.say(&beat(&stage, &Wallet::random(), now())).await;
    agent.is_refused("signature over Beat").await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.line.say(&beat(&stage, &provider.agent, now() - 500)).await;
    agent.is_refused("check this machine's clock").await;
}

#[tokio::test]
async fn jobs_of_resources_that_were_not_named_are_refused() {
    let stage = Stage::new(|_| ()).await;
    let (mut provider, other) = (stage.provider(2).await, stage.provider(1).await);
    let silent = provider.gpus.pop().unwrap();
    for resource in [silent.id, other.gpus[0].id] {
        let mut agent = Agent::welcome(&stage, &provider).await;
        agent.line.say(&FromAgent::Job { terms: stage.job_on(resource, 1).terms }).await;
        agent.is_refused("which the hello did not name").await;
    }
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.log(&stage.job(&provider, 1), [1]).await;
    agent.is_refused("send Job first").await;
}

#[tokio::test]
async fn after_a_new_link_the_news_go_on_where_the_gateway_is() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    assert_eq!(agent.announce(&job).await, 0);
    agent.log(&job, 1..=3).await;
    assert_eq!(agent.is_heard(&job).await, 3);
    drop(agent);

    let mut agent = Agent::welcome(&stage, &provider).await;
    assert_eq!(agent.announce(&job).await, 3);
    // Too early, in a row: it is told once where to go on, not once for each.
    agent.log(&job, 5..=9).await;
    assert_eq!(agent.have(&job).await, 3);
    agent.log(&job, 4..=6).await;
    assert_eq!(agent.is_heard(&job).await, 6);
    // And again when it falls out of step again.
    agent.log(&job, [2]).await;
    assert_eq!(agent.have(&job).await, 6);

    let mut reader = Reader::follow(&stage, &job, 0).await;
    assert_eq!(reader.held().await, ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn the_challenge_is_new_each_time() {
    let stage = Stage::new(|_| ()).await;
    assert_ne!(Agent::connect(&stage).await.nonce, Agent::connect(&stage).await.nonce);
}

#[tokio::test]
async fn a_message_beyond_the_limit_ends_the_link() {
    let stage = Stage::new(|_| ()).await;
    let mut agent = Agent::connect(&stage).await;
    agent.line.say_text("x".repeat(wire::link::MESSAGE_BYTES_MAX + 1)).await;
    let reason = agent.line.hear::<FromGateway>().await.unwrap_err();
    assert!(reason.contains("at most 262144 bytes"), "{reason}");
}
