//! Taking blocks back restores exactly what was.

use store::{BlockChanges, RECENT_BLOCKS, Rewound, Store};
use testkit::TestDatabase;

use crate::fixture::{Chance, batch, begun, block, chance, with_rows};

on_both_engines! {
    every_depth_restores_what_was
    chance_rewinds_and_goes_on
    what_cannot_be_undone_is_emptied
    heights_between_blocks_are_heights_too
}

/// The text of the index after each of the blocks, from a database that got them one by one.
async fn texts(blocks: &[BlockChanges]) -> Vec<String> {
    let database = TestDatabase::sqlite();
    let store = begun(&database).await;
    let mut texts = Vec::new();
    for changes in blocks {
        store.commit(&batch(std::slice::from_ref(changes))).await.unwrap();
        texts.push(store.dump_index().await.unwrap());
    }
    texts
}

/// In batches of any size.
async fn commit_by_chance(store: &Store, blocks: &[BlockChanges], chance: &mut Chance) {
    let mut rest = blocks;
    while !rest.is_empty() {
        let size = (chance.below(40) as usize + 1).min(rest.len());
        store.commit(&batch(&rest[..size])).await.unwrap();
        rest = &rest[size..];
    }
}

async fn every_depth_restores_what_was(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(11);
    let blocks: Vec<_> = (1..=300).map(|number| chance.block(number, true)).collect();
    let texts = texts(&blocks).await;
    commit_by_chance(&store, &blocks, &mut chance).await;
    assert_eq!(store.dump_index().await.unwrap(), texts[299]);

    // One leap to the oldest that is remembered, and back up.
    let oldest = 300 - RECENT_BLOCKS as u64;
    assert_eq!(store.rewind(oldest).await.unwrap(), Rewound::To(block(oldest)));
    assert_eq!(store.dump_index().await.unwrap(), texts[oldest as usize - 1]);
    commit_by_chance(&store, &blocks[oldest as usize..], &mut chance).await;
    // Step by step.
    for to in (oldest..300).rev() {
        assert_eq!(store.rewind(to).await.unwrap(), Rewound::To(block(to)), "to {to}");
        assert_eq!(store.dump_index().await.unwrap(), texts[to as usize - 1], "to {to}");
    }
    let cursor = store.cursor().await.unwrap().unwrap();
    assert_eq!((cursor.head(), cursor.rewinds), (Some(block(oldest)), RECENT_BLOCKS as u64 + 1));
    // One deeper is not known any more.
    assert_eq!(store.rewind(oldest - 1).await.unwrap(), Rewound::FromZero);
    assert_eq!(store.dump_index().await.unwrap(), "");
    commit_by_chance(&store, &blocks, &mut chance).await;
    assert_eq!(store.dump_index().await.unwrap(), texts[299], "and can be read again");
}

/// A chain that reorganises again and again: other blocks at the same heights each time.
async fn chance_rewinds_and_goes_on(database: &TestDatabase) {
    for case in 0..4 {
        let store = begun(database).await;
        let mut chance = chance(100 + case);
        let mut blocks: Vec<BlockChanges> = Vec::new();
        for _ in 0..6 {
            let from = blocks.len() as u64 + 1;
            let fresh: Vec<_> = (from..from + 1 + chance.below(30)).map(|number| chance.block(number, true)).collect();
            commit_by_chance(&store, &fresh, &mut chance).await;
            blocks.extend(fresh);
            let to = blocks.len() as u64 - chance.below(blocks.len() as u64);
            assert_eq!(store.rewind(to).await.unwrap(), Rewound::To(block(to)));
            blocks.truncate(to as usize);
        }
        let expected = texts(&blocks).await.pop().unwrap();
        assert_eq!(store.dump_index().await.unwrap(), expected, "case {case}");
        store.forget_index().await.unwrap();
    }
}

async fn what_cannot_be_undone_is_emptied(database: &TestDatabase) {
    let store = begun(database).await;
    assert_eq!(store.rewind(7).await.unwrap(), Rewound::FromZero, "nothing is there");
    let mut chance = chance(12);
    // The first half came in bulk.
    let blocks: Vec<_> = (1..=40).map(|number| chance.block(number, number > 20)).collect();
    let texts = texts(&blocks).await;
    commit_by_chance(&store, &blocks, &mut chance).await;
    assert_eq!(store.rewind(40).await.unwrap(), Rewound::To(block(40)), "nothing is above");
    assert_eq!(store.cursor().await.unwrap().unwrap().rewinds, 0);
    assert_eq!(store.rewind(20).await.unwrap(), Rewound::To(block(20)));
    assert_eq!(store.dump_index().await.unwrap(), texts[19]);
    assert_eq!(store.rewind(19).await.unwrap(), Rewound::FromZero);
    let cursor = store.cursor().await.unwrap().unwrap();
    assert_eq!((cursor.head(), cursor.rewinds, store.dump_index().await.unwrap().as_str()), (None, 2, ""));
    // All of the second chain can be taken back.
    let young: Vec<_> = (1..=5).map(|number| chance.block(number, true)).collect();
    commit_by_chance(&store, &young, &mut chance).await;
    assert_eq!(store.rewind(1).await.unwrap(), Rewound::To(block(1)));
    assert_eq!(store.rewind(0).await.unwrap(), Rewound::FromZero);
}

/// Blocks without events may be left out; a height between two is the state after the lower.
async fn heights_between_blocks_are_heights_too(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(13);
    let mut at = |number| with_rows(number, vec![store::Row::Job(chance.job(1, (number, 0), number))]);
    let (first, second) = (at(10), at(20));
    store.commit(&batch(&[first])).await.unwrap();
    let text = store.dump_index().await.unwrap();
    store.commit(&batch(std::slice::from_ref(&second))).await.unwrap();
    assert_eq!(store.rewind(15).await.unwrap(), Rewound::To(block(10)));
    assert_eq!(store.dump_index().await.unwrap(), text);
    store.commit(&batch(&[second])).await.unwrap();
}
