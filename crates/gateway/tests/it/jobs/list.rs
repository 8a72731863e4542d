//! `GET /api/v1/jobs`, its filters, pages and second names.

use market::{JobId, PerHour, ResourceId};
use wire::{
    Terms,
    http::{JobJson, Page, StatusJson},
};

use crate::stage::Stage;

const PRICE: PerHour = PerHour(3600);

/// `count` jobs on one resource, oldest first.
async fn jobs(stage: &Stage, count: usize) -> (ResourceId, Vec<(JobId, Terms)>) {
    let resource = stage.town.list(PRICE).await.unwrap();
    let mut jobs = Vec::new();
    for _ in 0..count {
        let terms = stage.town.terms(resource, PRICE);
        stage.town.renter.create_job(&terms).await.unwrap();
        jobs.push((stage.market.job_id(&terms), terms));
    }
    stage.indexed().await;
    (resource, jobs)
}

async fn ids(stage: &Stage, path: &str) -> Vec<JobId> {
    let page: Page<JobJson> = stage.get(path).await.json();
    page.items.iter().map(|job| JobId(job.id.0)).collect()
}

#[tokio::test]
async fn pages_are_newest_first_without_a_gap_or_a_repetition() {
    let stage = Stage::new(|_| ()).await;
    let (_, jobs) = jobs(&stage, 5).await;
    let mut newest: Vec<JobId> = jobs.iter().map(|(id, _)| *id).collect();
    newest.reverse();
    assert_eq!(ids(&stage, "/api/v1/jobs").await, newest);
    for limit in [1, 2, 5] {
        let (mut seen, mut path) = (Vec::new(), format!("/api/v1/jobs?limit={limit}"));
        loop {
            let page: Page<JobJson> = stage.get(&path).await.json();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|job| JobId(job.id.0)));
            let Some(cursor) = page.next_cursor else { break };
            path = format!("/api/v1/jobs?limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen, newest, "{limit}");
    }
}

#[tokio::test]
async fn filters_and_second_names_choose_the_same_jobs() {
    let stage = Stage::new(|_| ()).await;
    let (resource, jobs) = jobs(&stage, 3).await;
    let (first, terms) = &jobs[0];
    stage.town.renter.cancel_job(terms).await.unwrap();
    stage.indexed().await;
    let (renter, stranger) = (stage.town.renter.address(), stage.town.stranger.address());
    let count = async |query: &str| ids(&stage, &format!("/api/v1/jobs?{query}")).await.len();
    assert_eq!(count(&format!("renter={renter}")).await, 3);
    assert_eq!(count(&format!("renter={stranger}")).await, 0);
    assert_eq!(count(&format!("controller={}", stage.town.controller.address())).await, 3);
    assert_eq!(count("provider=1").await, 3);
    assert_eq!(count("provider=4294967295").await, 0);
    assert_eq!(count(&format!("resource={resource}")).await, 3);
    assert_eq!(count("status=created,cancelled").await, 3);
    assert_eq!(count("status=created&status=running").await, 2);
    assert_eq!(count("live=true").await, 2);
    assert_eq!(count("live=true&status=cancelled").await, 0);
    assert_eq!(count(&format!("live=false&renter={renter}")).await, 1);
    assert_eq!(ids(&stage, "/api/v1/jobs/history").await, [*first]);
    assert_eq!(ids(&stage, "/api/marketplace/jobs?status=cancelled").await, [*first]);
    assert_eq!(ids(&stage, "/api/v1/jobs/list/?live=false").await, [*first]);
    let page: Page<JobJson> = stage.get("/api/v1/jobs/history").await.json();
    assert_eq!(page.items[0].status, StatusJson::Cancelled);
    assert_eq!(page.items[0].refunded, page.items[0].locked, "all of it came back");
    assert_eq!(page.items[0].model, "test processor");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let stage = Stage::new(|_| ()).await;
    let (_, jobs) = jobs(&stage, 2).await;
    let refused = async |query: &str, field: &str| {
        let problem = stage.get(&format!("/api/v1/jobs?{query}")).await.is_problem(400, "");
        assert_eq!(problem.field.as_deref(), Some(field), "{query}: {}", problem.detail);
    };
    refused("renter=1", "renter").await;
    refused("renter=' OR '1'='1", "renter").await;
    refused("resource=0x00", "resource").await;
    refused("provider=one", "provider").await;
    refused("status=%00", "status").await;
    refused("limit=0", "limit").await;
    refused("limit=201", "limit").await;
    refused("limit=-1", "limit").await;
    refused("colour=red", "colour").await;
    refused("live=true&live=true", "live").await;
    // Cursors that nobody gave out: refused, or an honest page, and never an error of ours.
    for forged in ["", "x", "7b7d", "5b5d", "5b312c325d30", "6e756c6c", &"ab".repeat(300)] {
        refused(&format!("cursor={forged}"), "cursor").await;
    }
    let place = |block: u64, index: u64| alloy_primitives::hex::encode(format!("[{block},{index}]"));
    assert_eq!(ids(&stage, &format!("/api/v1/jobs?cursor={}", place(0, 0))).await, []);
    assert_eq!(stage.get(&format!("/api/v1/jobs?cursor={}", place(u64::MAX, u64::MAX))).await.status, 200);
    assert_eq!(ids(&stage, &format!("/api/v1/jobs?cursor={}", place(1 << 40, 0))).await.len(), jobs.len());
    for bad in ["1", "0xzz", "%F0%9F%92%A9", "..%2f..%2fetc%2fpasswd", "' OR 1=1 --", &"0".repeat(5000)] {
        stage.get(&format!("/api/v1/jobs/{bad}")).await.is_problem(400, "64 hexadecimal digits");
    }
    let nobody = alloy_primitives::B256::repeat_byte(7);
    for rest in ["", "/status", "/terms", "/events", "/result"] {
        stage.get(&format!("/api/v1/jobs/{nobody}{rest}")).await.is_problem(404, "there is no job");
    }
    stage.get(&format!("/api/v1/instances/{nobody}")).await.is_problem(404, "there is no job");
}
