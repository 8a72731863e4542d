//! The index made anew from the chain: for a program that learnt something, or rows that are in doubt.

use chain::Market;
use store::{BlockRef, Indexed, Store};
use tokio_util::sync::CancellationToken;

use crate::{IndexError, Indexer, IndexerConfig, lease::Lease};

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Blocks written.
    pub blocks: u64,
    /// Events written.
    pub events: u64,
    /// The newest block written.
    pub head: Option<BlockRef>,
    /// The height at which it is done: the chain's, as it began.
    pub target: u64,
}

/// Empties the index and fills it from the market's first block to the chain's newest; `told` hears of every
/// transaction. Refused while another process writes the index. What is not from the chain is left alone.
pub async fn rebuild(
    config: IndexerConfig,
    market: Market,
    store: Store,
    shutdown: CancellationToken,
    mut told: impl FnMut(Rebuilt),
) -> Result<Rebuilt, IndexError> {
    // The chain is asked first: an index is not thrown away that cannot be made again now.
    let target = market.chain().head().await?.number;
    // Another market's rows are not this one's to throw away.
    let indexed = Indexed { chain_id: market.chain().id(), market: market.address(), from: config.from };
    store.begin_index(indexed).await?;
    if !Lease::new(store.clone(), config.holder.clone(), config.lease).ask().await? {
        return Err(IndexError::Taken);
    }
    store.empty_index().await?;
    let indexer = Indexer::new(config, market, store);
    let mut progress = indexer.progress();
    let end = shutdown.child_token();
    let mut run = tokio::spawn(indexer.run(end.clone()));
    let mut rebuilt = Rebuilt { target, ..Rebuilt::default() };
    while rebuilt.head.is_none_or(|head| head.number < target) {
        tokio::select! {
            ended = &mut run => return Err(ended.map_or(IndexError::Stopped, |ended| ended.err().unwrap_or(IndexError::Stopped))),
            Ok(()) = progress.changed() => {
                let now = *progress.borrow_and_update();
                rebuilt = Rebuilt { blocks: now.blocks, events: now.events, head: now.head, target };
                told(rebuilt);
            }
        }
    }
    end.cancel();
    run.await.map_or(Err(IndexError::Stopped), |ended| ended.map(|()| rebuilt))
}
