//! What holds for every route: spellings, unknown ones, bodies.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use wire::http::Health;

use crate::stage::{PATIENCE, Stage};

#[tokio::test]
async fn every_spelling_of_a_route_is_answered() {
    let stage = Stage::new(|_| ()).await;
    for path in ["/api/v1/health", "/api/v1/health/", "/api/health", "/api/health/"] {
        assert_eq!(stage.get(path).await.json::<Health>().status, "ok", "{path}");
    }
    assert_eq!(stage.get("/api/gpus/?limit=1").await.status, 200, "the query stays");
}

#[tokio::test]
async fn second_names_lead_to_the_same_answer() {
    let stage = Stage::new(|_| ()).await;
    stage.provider(1).await;
    let gpus = stage.get("/api/v1/gpus").await.body;
    for path in
        ["/api/v1/gpus/search", "/api/gpus/search/", "/api/v1/marketplace/gpus", "/api/marketplace/gpus?limit=200"]
    {
        let answer = stage.get(path).await;
        assert_eq!(
            (answer.status, String::from_utf8_lossy(&answer.body)),
            (200, String::from_utf8_lossy(&gpus)),
            "{path}"
        );
    }
    let jobs = stage.get("/api/v1/jobs").await.body;
    for path in ["/api/v1/jobs/list", "/api/marketplace/jobs"] {
        assert_eq!(stage.get(path).await.body, jobs, "{path}");
    }
    let refused = stage.post("/api/v1/jobs", "{").await.status;
    assert!((400..500).contains(&refused));
    for path in ["/api/jobs/create", "/api/v1/jobs/submit", "/api/instances", "/api/marketplace/jobs/create"] {
        assert_eq!(stage.post(path, "{").await.status, refused, "{path}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_answered_with_those_that_are() {
    let stage = Stage::new(|_| ()).await;
    let answer = stage.http().delete(stage.url("/api/v1/gpus")).send().await.unwrap();
    assert_eq!(answer.headers()["allow"], "GET,HEAD");
    crate::stage::Answer::of(answer).await.is_problem(405, "DELETE is not answered here");
}

#[tokio::test]
async fn an_unknown_route_is_a_problem_that_says_where_to_go() {
    let stage = Stage::new(|_| ()).await;
    for path in ["/", "/api/v1/nothing", "/api/v1", "/ipfs", "/api/v1/jobs/1/2/3"] {
        let problem = stage.get(path).await.is_problem(404, "the API begins at /api/v1/health");
        assert_eq!(problem.kind, "not-found");
    }
    stage.post("/api/v1/health", "").await.is_problem(405, "POST is not answered here");
}

/// Sends a head and parts of a body that goes on for a gigabyte; gives the answer.
async fn gigabyte(stage: &Stage, path: &str, head: &str, part: &[u8]) -> String {
    let mut socket = TcpStream::connect(&stage.host).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: gateway\r\n{head}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(part).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = timeout(PATIENCE, socket.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn a_gigabyte_is_refused_without_being_read() {
    let stage = Stage::new(|_| ()).await;
    let path = format!("/api/v1/jobs/{}/ready", alloy_primitives::B256::ZERO);
    // None of the body is sent.
    let answer = gigabyte(&stage, &path, "content-length: 1073741824", b"").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("65536 bytes"), "{answer}");
    // Its size is not told: it is read up to the limit.
    let part = [b"10001\r\n".as_slice(), &[b' '; 65_537], b"\r\n"].concat();
    let answer = gigabyte(&stage, &path, "transfer-encoding: chunked", &part).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // A route that takes no body does not wait for it.
    let answer = gigabyte(&stage, "/api/v1/nothing", "content-length: 1073741824", b"").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn who_dawdles_gives_its_place_to_the_next() {
    let stage = Stage::new(|config| {
        config.limits.connections = 1;
        config.limits.head_within = std::time::Duration::from_millis(100);
        config.limits.body_within = std::time::Duration::from_millis(100);
    })
    .await;
    // A head that never ends: the only place is taken until its time is over.
    let mut slow = TcpStream::connect(&stage.host).await.unwrap();
    slow.write_all(b"GET /api/v1/health HTTP/1.1\r\nhost:").await.unwrap();
    assert_eq!(stage.get("/api/v1/health").await.json::<Health>().status, "ok");
    let mut rest = Vec::new();
    timeout(PATIENCE, slow.read_to_end(&mut rest)).await.unwrap().unwrap();

    // A body that never ends.
    let path = format!("/api/v1/jobs/{}/ready", alloy_primitives::B256::ZERO);
    let answer = gigabyte(&stage, &path, "content-length: 100", b"{").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}
