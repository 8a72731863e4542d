//! New blocks as they are announced: at once, without asking, and through a restart of the node.

use std::time::{Duration, Instant};

use chain::{Chain, ChainConfig, EventStream, Item, Market, StreamConfig};
use market::PerHour;
use testkit::{TestMarket, TestMarketConfig, temp_dir};
use tokio::net::TcpListener;

use crate::node::Node;

const PRICE: PerHour = PerHour(3_600_000);
/// So long that a test which waits for a poll has failed.
const NEVER: Duration = Duration::from_secs(600);
const LIMIT: Duration = Duration::from_secs(20);

async fn stream(t: &TestMarket, config: ChainConfig) -> EventStream {
    let market = Market::open(Chain::connect(config).await.unwrap(), t.market.address()).await.unwrap();
    EventStream::new(market, t.deployment.block, StreamConfig::default())
}

/// Reads up to the newest block.
async fn caught_up(t: &TestMarket, stream: &mut EventStream) {
    let head = t.chain.head().await.unwrap().number;
    let reading =
        async { while !matches!(stream.next().await.unwrap(), Item::Block(block) if block.number == head) {} };
    tokio::time::timeout(LIMIT, reading).await.unwrap();
}

#[tokio::test]
async fn an_announced_block_needs_no_poll() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let mut stream = stream(&t, ChainConfig { poll: NEVER, ..ChainConfig::local(t.dev.rpc()) }).await;
    caught_up(&t, &mut stream).await;
    for _ in 0..20 {
        let terms = t.terms(resource, PRICE);
        let (mined, told) = tokio::join!(t.renter.create_job(&terms), tokio::time::timeout(LIMIT, stream.next()));
        let Item::Block(block) = told.unwrap().unwrap() else { panic!("nothing is taken back") };
        assert_eq!(block.number, mined.unwrap().block);
    }
    // A reorganisation is announced by its new blocks.
    t.dev.reorg(2).await.unwrap();
    let told = tokio::time::timeout(LIMIT, stream.next()).await.unwrap().unwrap();
    assert!(matches!(told, Item::Rewind { .. }), "{told:?}");
    caught_up(&t, &mut stream).await;
}

/// While the node is away it is asked, and once it is back it announces again.
#[tokio::test]
async fn announcements_come_back_after_a_restart() {
    let dir = temp_dir();
    let state = Some(dir.path().join("chain.json"));
    let mut t = TestMarket::with(TestMarketConfig { state, ..TestMarketConfig::default() }).await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let config = ChainConfig { poll: NEVER, ..ChainConfig::local(t.dev.rpc()) };
    let mut stream = stream(&t, config).await;
    caught_up(&t, &mut stream).await;
    for _ in 0..2 {
        t = t.restart(async {}).await.unwrap();
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        caught_up(&t, &mut stream).await;
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        caught_up(&t, &mut stream).await;
    }
}

/// An endpoint that has no WebSockets is asked as before.
#[tokio::test]
async fn without_websockets_it_is_asked() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let node = Node::start(&t, |_, _| None).await;
    let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = ChainConfig {
        ws: Some(format!("ws://{nowhere}").parse().unwrap()),
        poll: Duration::from_millis(5),
        ..ChainConfig::new(node.rpc.parse().unwrap())
    };
    let mut stream = stream(&t, config).await;
    caught_up(&t, &mut stream).await;
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    caught_up(&t, &mut stream).await;
}

/// Whoever is told need not ask: over a while without blocks there is hardly a request.
#[tokio::test]
async fn who_is_told_hardly_asks() {
    let t = TestMarket::start().await.unwrap();
    let node = Node::start(&t, |_, _| None).await;
    let poll = Duration::from_millis(20);
    let ws = ChainConfig::local(t.dev.rpc()).ws;
    let mut stream = stream(&t, ChainConfig { ws, poll, ..ChainConfig::new(node.rpc.parse().unwrap()) }).await;
    caught_up(&t, &mut stream).await;
    // The subscription stands once a block was told sooner than a poll; then count through ten polls that are skipped.
    let (asked, began) = (node.asked(), Instant::now());
    let nothing = tokio::time::timeout(poll * 50, stream.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    let polls = usize::try_from(began.elapsed().as_millis() / poll.as_millis()).unwrap();
    let requests = node.asked() - asked;
    assert!(requests <= polls / 4, "{requests} requests within {polls} polls");
}

/// The subscription is over when nobody can ask for it any more.
#[tokio::test]
async fn the_last_clone_ends_the_subscription() {
    let t = TestMarket::start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ws = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
    let config = ChainConfig { ws: Some(ws), ..ChainConfig::local(t.dev.rpc()) };
    let stream = tokio::spawn({
        let mut stream = stream(&t, config).await;
        async move { while stream.next().await.is_ok() {} }
    });
    // The handshake is never answered.
    let (connection, _) = tokio::time::timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    stream.abort();
    let closed = async {
        let mut taken = [0; 1024];
        loop {
            connection.readable().await.unwrap();
            match connection.try_read(&mut taken) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
    };
    tokio::time::timeout(LIMIT, closed).await.unwrap();
}
