//! The one writer of this process: whatever came while it wrote is its next batch, so that one sync serves all.
//!
//! What it remembers of its own commits it does not read again: a batch that follows from that alone is written in one
//! step, if nobody else wrote meanwhile. Every doubt sends a posting the long way, with the ledger held and rows read.

use std::time::Duration;

use market::Timestamp;
use store::{LedgerKeys, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::book::{Book, Posted};
use super::memory::Memory;
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
    let mut writer = Writer { store, config, memory: Memory::default() };
    let mut batch = Vec::with_capacity(limit);
    while inbox.recv_many(&mut batch, limit).await > 0 {
        gather(&mut inbox, &mut batch, limit).await;
        if !writer.carry_out(std::mem::take(&mut batch)).await {
            return;
        }
    }
}

/// Those who were just answered are about to come again. While anybody comes, they are waited for: that takes
/// microseconds, and a sync for a few keeps all others waiting.
async fn gather(inbox: &mut mpsc::Receiver<Order>, batch: &mut Vec<Order>, limit: usize) {
    let mut had = 0;
    while had < batch.len() && batch.len() < limit {
        had = batch.len();
        tokio::task::yield_now().await;
        while batch.len() < limit {
            let Ok(order) = inbox.try_recv() else { break };
            batch.push(order);
        }
    }
}

fn answer(order: Order, answer: Result<Posted, PaymentsError>) {
    // Who no longer waits has his posting all the same.
    order.answer.send(answer).unwrap_or_default();
}

struct Writer {
    store: Store,
    config: LedgerConfig,
    memory: Memory,
}

impl Writer {
    /// Writes a batch and answers everybody; false where a test lets the writer die.
    async fn carry_out(&mut self, batch: Vec<Order>) -> bool {
        match self.quickly(batch).await {
            Ok(rest) => rest.is_empty() || self.carefully(rest).await,
            Err(_) => false,
        }
    }

    /// Writes what follows from memory and answers it; what is in doubt comes back. What failed may have been written:
    /// posted once more, it counts once.
    async fn quickly(&mut self, batch: Vec<Order>) -> Result<Vec<Order>, Failed> {
        let Some(view) = self.memory.take_for(batch.iter().map(|order| &order.posting)) else { return Ok(batch) };
        let (next, mut book) = (view.next, Book::new(view));
        let posted: Vec<_> = batch.iter().map(|order| book.post(&order.posting, order.at).ok()).collect();
        let (changes, view) = book.close();
        let mut touched = Vec::new();
        if let Some(changes) = changes {
            self.pass(Line::Read)?;
            match self.store.write_postings(next, &changes).await {
                Ok(true) => {}
                Ok(false) => return Ok(batch),
                Err(error) => {
                    tracing::debug!(%error, postings = batch.len(), "what is remembered may be old; reading it again");
                    return Ok(batch);
                }
            }
            self.pass(Line::Committed)?;
            touched.extend(changes.opened.iter().chain(&changes.holds).map(|row| row.job));
        }
        self.memory.keep(view, &touched);
        let mut rest = Vec::new();
        for (order, posted) in batch.into_iter().zip(posted) {
            match posted {
                Some(posted) => answer(order, Ok(posted)),
                // Only the database knows whether it is refused, or stands already.
                None => rest.push(order),
            }
        }
        Ok(rest)
    }

    async fn carefully(&mut self, batch: Vec<Order>) -> bool {
        let answers = match self.tried(&batch).await {
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
                    if !Box::pin(self.carefully(vec![order])).await {
                        return false;
                    }
                }
                return true;
            }
        };
        for (order, said) in batch.into_iter().zip(answers) {
            answer(order, said);
        }
        true
    }

    async fn tried(&mut self, batch: &[Order]) -> Result<Answers, Failed> {
        let mut tries = 1;
        loop {
            match self.post_all(batch).await {
                Err(Failed::Store(error)) if error.is_retryable() && tries < TRIES => {
                    tracing::debug!(%error, tries, "writing the ledger again");
                    tokio::time::sleep(PAUSE * (1 << tries)).await;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn post_all(&mut self, batch: &[Order]) -> Result<Answers, Failed> {
        let transaction = self.store.begin_postings().await?;
        self.pass(Line::Begun)?;
        let mut view = self.memory.begin(transaction.view().await?);
        let mut keys = LedgerKeys::default();
        for order in batch {
            keys.references.push(order.posting.reference());
            order.posting.keys(&mut keys);
        }
        let jobs = keys.jobs.clone();
        for _ in 0..2 {
            // First what the postings name, then the accounts that those rows name.
            let missing = self.memory.missing(&view, keys.clone());
            transaction.read(&missing, &mut view).await?;
            self.memory.has_read(&missing.accounts);
            keys = Book::accounts_of(&view, &keys);
        }
        self.pass(Line::Read)?;
        let mut book = Book::new(view);
        let post = |order: &Order| book.post(&order.posting, order.at).map_err(PaymentsError::from);
        let answers = batch.iter().map(post).collect();
        let (changes, view) = book.close();
        if let Some(changes) = changes {
            transaction.write(&changes).await?;
            self.pass(Line::Written)?;
            transaction.commit().await?;
            self.pass(Line::Committed)?;
        }
        self.memory.keep(view, &jobs);
        Ok(answers)
    }

    fn pass(&self, line: Line) -> Result<(), Failed> {
        if self.config.dies_at == Some(line) { Err(Failed::Died) } else { Ok(()) }
    }
}

type Answers = Vec<Result<Posted, PaymentsError>>;
