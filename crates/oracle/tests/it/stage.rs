//! A market, a database that indexes it, a block store, and receipts that can be started and ended.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use chain::{Market, MarketEvent, Recorder, Register};
use content::BlockStore;
use market::{Amount, JobId, Outcome, PerHour, Seconds, Timestamp};
use oracle::{
    OracleError, ReceiptsConfig,
    receipts::{Committer, Dated, Line, envelope, run},
};
use store::{Batch, BlockChanges, BlockRef, Indexed, JobRow, ReceiptRow, ReceiptState, Row, Store, StoreConfig};
use testkit::{TestMarket, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::{
    Terms,
    receipt::{Receipt, ReceiptKind, Trust, TrustedMarket},
};

pub(crate) const PRICE: PerHour = PerHour(3_600_000);
/// A minute of looks at things that take milliseconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// The digest of every record here.
pub(crate) const RESULT: B256 = B256::repeat_byte(7);

pub(crate) struct Stage {
    pub(crate) t: TestMarket,
    pub(crate) store: Store,
    pub(crate) blocks: Arc<BlockStore>,
    pub(crate) config: ReceiptsConfig,
    pub(crate) jobs: Vec<Terms>,
    _dir: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let t = TestMarket::start().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreConfig::sqlite(&dir.path().join("index.sqlite")).unwrap()).await.unwrap();
        Self::on(t, store, dir).await
    }

    /// With its rows in PostgreSQL, where that is installed.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let database = testkit::TestDatabase::postgres()?;
        let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
        Some(Self::on(TestMarket::start().await.unwrap(), store, tempfile::tempdir().unwrap()).await)
    }

    pub(crate) async fn on(t: TestMarket, store: Store, dir: tempfile::TempDir) -> Self {
        let from = t.deployment.block;
        let blocks = BlockStore::open(dir.path().join("blocks"), content::StoreConfig::default()).unwrap();
        let poll = Duration::from_millis(10);
        let config = ReceiptsConfig { poll, resend_after: 5 * poll, ..ReceiptsConfig::new(from, "test") };
        let stage = Self { t, store, blocks: Arc::new(blocks), config, jobs: Vec::new(), _dir: dir };
        stage.begin_index().await;
        stage
    }

    pub(crate) async fn begin_index(&self) {
        let (chain_id, market, from) = (self.t.chain.id(), self.t.market.address(), self.t.deployment.block);
        self.store.begin_index(Indexed { chain_id, market, from }).await.unwrap();
    }

    /// A job that was ordered and nothing else.
    pub(crate) async fn order(&mut self) -> Terms {
        let resource = self.t.list(PRICE).await.unwrap();
        let terms = self.t.terms(resource, PRICE);
        self.t.renter.create_job(&terms).await.unwrap();
        self.jobs.push(terms.clone());
        terms
    }

    /// A job whose clock runs.
    pub(crate) async fn start(&mut self) -> Terms {
        let terms = self.order().await;
        self.begin(&terms).await;
        terms
    }

    /// The same with an hour of stake behind it: what is earned can be paid at once.
    pub(crate) async fn start_covered(&mut self) -> Terms {
        let resource = self.t.list(PRICE).await.unwrap();
        self.t.stake(resource, Amount(PRICE.0)).await.unwrap();
        let terms = self.t.terms(resource, PRICE);
        self.t.renter.create_job(&terms).await.unwrap();
        self.jobs.push(terms.clone());
        self.begin(&terms).await;
        terms
    }

    pub(crate) async fn begin(&self, terms: &Terms) {
        let record = B256::repeat_byte(9);
        let (at, signature) = self.t.ready(terms, record).await.unwrap();
        self.t.agent.start_job(terms, record, at, &signature).await.unwrap();
    }

    /// A job that ran for a while and ended well.
    pub(crate) async fn job(&mut self) -> Terms {
        let terms = self.start().await;
        self.t.advance(Seconds(100)).await.unwrap();
        self.t.agent.complete_job(&terms, Outcome::Succeeded, RESULT).await.unwrap();
        terms
    }

    pub(crate) fn id(&self, terms: &Terms) -> JobId {
        self.t.market.job_id(terms)
    }

    pub(crate) async fn history(&self, terms: &Terms) -> Vec<Dated> {
        history(&self.t.market, self.id(terms)).await
    }

    /// Writes into the index what an indexer would have by now, and makes it final.
    pub(crate) async fn index(&self) {
        self.index_only().await;
        self.finalize().await;
    }

    pub(crate) async fn index_only(&self) {
        // A block of its own, so that it follows the one indexed before.
        self.t.dev.mine(1).await.unwrap();
        self.index_without_mining().await;
    }

    pub(crate) async fn index_without_mining(&self) {
        let mut rows = Vec::new();
        for terms in &self.jobs {
            rows.extend(self.row(terms).await.map(Row::Job));
        }
        let head = self.t.chain.head().await.unwrap();
        let block = BlockRef { number: head.number, hash: head.hash, at: head.timestamp };
        let changes = BlockChanges { block, undoable: true, events: Vec::new(), rows };
        self.store.commit(&Batch { blocks: vec![changes] }).await.unwrap();
    }

    /// Mines until everything that was mined so far is final.
    pub(crate) async fn finalize(&self) {
        let head = self.t.chain.head().await.unwrap().number;
        while self.t.chain.finalized().await.unwrap().number < head {
            self.t.dev.mine(1).await.unwrap();
        }
    }

    async fn row(&self, terms: &Terms) -> Option<JobRow> {
        let id = self.id(terms);
        let state = self.t.market.job(id).await.unwrap();
        let history = self.history(terms).await;
        let (created, last) = (history.first()?, history.last()?);
        Some(JobRow {
            id,
            terms: terms.clone(),
            provider: self.t.market.provider_of(self.t.owner.address()).await.unwrap()?,
            fee_bps: state.fee,
            status: state.status,
            outcome: state.outcome,
            since: state.since,
            created: (created.block, created.log_index),
            created_at: created.at,
            accepted_at: None,
            started_at: None,
            ended_at: None,
            ready_record: None,
            locked: terms.stream(state.extra, state.fee).locked(),
            extra: state.extra,
            paused: state.paused,
            cover: state.cover,
            paid_seconds: state.paid,
            paid: market::Amount::ZERO,
            seconds_run: None,
            refunded: market::Amount::ZERO,
            fee: None,
            result_digest: None,
            ended_by: None,
            reason: None,
            changed: last.block,
        })
    }

    pub(crate) fn recorder(&self) -> Recorder {
        Recorder::new(self.t.register.clone(), self.t.recorder.clone())
    }

    pub(crate) fn committer(&self) -> Committer {
        Committer {
            chain_id: self.t.chain.id(),
            register: self.t.register.address(),
            recorder: self.t.recorder.address(),
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust {
            markets: vec![TrustedMarket {
                chain_id: self.t.chain.id(),
                market: self.t.market.address(),
                register: self.t.register.address(),
            }],
            recorders: vec![self.t.recorder.address()],
        }
    }

    /// Receipts, running.
    pub(crate) fn receipts(&self) -> Running {
        self.receipts_that(self.config.clone())
    }

    pub(crate) fn receipts_that(&self, config: ReceiptsConfig) -> Running {
        let shutdown = CancellationToken::new();
        let (market, store, blocks) = (self.t.market.clone(), self.store.clone(), self.blocks.clone());
        let task = tokio::spawn(run(config, market, self.recorder(), store, blocks, shutdown.clone()));
        Running { task, shutdown }
    }

    /// Receipts that die on this line.
    pub(crate) fn receipts_until(&self, line: Line) -> Running {
        self.receipts_that(ReceiptsConfig { dies_at: Some(line), ..self.config.clone() })
    }

    /// All receipts of the jobs, once `count` of them are committed for good. Blocks are mined meanwhile, or nothing
    /// would become final.
    pub(crate) async fn committed(&self, count: usize) -> Vec<ReceiptRow> {
        eventually(LIMIT, async || {
            self.t.dev.mine(1).await.unwrap();
            let rows = self.rows().await;
            let done = rows.iter().filter(|row| matches!(row.state, ReceiptState::Committed { .. })).count();
            (done == count && rows.len() == count).then_some(rows)
        })
        .await
    }

    pub(crate) async fn rows(&self) -> Vec<ReceiptRow> {
        let mut rows = Vec::new();
        for terms in &self.jobs {
            rows.extend(self.store.receipts_of(self.id(terms)).await.unwrap());
        }
        rows
    }

    pub(crate) async fn one(&self, terms: &Terms, kind: ReceiptKind) -> ReceiptRow {
        let row = async || self.store.receipt(self.id(terms), kind).await.unwrap();
        eventually(LIMIT, row).await
    }

    /// Commits on the canonical chain, of one receipt, by anybody.
    pub(crate) async fn commits(&self, row: &ReceiptRow) -> usize {
        self.t.register.commits(&row.nid, None, 0, None).await.unwrap().len()
    }

    pub(crate) async fn assert_each_once(&self, rows: &[ReceiptRow]) {
        for row in rows {
            assert_eq!(self.commits(row).await, 1, "{} {}", row.idempotency_key, row.nid);
        }
    }

    /// The committed receipt of a job's end, in its envelope.
    pub(crate) async fn receipt(&mut self) -> (Terms, Receipt) {
        let terms = self.job().await;
        self.index().await;
        let running = self.receipts();
        self.committed(2 * self.jobs.len()).await;
        running.end().await;
        let row = self.one(&terms, ReceiptKind::JobCompleted).await;
        (terms, envelope(&row, &self.committer(), None, None).unwrap())
    }
}

/// A loop in the background.
pub(crate) struct Running {
    pub(crate) task: JoinHandle<Result<(), OracleError>>,
    shutdown: CancellationToken,
}

impl Running {
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it in the middle of whatever it does then.
    pub(crate) async fn killed_after(mut self, moment: Duration) {
        if tokio::time::timeout(moment, &mut self.task).await.is_err() {
            self.task.abort();
            assert!(self.task.await.unwrap_err().is_cancelled());
        }
    }

    /// Waits until it died where it should.
    pub(crate) async fn died(self, line: Line) {
        let ended = tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap();
        assert!(matches!(ended, Err(OracleError::Died { line: at }) if at == line), "{line:?}: {ended:?}");
    }
}

pub(crate) async fn history(market: &Market, job: JobId) -> Vec<Dated> {
    market.history(job, 0, None).await.unwrap().into_iter().map(Dated::from).collect()
}

/// Puts a commit of `data` on chain and returns its transaction and block.
pub(crate) async fn commit(register: &Register, wallet: &chain::Wallet, nid: &str, data: &str) -> (B256, u64) {
    let recorder = Recorder::new(register.clone(), wallet.clone());
    let nonce = recorder.nonce(chain::NonceAt::Pending).await.unwrap();
    let signed = recorder.prepare(nid, data, nonce).await.unwrap();
    recorder.send(&signed.raw).await.unwrap();
    let receipt = async || recorder.receipt(signed.tx).await.unwrap();
    (signed.tx, eventually(LIMIT, receipt).await.block)
}

/// An event of a made-up history.
pub(crate) fn dated(block: u64, log_index: u64, at: u64, event: MarketEvent) -> Dated {
    Dated { block, at: Timestamp(at), log_index, event }
}
