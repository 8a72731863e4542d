//! `GET /api/v1/jobs/{id}` and what lies below it.

use alloy_primitives::B256;
use content::ImportConfig;
use market::{Outcome, Seconds};
use wire::{
    TermsJson,
    feed::JobNews,
    http::{ChainEventJson, JobJson, JobStatusJson, OutcomeJson, Page, ResultJson, StatusJson},
    record::CompletionRecord,
};

use super::{PRICE, Shop};
use crate::{
    sockets::event,
    stage::{Job, until},
};

#[tokio::test]
async fn what_was_agreed_and_what_happened_can_be_read_by_anybody() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let terms = shop.job().await;
    let agreed: TermsJson = stage.get(&shop.path(&terms, "/terms")).await.json();
    assert_eq!(agreed, TermsJson::from(&terms), "and its hash is the job's id");
    let created: JobStatusJson = stage.get(&shop.path(&terms, "/status")).await.json();
    assert_eq!((created.status, created.seconds, created.runway_s), (StatusJson::Created, 0, 3600));
    stage.get(&shop.path(&terms, "/result")).await.is_problem(404, "no result before it ends");
    shop.start(&terms).await;
    stage.town.advance(Seconds(100)).await.unwrap();
    stage.indexed().await;
    let running: JobStatusJson = stage.get(&shop.path(&terms, "/status")).await.json();
    assert_eq!(running.status, StatusJson::Running);
    assert!((100..200).contains(&running.seconds), "{running:?}");
    let money = |amount: &str| amount.parse::<u128>().unwrap();
    assert_eq!(money(&running.accrued.amount), PRICE.cost(Seconds(running.seconds)).0);
    assert_eq!(money(&running.accrued.amount) + money(&running.left.amount), PRICE.0);
    assert_eq!(running.seconds + running.runway_s, 3600);

    let record = CompletionRecord {
        job_id: B256::from(stage.market.job_id(&terms).0),
        exit_code: Some(0),
        reason: None,
        result: None,
        log: None,
        simulated: false,
    };
    let document = wire::document(&record).unwrap();
    stage.town.agent.complete_job(&terms, Outcome::Succeeded, document.digest).await.unwrap();
    stage.indexed().await;
    let result: ResultJson = stage.get(&shop.path(&terms, "/result")).await.json();
    assert_eq!((result.outcome, result.result_digest), (Some(OutcomeJson::Succeeded), Some(document.digest)));
    assert_eq!(result.record, None, "it is not here yet");
    content::add_bytes(&stage.blocks, &document.bytes, &ImportConfig::default()).unwrap();
    let result: ResultJson = stage.get(&shop.path(&terms, "/result")).await.json();
    assert_eq!(result.record, Some(record));

    let job: JobJson = stage.get(&format!("/api/v1/instances/{}", stage.market.job_id(&terms))).await.json();
    assert_eq!((job.status, job.outcome), (StatusJson::Ended, Some(OutcomeJson::Succeeded)));
    assert_eq!(job.fee, None, "it is booked when nobody can dispute the job any more");
    let over: JobStatusJson = stage.get(&shop.path(&terms, "/status")).await.json();
    assert_eq!((over.left, over.runway_s), (job.refunded.clone(), 0));
    assert_eq!(money(&over.accrued.amount), money(&job.locked.amount) - money(&job.refunded.amount));

    let path = shop.path(&terms, "/events");
    let all: Page<ChainEventJson> = stage.get(&path).await.json();
    let kinds: Vec<&str> = all.items.iter().map(|event| event.kind.as_str()).collect();
    assert!(kinds.starts_with(&["JobCreated"]) && kinds.contains(&"JobStarted") && kinds.contains(&"JobEnded"));
    let ended = all.items.iter().find(|event| event.kind == "JobEnded").unwrap();
    assert_eq!(ended.who, Some(stage.town.agent.address()), "{ended:?}");
    let first: Page<ChainEventJson> = stage.get(&format!("{path}?limit=1")).await.json();
    let rest = format!("{path}?cursor={}", first.next_cursor.unwrap());
    let rest: Page<ChainEventJson> = stage.get(&rest).await.json();
    assert_eq!([first.items, rest.items].concat(), all.items);
}

#[tokio::test]
async fn progress_is_told_to_the_parties_alone() {
    let mut shop = Shop::new().await;
    let terms = shop.job().await;
    let job = Job {
        id: shop.stage.market.job_id(&terms),
        terms: TermsJson::from(&terms),
        renter: shop.stage.town.renter.wallet().clone(),
        controller: shop.stage.town.watcher.wallet().clone(),
    };
    shop.agent.announce(&job).await;
    shop.agent.tell(&job, event(1, JobNews::JobProgress { percent: 42, message: "on it".into() })).await;
    let (stage, path) = (&shop.stage, shop.path(&terms, ""));
    let seen = async |token: Option<&str>| {
        let answers = match token {
            Some(token) => [stage.get_as(&path, token).await, stage.get_as(&format!("{path}/status"), token).await],
            None => [stage.get(&path).await, stage.get(&format!("{path}/status")).await],
        };
        let [job, status] = answers;
        let (job, status) = (job.json::<JobJson>().progress_pct, status.json::<JobStatusJson>().progress_pct);
        assert_eq!(job, status);
        job
    };
    until(async || seen(Some(&shop.token)).await == Some(42)).await;
    for party in [&stage.town.owner, &stage.town.agent, &stage.town.watcher] {
        let token = stage.sign_in(party.wallet()).await.token;
        assert_eq!(seen(Some(&token)).await, Some(42));
    }
    assert_eq!(seen(None).await, None);
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    assert_eq!(seen(Some(&stranger)).await, None);
    stage.get_as(&path, "forged").await.is_problem(401, "not good now");
}
