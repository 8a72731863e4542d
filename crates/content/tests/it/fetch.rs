//! Fetching from gateways that lie, stall, break off or know nothing.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use content::{
    Block, Cid, CollectConfig, DAG_PB, Error, FetchConfig, FetchLimits, Fetcher, GatewayConfig, ImportConfig, Progress,
    RAW, add_tree, blocks_of, gateway, missing, total_size,
};
use futures_util::StreamExt;
use tokio::sync::watch;
use url::Url;

use crate::fixture::{Keystream, Store, impatient_store, plant, serve, store};

fn sample() -> (Store, Cid) {
    let dir = tempfile::tempdir().unwrap();
    plant(
        dir.path(),
        &[("a", &Keystream::bytes("fetch", 2_000_000)), ("b/c", b"c"), ("b/d", &Keystream::bytes("d", 300_000))],
    );
    let store = store();
    let root =
        add_tree(&store, dir.path(), &ImportConfig { chunk_bytes: 50_000, ..ImportConfig::default() }).unwrap().cid;
    (store, root)
}

fn honest(store: &Store) -> Router {
    gateway::router(store.store.clone(), GatewayConfig { deserialized: false, ..GatewayConfig::default() })
}

fn quick() -> FetchConfig {
    FetchConfig {
        no_progress: Duration::from_millis(300),
        connect: Duration::from_secs(1),
        give_up: Duration::from_secs(5),
        parallel: 4,
    }
}

/// How a source spoils what an honest one would answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Tampers,
    TampersLate,
    Truncates,
    BreaksOff,
    Stalls,
    NeverAnswers,
    SaysServerError,
    RefusesCar,
    SendsTooMuch,
    SendsSomethingElse,
}

fn is_car(request: &Request) -> bool {
    request.uri().query().is_some_and(|query| query.contains("format=car"))
}

async fn spoil(fault: Fault, request: Request, next: Next) -> Response {
    let car = is_car(&request);
    match fault {
        Fault::NeverAnswers => std::future::pending().await,
        Fault::SaysServerError => return StatusCode::BAD_GATEWAY.into_response(),
        Fault::RefusesCar if car => return StatusCode::NOT_ACCEPTABLE.into_response(),
        Fault::SendsTooMuch if car => return Bytes::from(vec![0xff; 1 << 20]).into_response(),
        Fault::SendsTooMuch => return Body::from_stream(endless()).into_response(),
        Fault::SendsSomethingElse => return "<html>welcome to the hotel network</html>".into_response(),
        _ => {}
    }
    let answer = next.run(request).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let mut bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    match fault {
        Fault::Tampers => bytes[middle.min(200)] ^= 1,
        Fault::TampersLate => *bytes.last_mut().unwrap() ^= 1,
        Fault::Truncates if car => bytes.truncate(middle + 77),
        Fault::BreaksOff if car => {
            let half = Bytes::from(bytes[..middle].to_vec());
            let pieces = futures_util::stream::iter([Ok(half), Err(std::io::Error::other("gone"))]);
            return Body::from_stream(pieces).into_response();
        }
        Fault::Stalls if car => {
            let half = Bytes::from(bytes[..middle].to_vec());
            let pieces =
                futures_util::stream::iter([Ok::<_, std::io::Error>(half)]).chain(futures_util::stream::pending());
            return Body::from_stream(pieces).into_response();
        }
        _ => {}
    }
    bytes.into_response()
}

fn endless() -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[7; 4096])))
}

async fn faulty(store: &Store, fault: Fault) -> Url {
    serve(honest(store).layer(from_fn(move |request, next| spoil(fault, request, next)))).await
}

async fn fetch(
    sources: Vec<Url>,
    to: &Store,
    root: &Cid,
) -> (content::Result<content::Fetched>, Vec<content::SourceCounters>) {
    let fetcher = Fetcher::new(sources, quick()).unwrap();
    let result = fetcher.fetch(to, root, FetchLimits::default(), None).await;
    (result, fetcher.counters())
}

#[tokio::test]
async fn everything_comes_over_and_is_counted() {
    let (from, root) = sample();
    let url = serve(honest(&from)).await;
    let to = store();
    let size = total_size(&from, &root).unwrap();
    let fetcher = Fetcher::new(vec![url], quick()).unwrap();
    let (sender, receiver) = watch::channel(Progress::default());
    let fetched = fetcher.fetch(&to, &root, FetchLimits::default(), Some(&sender)).await.unwrap();
    assert_eq!((fetched.blocks, fetched.bytes, fetched.blocks_before), (size.blocks, size.bytes, 0));
    assert_eq!(total_size(&to, &root).unwrap(), size);
    let end = *receiver.borrow();
    assert_eq!((end.blocks, end.bytes), (size.blocks, size.bytes));
    assert!(end.total_bytes.is_some_and(|total| total >= size.bytes));
    let counters = fetcher.counters();
    assert_eq!((counters[0].blocks, counters[0].failures, counters[0].banned), (size.blocks, 0, false));
    let again = fetcher.fetch(&to, &root, FetchLimits::default(), None).await.unwrap();
    assert_eq!((again.blocks, again.blocks_before), (0, size.blocks));
}

#[tokio::test]
async fn each_fault_is_survived_with_a_second_source() {
    use Fault::*;
    let (from, root) = sample();
    let faults = [
        Tampers,
        TampersLate,
        Truncates,
        BreaksOff,
        Stalls,
        NeverAnswers,
        SaysServerError,
        RefusesCar,
        SendsTooMuch,
        SendsSomethingElse,
    ];
    for fault in faults {
        let to = store();
        let sources = vec![faulty(&from, fault).await, serve(honest(&from)).await];
        let (fetched, counters) = fetch(sources, &to, &root).await;
        assert!(fetched.is_ok(), "{fault:?}: {fetched:?}");
        assert_eq!(total_size(&to, &root).unwrap(), total_size(&from, &root).unwrap(), "{fault:?}");
        let is_liar = matches!(fault, Tampers | TampersLate | SendsTooMuch);
        assert_eq!(counters[0].banned, is_liar, "{fault:?}: {counters:?}");
        if fault != RefusesCar {
            assert!(counters[1].blocks > 0, "{fault:?}: the second source helps: {counters:?}");
        }
    }
}

#[tokio::test]
async fn a_liar_alone_gives_an_error_and_no_wrong_block() {
    let (from, root) = sample();
    let to = store();
    let (fetched, _) = fetch(vec![faulty(&from, Fault::TampersLate).await], &to, &root).await;
    assert!(matches!(fetched, Err(Error::Corrupt { .. })), "{fetched:?}");
    for cid in blocks_of(&from, &root).unwrap() {
        if let Some(bytes) = to.get(&cid).unwrap() {
            assert_eq!(bytes, from.get(&cid).unwrap().unwrap());
        }
    }
}

#[tokio::test]
async fn what_nobody_has_is_not_found_within_the_named_time() {
    let (from, _) = sample();
    let nobody = *Block::new(RAW, "nobody has this").unwrap().cid();
    let begun = Instant::now();
    let (fetched, _) = fetch(vec![serve(honest(&from)).await, serve(honest(&from)).await], &store(), &nobody).await;
    assert!(matches!(fetched, Err(Error::NotFound { cid }) if cid == nobody), "{fetched:?}");
    let (fetched, _) = fetch(vec![faulty(&from, Fault::NeverAnswers).await], &store(), &nobody).await;
    assert!(matches!(fetched, Err(Error::Unreachable { .. })), "{fetched:?}");
    let (fetched, _) = fetch(vec![], &store(), &nobody).await;
    assert!(matches!(fetched, Err(Error::NotFound { .. })), "{fetched:?}");
    assert!(begun.elapsed() < quick().give_up + quick().no_progress);
}

#[tokio::test]
async fn two_halves_make_a_whole() {
    let (from, root) = sample();
    let all = blocks_of(&from, &root).unwrap();
    let (left, right) = (store(), store());
    for (position, cid) in all.iter().enumerate() {
        let block = Block::verified(*cid, from.get(cid).unwrap().unwrap()).unwrap();
        if position % 3 != 1 || position == 0 {
            left.put(block.clone()).unwrap();
        }
        if position % 3 != 2 {
            right.put(block).unwrap();
        }
    }
    let to = store();
    let (fetched, counters) = fetch(vec![serve(honest(&left)).await, serve(honest(&right)).await], &to, &root).await;
    fetched.unwrap();
    assert!(counters.iter().all(|counters| counters.blocks > 0 && !counters.banned), "{counters:?}");
    assert_eq!(missing(&to, &root, 1).unwrap(), []);
}

#[tokio::test]
async fn a_fetch_continues_where_it_was_cut_off() {
    let (from, root) = sample();
    let to = store();
    let all = blocks_of(&from, &root).unwrap();
    let (first, _) = fetch(vec![faulty(&from, Fault::Truncates).await], &to, &root).await;
    drop(first);
    let before = to.len() as u64;
    assert!(before > 2, "the cut fetch kept what it had");
    let (fetched, counters) = fetch(vec![serve(honest(&from)).await], &to, &root).await;
    let fetched = fetched.unwrap();
    assert_eq!(fetched.blocks + before, all.len() as u64, "no block came twice");
    assert_eq!((fetched.blocks_before, counters[0].blocks), (before, fetched.blocks));
}

#[tokio::test]
async fn limits_end_a_fetch() {
    let (from, root) = sample();
    let fetcher = Fetcher::new(vec![serve(honest(&from)).await], quick()).unwrap();
    for limits in [
        FetchLimits { bytes_max: 500_000, ..FetchLimits::default() },
        FetchLimits { blocks_max: 10, ..FetchLimits::default() },
    ] {
        let to = store();
        let fetched = fetcher.fetch(&to, &root, limits, None).await;
        assert!(matches!(fetched, Err(Error::TooLarge { .. })), "{limits:?}: {fetched:?}");
        assert!(to.bytes_on_disk() < 600_000);
    }
}

#[tokio::test]
async fn what_was_here_before_a_fetch_is_not_freed_under_it() {
    let (from, root) = sample();
    let to = impatient_store();
    let cids = blocks_of(&from, &root).unwrap();
    // All nodes, and every second leaf.
    let (nodes, leaves): (Vec<&Cid>, Vec<&Cid>) = cids.iter().partition(|cid| cid.codec() == DAG_PB);
    let here = nodes.iter().chain(leaves.iter().step_by(2));
    let old: Vec<Block> = here.map(|cid| Block::verified(**cid, from.get(cid).unwrap().unwrap()).unwrap()).collect();
    to.put_many(&old).unwrap();
    let litter = Block::new(RAW, b"no part of it".to_vec()).unwrap();
    to.put(litter.clone()).unwrap();
    let collecting = to.store.clone();
    let source = honest(&from).layer(from_fn(move |request: Request, next: Next| {
        let store = collecting.clone();
        async move {
            store.collect_async(CollectConfig { live_percent_min: 100, ..CollectConfig::default() }).await.unwrap();
            next.run(request).await
        }
    }));
    let fetcher = Fetcher::new(vec![serve(source).await], quick()).unwrap();
    let fetched = fetcher.fetch(&to, &root, FetchLimits::default(), None).await.unwrap();
    assert!(!to.has(litter.cid()), "it was collected meanwhile");
    assert_eq!((fetched.blocks_before, fetched.blocks), (old.len() as u64, (cids.len() - old.len()) as u64));
    assert!(missing(&to, &root, 1).unwrap().is_empty());
}
