//! The one writer of this process: whatever came while it wrote is its next batch, so that one sync serves all.

use std::time::Duration;

use market::Timestamp;
use store::{LedgerKeys, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::book::{Book, Posted};
use super::posting::Posting;
use crate::PaymentsError;
use crate::config::{POSTINGS_MAX, TRIES, WAITING_MAX};

/// First pause before a batch is tried again; it doubles.
const PAUSE: Duration = Duration::from_millis(50);

/// The lines between two lasting steps of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// The ledger is held.
    Begun,
    /// The rows are read.
    Read,
    /// The changes are written and not committed.
    Written,
    /// They are committed, and nobody was told.
    Committed,
}

impl Line {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Begun, Self::Read, Self::Written, Self::Committed];
}

/// How the ledger is written.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// See [`POSTINGS_MAX`].
    pub postings_max: usize,
    /// For tests of crashes: on this line the writer ends as if the process had died there.
    pub dies_at: Option<Line>,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { postings_max: POSTINGS_MAX, dies_at: None }
    }
}

/// The ledger, as everybody in this process writes it. Clones share the writer, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Order {
    posting: Posting,
    at: Timestamp,
    answer: oneshot::Sender<Result<Posted, PaymentsError>>,
}

/// How a batch ended that was not written.
enum Failed {
    Store(StoreError),
    Died,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Ledger {
    /// Starts the writer.
    #[must_use]
    pub fn start(store: Store, config: LedgerConfig) -> Self {
        let (orders, inbox) = mpsc::channel(WAITING_MAX);
        tokio::spawn(write(store.clone(), config, inbox));
        Self { store, orders }
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Posts; when this returns, a power cut does not undo it. A posting whose reference stands already with the same
    /// words counts once. A caller who stops waiting does not take his posting back.
    pub async fn post(&self, posting: Posting, at: Timestamp) -> Result<Posted, PaymentsError> {
        let (answer, answered) = oneshot::channel();
        let order = Order { posting, at, answer };
        self.orders.send(order).await.map_err(|_| PaymentsError::Ended)?;
        answered.await.map_err(|_| PaymentsError::Ended)?
    }
}

async fn write(store: Store, config: LedgerConfig, mut inbox: mpsc::Receiver<Order>) {
    let limit = config.postings_max.clamp(1, POSTINGS_MAX);
    let mut batch = Vec::with_capacity(limit);
    while inbox.recv_many(&mut batch, limit).await > 0 {
        if !carry_out(&store, &config, std::mem::take(&mut batch)).await {
            return;
        }
    }
}

/// Writes a batch and answers everybody; false where a test lets the writer die.
async fn carry_out(store: &Store, config: &LedgerConfig, batch: Vec<Order>) -> bool {
    let answers = match tried(store, config, &batch).await {
        Ok(answers) => answers,
        Err(Failed::Died) => return false,
        Err(Failed::Store(error)) if error.is_retryable() => {
            tracing::warn!(%error, postings = batch.len(), "the ledger does not answer");
            let reason = error.to_string();
            let answer = |_: &Order| Err(PaymentsError::Unanswered { reason: reason.clone() });
            batch.iter().map(answer).collect()
        }
        Err(Failed::Store(error)) if batch.len() == 1 => {
            tracing::error!(%error, "the database refused a posting that the rules allowed");
            vec![Err(PaymentsError::Broken { reason: error.to_string() })]
        }
        Err(Failed::Store(error)) => {
            // One of them must not keep the others from being written.
            tracing::warn!(%error, postings = batch.len(), "writing the postings of a batch one by one");
            for order in batch {
                if !Box::pin(carry_out(store, config, vec![order])).await {
                    return false;
                }
            }
            return true;
        }
    };
    for (order, answer) in batch.into_iter().zip(answers) {
        // Who no longer waits has his posting all the same.
        order.answer.send(answer).unwrap_or_default();
    }
    true
}

type Answers = Vec<Result<Posted, PaymentsError>>;

async fn tried(store: &Store, config: &LedgerConfig, batch: &[Order]) -> Result<Answers, Failed> {
    let mut tries = 1;
    loop {
        match post_all(store, config, batch).await {
            Err(Failed::Store(error)) if error.is_retryable() && tries < TRIES => {
                tracing::debug!(%error, tries, "writing the ledger again");
                tokio::time::sleep(PAUSE * (1 << tries)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

async fn post_all(store: &Store, config: &LedgerConfig, batch: &[Order]) -> Result<Answers, Failed> {
    let pass = |line| if config.dies_at == Some(line) { Err(Failed::Died) } else { Ok(()) };
    let transaction = store.begin_postings().await?;
    pass(Line::Begun)?;
    let mut view = transaction.view().await?;
    let mut keys = LedgerKeys::default();
    for order in batch {
        order.posting.keys(&mut keys);
    }
    keys.accounts.sort_unstable();
    keys.accounts.dedup();
    transaction.read(&keys, &mut view).await?;
    let mut more = Book::accounts_of(&view);
    more.accounts.retain(|account| keys.accounts.binary_search(account).is_err());
    if !more.accounts.is_empty() {
        transaction.read(&more, &mut view).await?;
    }
    pass(Line::Read)?;
    let mut book = Book::new(view);
    let post = |order: &Order| book.post(&order.posting, order.at).map_err(PaymentsError::from);
    let answers = batch.iter().map(post).collect();
    if let Some(changes) = book.changes() {
        transaction.write(&changes).await?;
        pass(Line::Written)?;
        transaction.commit().await?;
        pass(Line::Committed)?;
    }
    Ok(answers)
}
