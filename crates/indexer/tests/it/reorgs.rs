//! Reorganisations of every depth up to 256: in the end the index is what a clean replay of the final chain gives.

use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use chain::{BlockEvents, Item, Logged};
use indexer::Writer;
use market::Timestamp;
use store::{Indexed, Rewound, Store};
use testkit::{EMITTED_MARKET, Emitter, TestDatabase};

use crate::{
    index::{Database, Running, replayed},
    story::Story,
};

/// Histories told on SQLite. The first 256 have a reorganisation of each depth, the others of shallower ones, as in
/// life.
const SEEDS: u64 = 1000;
const DEPTH_MAX: u64 = 256;
const INDEXED: Indexed = Indexed { chain_id: 31337, market: EMITTED_MARKET, from: 1 };

/// A chain that a story makes, with the story as it was after each block.
struct Telling {
    chain: Vec<(BlockEvents, Story)>,
    story: Story,
    seed: u64,
    turns: u64,
    /// Blocks up to this one come as too old to be reorganised.
    old: u64,
}

impl Telling {
    fn new(seed: u64) -> Self {
        Self { chain: Vec::new(), story: Story::new(seed), seed, turns: 0, old: 0 }
    }

    fn height(&self) -> u64 {
        self.chain.len() as u64
    }

    /// The next block: none, one or a few transactions.
    fn mine(&mut self) -> BlockEvents {
        let number = self.height() + 1;
        let told: Vec<_> = (0..self.story.below(3)).flat_map(|_| self.story.goes_on()).collect();
        let logged =
            |(at, event)| Logged { log_index: at, tx: keccak256([number, at, self.turns].map(|n| n as u8)), event };
        let events: Vec<_> = (0..).zip(told).map(logged).collect();
        let parent = self.chain.last().map_or(B256::ZERO, |(block, _)| block.hash);
        let hash = keccak256([parent.as_slice(), &self.turns.to_be_bytes(), &self.seed.to_be_bytes()].concat());
        let block = BlockEvents {
            number,
            hash,
            parent: Some(parent),
            timestamp: Timestamp(1000 + number * 2),
            is_old: number <= self.old,
            events,
        };
        self.chain.push((block.clone(), self.story.clone()));
        block
    }

    /// The newest blocks never happened, and the story goes another way.
    fn reorganise(&mut self, depth: u64) -> u64 {
        let keep = self.height().saturating_sub(depth);
        self.chain.truncate(keep as usize);
        self.turns += 1;
        self.story = self.chain.last().map_or_else(|| Story::new(self.seed), |(_, story)| story.clone());
        self.story.turn(self.seed << 8 | self.turns);
        keep
    }
}

/// Writes items as a stream brings them, in batches, with restarts between.
struct Writing {
    store: Store,
    writer: Writer,
    batch: Vec<BlockEvents>,
}

impl Writing {
    async fn begin(store: &Store) -> Self {
        let writer = Writer::open(store.clone(), INDEXED).await.unwrap();
        Self { store: store.clone(), writer, batch: Vec::new() }
    }

    async fn take(&mut self, item: Item, flush: bool) -> Option<Rewound> {
        match item {
            Item::Block(block) => self.batch.push(block),
            Item::Rewind { to } => {
                self.flush().await;
                return Some(self.writer.rewind(to).await.unwrap());
            }
        }
        if flush {
            self.flush().await;
        }
        None
    }

    async fn flush(&mut self) {
        self.writer.write(&std::mem::take(&mut self.batch)).await.unwrap();
    }

    async fn restart(&mut self) {
        self.flush().await;
        self.writer = Writer::open(self.store.clone(), INDEXED).await.unwrap();
    }
}

/// The depths of the reorganisations of one history.
fn depths(seed: u64, story: &mut Story) -> Vec<u64> {
    let shallow = |story: &mut Story| {
        let size = story.below(8);
        1 + story.below(1 << size)
    };
    let first = if seed < DEPTH_MAX { seed + 1 } else { shallow(story) };
    let mut depths = vec![first];
    depths.extend((0..story.below(3)).map(|_| shallow(story)));
    depths
}

/// One history with its reorganisations into `store`, and the final chain into `clean`: the dumps of both.
async fn tell(seed: u64, store: &Store, clean: &Store) -> (String, String) {
    store.forget_index().await.unwrap();
    let mut telling = Telling::new(seed);
    let mut dice = Story::new(!seed);
    telling.old = dice.below(20);
    let mut writing = Writing::begin(store).await;
    let mut highest = 0;
    for depth in depths(seed, &mut dice) {
        let target = telling.height().max(depth) + dice.below(30) + 1;
        let often = 1 + dice.below(40);
        while telling.height() < target {
            let block = telling.mine();
            let flush = dice.below(often) == 0;
            writing.take(Item::Block(block), flush).await;
            if dice.below(200) == 0 {
                writing.restart().await;
            }
        }
        highest = highest.max(telling.height());
        let to = telling.reorganise(depth);
        match writing.take(Item::Rewind { to }, true).await {
            Some(Rewound::To(at)) => assert_eq!(at.number, to, "seed {seed}"),
            Some(Rewound::FromZero) => {
                let forgotten = highest.saturating_sub(store::RECENT_BLOCKS as u64);
                assert!(
                    to < forgotten.max(telling.old).max(1),
                    "seed {seed}: {depth} blocks can be taken back one by one"
                );
                highest = 0;
                telling.chain.clear();
                telling.story = Story::new(seed);
            }
            None => panic!("seed {seed}: a rewind was passed over"),
        }
    }
    for _ in 0..=dice.below(20) {
        let block = telling.mine();
        writing.take(Item::Block(block), dice.below(4) == 0).await;
    }
    writing.flush().await;
    (store.dump_index().await.unwrap(), replay(&telling, clean).await)
}

async fn replay(telling: &Telling, clean: &Store) -> String {
    clean.forget_index().await.unwrap();
    let mut writer = Writer::open(clean.clone(), INDEXED).await.unwrap();
    let blocks: Vec<_> = telling.chain.iter().map(|(block, _)| block.clone()).collect();
    writer.write(&blocks).await.unwrap();
    clean.dump_index().await.unwrap()
}

#[tokio::test]
async fn a_thousand_histories_end_as_if_nothing_had_been_taken_back() {
    let (one, two) = (Database::new().await, Database::new().await);
    for seed in 0..SEEDS {
        let (told, clean) = tell(seed, &one.store, &two.store).await;
        assert_eq!(told, clean, "seed {seed}");
    }
}

#[tokio::test]
async fn on_postgresql_they_end_so_too() {
    let Some(database) = TestDatabase::postgres() else { return };
    let (one, two) = (Database::open(database).await, Database::new().await);
    for seed in [0, 7, 100, 255].into_iter().chain(300..320) {
        let (told, clean) = tell(seed, &one.store, &two.store).await;
        assert_eq!(told, clean, "seed {seed}");
    }
}

/// Through the real stream: the node throws blocks away while they are indexed.
#[tokio::test]
async fn a_node_changes_its_mind() {
    let emitter = Emitter::start().await;
    let market = emitter.market().await;
    let database = Database::new().await;
    let index = Running::start(&market, &database.store, 1, "reorgs");
    let mut story = Story::new(testkit::seed());
    // The story as it was after each block.
    let mut told = BTreeMap::from([(0, story.clone())]);
    for (turn, depth) in [1_u64, 3, 30, 8, 100, 1, 255].into_iter().enumerate() {
        for _ in 0..depth.min(60) + 5 {
            emitter.log(&story.goes_on()).await;
            told.insert(market.chain().head().await.unwrap().number, story.clone());
        }
        emitter.dev.mine(depth.saturating_sub(60)).await.unwrap();
        let before = index.caught_up(&market).await;
        emitter.dev.reorg(depth).await.unwrap();
        let after = index.caught_up(&market).await;
        assert_eq!(after.rewinds, before.rewinds + 1, "depth {depth}");
        assert_eq!(database.store.dump_index().await.unwrap(), replayed(&market, 1).await, "depth {depth}");
        let keep = before.head.unwrap().number - depth;
        told.retain(|number, _| *number <= keep);
        story = told.last_key_value().unwrap().1.clone();
        story.turn(turn as u64);
    }
    index.stop().await.unwrap();
}

#[tokio::test]
async fn a_writer_holds_no_more_than_can_be_taken_back_and_writes_on_nothing_else() {
    let database = TestDatabase::sqlite();
    let store = Store::open(&store::StoreConfig::new(database.url())).await.unwrap();
    let mut telling = Telling::new(3);
    let mut writer = Writer::open(store.clone(), INDEXED).await.unwrap();
    for _ in 0..600 {
        let block = telling.mine();
        writer.write(&[block]).await.unwrap();
    }
    assert!(writer.cursor().recent.len() <= store::RECENT_BLOCKS, "{}", writer.cursor().recent.len());
    // Another process takes back what this one wrote.
    let mut late = Writer::open(store.clone(), INDEXED).await.unwrap();
    late.rewind(590).await.unwrap();
    let refused = writer.write(&[telling.mine()]).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
    assert_eq!(store.cursor().await.unwrap().unwrap().head().unwrap().number, 590);
}
