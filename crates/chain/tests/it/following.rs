//! The event stream through reorganisations, outages and restarts: what it told, folded, is what the chain says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::primitives::B256;
use chain::{BlockEvents, Chain, ChainConfig, EventStream, Item, Logged, Market, MarketEvent, StreamConfig};
use market::{PerHour, Seconds, Timestamp};
use testkit::{Rng, TestMarket, TestMarketConfig, eventually, rng};
use tokio::{sync::watch, task::JoinHandle};

use crate::node::Node;

const PRICE: PerHour = PerHour(3_600_000);
/// A minute of looks at a chain that answers within milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

/// The chain as a stream told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fold {
    blocks: Vec<BlockEvents>,
    rewinds: usize,
}

impl Fold {
    fn apply(&mut self, item: Item) {
        match item {
            Item::Rewind { to } => {
                assert!(self.blocks.last().is_some_and(|tip| tip.number > to), "a rewind goes back");
                self.blocks.retain(|block| block.number <= to);
                self.rewinds += 1;
            }
            Item::Block(block) => {
                if let Some(tip) = self.blocks.last() {
                    assert!(block.number > tip.number, "{} after {}", block.number, tip.number);
                    let next = block.number == tip.number + 1;
                    assert!(
                        !next || block.parent.is_none_or(|parent| parent == tip.hash),
                        "blocks of one chain follow each other"
                    );
                }
                self.blocks.push(block);
            }
        }
    }

    /// Where two tellings of the same chain differ: in a block with events, or in one so new that all are told.
    fn difference(&self, other: &Self) -> Option<String> {
        let newest = self.blocks.last().map_or(0, |tip| tip.number);
        let (one, two) = (self.told(newest), other.told(newest));
        let first = one.iter().zip(&two).find(|(a, b)| a != b);
        let lengths = (one.len() != two.len()).then(|| format!("{} blocks and {}", one.len(), two.len()));
        first.map(|(a, b)| format!("{a:?} and {b:?}")).or(lengths)
    }

    /// What every telling has: whether it was new or old when it was told does not matter.
    fn told(&self, newest: u64) -> Vec<(u64, B256, Timestamp, &[Logged])> {
        let told =
            self.blocks.iter().filter(|block| !block.events.is_empty() || block.number > newest.saturating_sub(256));
        told.map(|block| (block.number, block.hash, block.timestamp, &block.events[..])).collect()
    }

    fn events(&self) -> Vec<&MarketEvent> {
        self.blocks.iter().flat_map(|block| &block.events).map(|logged| &logged.event).collect()
    }
}

/// Follows the chain in the background.
fn follow(market: Market, from: u64, config: StreamConfig) -> (watch::Receiver<Arc<Fold>>, JoinHandle<()>) {
    let (told, fold) = watch::channel(Arc::default());
    let task = tokio::spawn(async move {
        let mut stream = EventStream::new(market, from, config);
        loop {
            let item = stream.next().await.unwrap();
            told.send_modify(|fold: &mut Arc<Fold>| Arc::make_mut(fold).apply(item));
        }
    });
    (fold, task)
}

/// A connection of its own, so that nothing is shared with those who send.
async fn connect(t: &TestMarket) -> Market {
    let config = ChainConfig { poll: Duration::from_millis(5), ..ChainConfig::local(t.dev.rpc()) };
    Market::open(Chain::connect(config).await.unwrap(), t.market.address()).await.unwrap()
}

/// Waits until a stream has told the newest block.
async fn caught_up(t: &TestMarket, fold: &watch::Receiver<Arc<Fold>>) -> Arc<Fold> {
    let head = t.chain.head().await.unwrap();
    eventually(LIMIT, async || {
        let seen = fold.borrow().clone();
        seen.blocks.last().is_some_and(|tip| tip.hash == head.hash).then_some(seen)
    })
    .await
}

async fn replay(t: &TestMarket) -> Arc<Fold> {
    let (fold, task) = follow(connect(t).await, t.deployment.block, StreamConfig::default());
    let whole = caught_up(t, &fold).await;
    task.abort();
    whole
}

/// Reorganisations of every size up to 64 blocks while jobs come and go.
#[tokio::test]
async fn reorganisations_up_to_64_deep_change_nothing_in_the_end() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    t.dev.mine(70).await.unwrap();
    let (fold, task) = follow(connect(&t).await, t.deployment.block, StreamConfig::default());
    caught_up(&t, &fold).await;
    let mut rng = rng(1);
    let mut depths = vec![1, 2, 63, 64];
    depths.extend((0..6).map(|_| rng.next_u64() % 64 + 1));
    for depth in depths {
        for _ in 0..4 {
            let terms = t.terms(resource, PRICE);
            t.renter.create_job(&terms).await.unwrap();
            if rng.next_u64().is_multiple_of(2) {
                t.agent.decline_job(&terms, "not today").await.unwrap();
            }
            t.dev.mine(rng.next_u64() % 17).await.unwrap();
        }
        if rng.next_u64().is_multiple_of(2) {
            caught_up(&t, &fold).await;
        }
        t.dev.reorg(depth).await.unwrap();
    }
    t.dev.mine(3).await.unwrap();
    let told = caught_up(&t, &fold).await;
    assert!(told.rewinds >= 4, "{} rewinds", told.rewinds);
    assert!(told.events().len() > 10, "jobs are left over");
    assert_eq!(told.difference(&*replay(&t).await), None);
    task.abort();
}

/// A block is replaced by another of the same height: nothing but its hash tells.
#[tokio::test]
async fn a_replaced_tip_is_noticed() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let (fold, task) = follow(connect(&t).await, t.deployment.block, StreamConfig::default());
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    let before = caught_up(&t, &fold).await;
    t.dev.reorg(1).await.unwrap();
    let after = caught_up(&t, &fold).await;
    assert_eq!(after.blocks.len(), before.blocks.len());
    assert_eq!(after.events().len() + 1, before.events().len(), "the job never happened");
    assert_eq!(after.rewinds, 1);
    task.abort();
}

/// Deeper than the window: the stream begins anew and is right again.
#[tokio::test]
async fn beyond_the_window_everything_is_told_again() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let config = StreamConfig { window: 8, range: 5, ..StreamConfig::default() };
    let (fold, task) = follow(connect(&t).await, t.deployment.block, config);
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    t.dev.mine(20).await.unwrap();
    caught_up(&t, &fold).await;
    t.dev.reorg(16).await.unwrap();
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    let told = caught_up(&t, &fold).await;
    let whole = replay(&t).await;
    assert_eq!(told.events(), whole.events());
    assert_eq!(told.rewinds, 1);
    task.abort();
}

/// The chain is stopped and comes back with its state; nothing is told twice and nothing is missed.
#[tokio::test]
async fn an_outage_is_waited_out() {
    let dir = testkit::temp_dir();
    let state = Some(dir.path().join("chain.json"));
    let mut t = TestMarket::with(TestMarketConfig { state, ..TestMarketConfig::default() }).await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let config = StreamConfig { backoff_max: Duration::from_millis(200), ..StreamConfig::default() };
    let (fold, task) = follow(connect(&t).await, t.deployment.block, config);
    for round in 0..3 {
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        let before = caught_up(&t, &fold).await;
        let chain = t.chain.clone();
        let down = async move { assert!(chain.head().await.unwrap_err().is_retryable()) };
        t = t.restart(down).await.unwrap();
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        let after = caught_up(&t, &fold).await;
        assert_eq!(after.events().len(), before.events().len() + 1, "round {round}");
    }
    let told = caught_up(&t, &fold).await;
    assert_eq!(told.events(), replay(&t).await.events());
    assert_eq!(told.rewinds, 0);
    task.abort();
}

/// A long history is read in pieces, without its empty blocks; the window's blocks all come.
#[tokio::test]
async fn old_blocks_come_in_pieces() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    for _ in 0..5 {
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        t.dev.mine(100).await.unwrap();
    }
    let (fold, task) = follow(connect(&t).await, 0, StreamConfig { range: 64, ..StreamConfig::default() });
    let told = caught_up(&t, &fold).await;
    task.abort();
    let created = told.events().into_iter().filter(|event| matches!(event, MarketEvent::JobCreated { .. }));
    assert_eq!(created.count(), 5);
    let head = t.chain.head().await.unwrap().number;
    let recent: Vec<_> = told.blocks.iter().map(|block| block.number).filter(|n| *n + 256 > head).collect();
    assert_eq!(recent, (head - 255..=head).collect::<Vec<_>>());
    assert!(told.blocks.len() < 300, "{} blocks", told.blocks.len());
}

/// A program that stopped goes on where it was, and takes back what was reorganised away meanwhile.
#[tokio::test]
async fn a_stream_goes_on_where_an_earlier_one_stood() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    let earlier = replay(&t).await;
    t.dev.reorg(1).await.unwrap();
    t.advance(Seconds(10)).await.unwrap();
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();

    let delivered: Vec<_> = earlier.blocks.iter().map(|block| (block.number, block.hash)).collect();
    let market = connect(&t).await;
    let mut stream = EventStream::resume(market, t.deployment.block, &delivered, StreamConfig::default());
    let head = t.chain.head().await.unwrap();
    let mut fold = Fold { blocks: earlier.blocks.clone(), rewinds: 0 };
    while fold.blocks.last().is_none_or(|tip| tip.hash != head.hash) {
        fold.apply(stream.next().await.unwrap());
    }
    assert_eq!(fold.rewinds, 1);
    assert_eq!(fold.difference(&*replay(&t).await), None);
}

/// A caller that waits for other things too may drop `next` at any time.
#[tokio::test]
async fn dropping_a_wait_loses_nothing() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let market = connect(&t).await;
    let mut stream = EventStream::new(market, t.deployment.block, StreamConfig::default());
    let mut fold = Fold::default();
    let mut rng = rng(2);
    for _ in 0..10 {
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        let head = t.chain.head().await.unwrap();
        while fold.blocks.last().is_none_or(|tip| tip.hash != head.hash) {
            let patience = Duration::from_micros(rng.next_u64() % 3000);
            if let Ok(item) = tokio::time::timeout(patience, stream.next()).await {
                fold.apply(item.unwrap());
            }
        }
    }
    assert_eq!(fold.difference(&*replay(&t).await), None);
}

/// What asking again does not mend reaches the caller after some tries; the stream goes on where it was when it is
/// mended, and passing trouble is not told at all.
#[tokio::test]
async fn errors_that_do_not_pass_reach_the_caller() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    // How many of the next requests for logs are refused.
    let refusals = Arc::new(AtomicUsize::new(usize::MAX));
    let left = refusals.clone();
    let node = Node::start(&t, move |method, _| {
        let is_refused = method == "eth_getLogs" && left.load(Ordering::SeqCst) > 0;
        is_refused.then(|| {
            left.fetch_sub(1, Ordering::SeqCst);
            "logs are not kept here".to_owned()
        })
    })
    .await;
    let config = ChainConfig { poll: Duration::from_millis(5), ..ChainConfig::new(node.rpc.parse().unwrap()) };
    let market = Market::open(Chain::connect(config).await.unwrap(), t.market.address()).await.unwrap();
    let brief = Duration::from_millis(1);
    let config = StreamConfig { backoff: brief, backoff_max: brief, ..StreamConfig::default() };
    let mut stream = EventStream::new(market, t.deployment.block, config);
    for _ in 0..2 {
        let error = tokio::time::timeout(LIMIT, stream.next()).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("logs are not kept here") && !error.is_retryable(), "{error}");
    }
    let asked = node.asked();
    refusals.store(1, Ordering::SeqCst);
    let mut fold = Fold::default();
    let head = t.chain.head().await.unwrap();
    while fold.blocks.last().is_none_or(|tip| tip.hash != head.hash) {
        fold.apply(tokio::time::timeout(LIMIT, stream.next()).await.unwrap().unwrap());
    }
    assert!(node.asked() > asked);
    assert_eq!(fold.difference(&*replay(&t).await), None);
}

/// Old blocks are told as such, many at a time, with a limit, and their hashes and times are the chain's.
#[tokio::test]
async fn many_come_at_once_and_old_ones_are_marked() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    for _ in 0..40 {
        t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
        t.dev.mine(3).await.unwrap();
    }
    let (window, head) = (100, t.chain.head().await.unwrap());
    let config = StreamConfig { window, range: 7, ..StreamConfig::default() };
    let mut stream = EventStream::new(connect(&t).await, 0, config);
    let (mut fold, mut batches) = (Fold::default(), 0);
    while fold.blocks.last().is_none_or(|tip| tip.hash != head.hash) {
        let items = stream.next_many(5).await.unwrap();
        assert!((1..=5).contains(&items.len()), "{}", items.len());
        batches += 1;
        items.into_iter().for_each(|item| fold.apply(item));
    }
    assert!(batches < fold.blocks.len(), "{batches} batches");
    assert_eq!(fold.told(u64::MAX), replay(&t).await.told(u64::MAX));
    for block in &fold.blocks {
        let found = t.chain.block(block.number).await.unwrap().unwrap();
        assert_eq!((block.hash, block.timestamp), (found.hash, found.timestamp));
        assert_eq!(block.is_old, block.number + 100 <= head.number, "{}", block.number);
        assert!(block.parent.is_none_or(|parent| parent == found.parent));
        assert!(block.is_old || block.parent.is_some());
    }
}

/// Some nodes do not say in the log when it was.
#[tokio::test]
async fn times_that_the_log_does_not_tell_are_asked_for() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    t.renter.create_job(&t.terms(resource, PRICE)).await.unwrap();
    t.dev.mine(20).await.unwrap();
    let node = Node::with_answers(&t, |answer| answer.replace("\"blockTimestamp\"", "\"blockTimeless_\"")).await;
    let chain = Chain::connect(ChainConfig::new(node.rpc.parse().unwrap())).await.unwrap();
    let market = Market::open(chain, t.market.address()).await.unwrap();
    let config = StreamConfig { window: 4, ..StreamConfig::default() };
    let (fold, task) = follow(market.clone(), t.deployment.block, config);
    let told = caught_up(&t, &fold).await;
    task.abort();
    assert_eq!(told.told(u64::MAX), replay(&t).await.told(u64::MAX));
    let job = told.events().into_iter().find_map(MarketEvent::job).unwrap();
    let history = market.history(job, 0, None).await.unwrap();
    assert_eq!(history, t.market.history(job, 0, None).await.unwrap());
}
