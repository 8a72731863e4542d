//! The loop: finds what is final, writes its document, commits it, and follows the commit until it is final too.
//!
//! It may be ended on any line. What it has to know is in the database before it acts on it, and every act can be done
//! twice without harm.

mod commit;
mod find;

use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::B256;
use chain::{Block, ChainError, Market, Recorder};
use content::BlockStore;
use store::Store;
use tokio_util::sync::CancellationToken;
use wire::receipt::ReceiptKind;

use self::find::Reached;
use crate::{OracleError, ReceiptsConfig, config::BACKOFF_MAX};

/// The lines between two lasting steps, in the order in which a receipt passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// The document is a block.
    Block,
    /// The block is pinned.
    Pin,
    /// The document is a row.
    Row,
    /// The commit is signed, and nobody knows.
    Signed,
    /// The signed bytes are in the row.
    Kept,
    /// The node has them.
    Sent,
    /// The row says in which block the commit is.
    Mined,
    /// The row says that it is final.
    Committed,
    /// The row says that the commit has to be sent again, or signed anew.
    Returned,
}

impl Line {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Block,
        Self::Pin,
        Self::Row,
        Self::Signed,
        Self::Kept,
        Self::Sent,
        Self::Mined,
        Self::Committed,
        Self::Returned,
    ];
}

/// Writes and commits receipts until `shutdown`. It can be ended, or killed, at any time.
///
/// The key of `recorder` must send nothing else. Another process on the same database waits until this one is gone.
pub async fn run(
    config: ReceiptsConfig,
    market: Market,
    recorder: Recorder,
    store: Store,
    blocks: Arc<BlockStore>,
    shutdown: CancellationToken,
) -> Result<(), OracleError> {
    let mut writer = Writer::new(config, market, recorder, store, blocks);
    let mut failures = Failures::default();
    loop {
        let looked = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            looked = writer.look() => looked,
        };
        let pause = match looked {
            Ok(()) => failures.over(&writer.config),
            Err(error @ OracleError::Died { .. }) => return Err(error),
            Err(error) => failures.another(&error, &writer.config),
        };
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Failures in a row, told once each.
#[derive(Default)]
struct Failures {
    count: u32,
    told: Option<Kind>,
}

/// What is told once: a chain that is away, then a key without gas, are two things.
type Kind = (Discriminant<OracleError>, Option<Discriminant<ChainError>>);

fn kind(error: &OracleError) -> Kind {
    let of_chain = match error {
        OracleError::Chain(error) => Some(discriminant(error)),
        _ => None,
    };
    (discriminant(error), of_chain)
}

impl Failures {
    fn over(&mut self, config: &ReceiptsConfig) -> Duration {
        if self.count > 0 {
            tracing::info!(failures = self.count, "receipts go on");
        }
        *self = Self::default();
        config.poll
    }

    fn another(&mut self, error: &OracleError, config: &ReceiptsConfig) -> Duration {
        let kind = kind(error);
        if self.told.replace(kind) == Some(kind) {
            tracing::debug!(%error, "receipts still wait");
        } else {
            tracing::warn!(%error, "receipts wait; nothing is lost");
        }
        self.count = self.count.saturating_add(1);
        config.poll.saturating_mul(1 << self.count.min(5)).min(BACKOFF_MAX)
    }
}

/// When bytes were handed in, since they are waited for.
#[derive(Clone, Copy)]
struct Handed {
    first: Instant,
    last: Instant,
}

/// What the loop holds between two looks. All of it can be lost.
struct Writer {
    config: ReceiptsConfig,
    market: Market,
    recorder: Recorder,
    store: Store,
    blocks: Arc<BlockStore>,
    /// Up to where the index was searched for jobs without a receipt.
    reached: [(ReceiptKind, Reached); 3],
    /// The final block up to which it was searched.
    searched: Option<u64>,
    /// When bytes were handed in by this process.
    sent: HashMap<B256, Handed>,
    /// Transactions of the recorder's key that are nobody's here were told of.
    strangers: bool,
}

impl Writer {
    fn new(config: ReceiptsConfig, market: Market, recorder: Recorder, store: Store, blocks: Arc<BlockStore>) -> Self {
        let reached = [ReceiptKind::JobSubmitted, ReceiptKind::JobCompleted, ReceiptKind::JobResolved]
            .map(|kind| (kind, Reached::default()));
        let (searched, sent) = (None, HashMap::new());
        Self { config, market, recorder, store, blocks, reached, searched, sent, strangers: false }
    }

    async fn look(&mut self) -> Result<(), OracleError> {
        if !self.store.receipts_lease(&self.config.holder, self.config.lease_s).await? {
            tracing::debug!("another process writes the receipts of this database");
            return Ok(());
        }
        let finalized: Block = self.market.chain().finalized().await?;
        // What waits for money or for the chain does not keep documents from being written.
        let written = self.find(&finalized).await;
        let followed = self.follow(finalized.number).await;
        written.and(followed)
    }

    /// Between two lasting steps.
    fn pass(&self, line: Line) -> Result<(), OracleError> {
        if self.config.dies_at == Some(line) { Err(OracleError::Died { line }) } else { Ok(()) }
    }
}
