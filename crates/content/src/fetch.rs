//! Fetching a DAG from HTTP gateways that need not be trusted.
//!
//! Bulk comes as CARs, what is left over as single blocks. Every block is verified before it is stored;
//! a source that lies, stalls or lacks a block is left for the next. What is stored is never asked again,
//! so a fetch that was cut off continues.

mod source;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cid::Cid;
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use crate::block::{Block, DAG_PB, check_cid};
use crate::blocking;
use crate::config::FetchConfig;
use crate::dag::{Frontier, links};
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::sink::BATCH_BYTES;
pub use source::SourceCounters;
use source::{Failure, Source};

/// Single blocks asked for before looking again what is missing.
const ROUND_BLOCKS: usize = 64;
/// Blocks in a CAR that nobody asked for before its sender is left. Other orders than ours are legal.
const STRAY_BLOCKS_MAX: u64 = 64;
/// Times one source may fail within one fetch.
const FAILURES_MAX: u32 = 3;

/// How much one fetch may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Most bytes of the DAG, those already here included.
    pub bytes_max: u64,
    /// Most blocks of the DAG, those already here included.
    pub blocks_max: u64,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { bytes_max: 64 << 30, blocks_max: 10_000_000 }
    }
}

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blocks here, or sent.
    pub blocks: u64,
    /// Bytes here, or sent.
    pub bytes: u64,
    /// Bytes of the whole as its root claims; shared blocks are counted each time, so it may be too high.
    pub total_bytes: Option<u64>,
}

/// What a fetch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Blocks that came from a source.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
    /// Blocks of the DAG that were here before.
    pub blocks_before: u64,
}

/// Fetches from a list of gateways, the earlier the better; remembers which of them failed.
#[derive(Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    sources: Vec<Source>,
    config: FetchConfig,
}

/// Where a DAG stands in the store.
struct Plan {
    blocks: u64,
    bytes: u64,
    total_bytes: Option<u64>,
    missing: Vec<Cid>,
}

/// One fetch in progress.
struct Run<'a> {
    store: Arc<BlockStore>,
    limits: FetchLimits,
    progress: Option<&'a watch::Sender<Progress>>,
    done: Fetched,
    /// Blocks and bytes of the DAG that are here.
    here: Progress,
    last_block: Instant,
    /// Which source has said that it lacks what.
    lacking: HashSet<(usize, Cid)>,
    failures: Vec<u32>,
    /// Sources whose CARs broke off before their first block; they are asked for single blocks.
    singly: HashSet<usize>,
    last_failure: Option<Error>,
}

impl Fetcher {
    /// A fetcher for gateways at these base addresses.
    pub fn new(sources: Vec<Url>, config: FetchConfig) -> Result<Fetcher> {
        let client = reqwest::Client::builder()
            .connect_timeout(config.connect)
            // A gateway that sends us elsewhere could send us into our own network.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("bourse-content/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Unreachable { url: String::new(), reason: error.to_string() })?;
        Ok(Fetcher { client, sources: sources.into_iter().map(Source::new).collect(), config })
    }

    /// What each source has delivered so far.
    pub fn counters(&self) -> Vec<SourceCounters> {
        self.sources.iter().map(Source::counters).collect()
    }

    /// Brings everything under `root` into the store. Ends with [`Error::NotFound`] where every source
    /// lacks a block, and with the last failure where none could be used.
    pub async fn fetch(
        &self,
        store: &Arc<BlockStore>,
        root: &Cid,
        limits: FetchLimits,
        progress: Option<&watch::Sender<Progress>>,
    ) -> Result<Fetched> {
        check_cid(root)?;
        let _hold = store.hold();
        let mut run = Run {
            store: store.clone(),
            limits,
            progress,
            done: Fetched::default(),
            here: Progress::default(),
            last_block: Instant::now(),
            lacking: HashSet::new(),
            failures: vec![0; self.sources.len()],
            singly: HashSet::new(),
            last_failure: None,
        };
        loop {
            let (survey, cid) = (run.store.clone(), *root);
            let plan = blocking::run(move || survey_dag(&survey, &cid, limits)).await?;
            run.here = Progress { blocks: plan.blocks, bytes: plan.bytes, total_bytes: plan.total_bytes };
            if run.done.blocks == 0 {
                run.done.blocks_before = plan.blocks;
            }
            run.tell();
            let Some(first) = plan.missing.first() else { return Ok(run.done) };
            let Some(index) = self.choose(&run, first) else {
                return Err(run.last_failure.unwrap_or(Error::NotFound { cid: *first }));
            };
            if run.last_block.elapsed() >= self.config.give_up {
                return Err(run.last_failure.unwrap_or(Error::NotFound { cid: *first }));
            }
            let blocks_before = run.done.blocks;
            let result = self.round(&mut run, index, &plan.missing).await;
            if run.done.blocks > blocks_before {
                // A line that breaks again and again but brings something each time is still of use.
                run.failures[index] = 0;
            } else if matches!(result, Err(Failure::Broken(_))) {
                run.singly.insert(index);
            }
            if let Err(failure) = result {
                self.note(&mut run, index, failure)?;
            }
        }
    }

    /// The source to ask next: not banned, not known to lack `cid`, with the fewest failures.
    fn choose(&self, run: &Run<'_>, cid: &Cid) -> Option<usize> {
        let usable = |index: &usize| {
            run.failures[*index] < FAILURES_MAX
                && !run.lacking.contains(&(*index, *cid))
                && !self.sources[*index].is_banned()
        };
        (0..self.sources.len())
            .filter(usable)
            .min_by_key(|&index| (run.failures[index], self.sources[index].penalty(), index))
    }

    fn note(&self, run: &mut Run<'_>, index: usize, failure: Failure) -> Result<()> {
        let source = &self.sources[index];
        match failure {
            Failure::Lacks(cid) => {
                run.lacking.insert((index, cid));
            }
            Failure::Broken(error) => {
                tracing::debug!(source = %source.base(), %error, "a source failed");
                source.count_failure();
                run.failures[index] += 1;
                run.last_failure = Some(error);
            }
            Failure::Lied(error) => {
                tracing::warn!(source = %source.base(), %error, "a source sent something else than was asked for");
                source.ban();
                run.failures[index] = FAILURES_MAX;
                run.last_failure = Some(error);
            }
            Failure::Ours(error) => return Err(error),
        }
        Ok(())
    }

    /// Asks one source: for a CAR where what is missing has children, else for a number of single blocks.
    async fn round(&self, run: &mut Run<'_>, index: usize, missing: &[Cid]) -> Result<(), Failure> {
        let first = missing[0];
        let source = &self.sources[index];
        if first.codec() == DAG_PB && !source.is_block_only() && !run.singly.contains(&index) {
            return match self.car(run, source, &first).await {
                Err(Failure::Broken(Error::Server { status: 400 | 406, .. })) => {
                    source.set_block_only();
                    Ok(())
                }
                other => other,
            };
        }
        let wanted = missing.iter().filter(|cid| !run.lacking.contains(&(index, **cid))).take(ROUND_BLOCKS);
        let wanted: Vec<Cid> = wanted.copied().collect();
        let requests = wanted.into_iter().map(|cid| source.block(&self.client, cid, self.config.no_progress));
        let mut answers = futures_util::stream::iter(requests).buffer_unordered(self.config.parallel.max(1));
        let mut batch = Batch::default();
        let mut failed = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(block) => batch.add(run, source, block).await?,
                Err(Failure::Lacks(cid)) => {
                    run.lacking.insert((index, cid));
                }
                Err(failure) => {
                    failed = Some(failure);
                    break;
                }
            }
        }
        batch.flush(run).await?;
        failed.map_or(Ok(()), Err)
    }

    /// Takes a CAR of everything under `top`, and of it only what is linked from there.
    async fn car(&self, run: &mut Run<'_>, source: &Source, top: &Cid) -> Result<(), Failure> {
        let mut pieces = source.car(&self.client, top, self.config.no_progress).await?;
        let mut wanted = HashSet::from([*top]);
        let mut taken = HashSet::new();
        let mut stray = 0;
        let mut batch = Batch::default();
        let ended = loop {
            let block = match pieces.next().await {
                Ok(Some(block)) => block,
                Ok(None) => break Ok(()),
                Err(failure) => break Err(failure),
            };
            if !wanted.remove(block.cid()) {
                stray += u64::from(!taken.contains(block.cid()));
                if stray > STRAY_BLOCKS_MAX {
                    let reason = "it sends blocks that nobody asked for".to_owned();
                    break Err(Failure::Lied(Error::Unreachable { url: source.base().to_string(), reason }));
                }
                continue;
            }
            taken.insert(*block.cid());
            let children = links(block.cid(), block.data()).map_err(Failure::Ours)?;
            wanted.extend(children.into_iter().filter(|child| !taken.contains(child)));
            if (wanted.len() + taken.len()) as u64 > run.limits.blocks_max.saturating_mul(2) {
                return Err(Failure::Ours(Error::TooLarge {
                    what: "the number of blocks",
                    limit: run.limits.blocks_max,
                }));
            }
            batch.add(run, source, block).await?;
        };
        batch.flush(run).await?;
        if ended.is_ok() && taken.is_empty() {
            return Err(Failure::Lacks(*top));
        }
        ended
    }
}

/// Verified blocks on their way to the store.
#[derive(Default)]
struct Batch {
    blocks: Vec<Block>,
    bytes: usize,
}

impl Batch {
    async fn add(&mut self, run: &mut Run<'_>, source: &Source, block: Block) -> Result<(), Failure> {
        let bytes = block.data().len() as u64;
        run.last_block = Instant::now();
        if run.store.has(block.cid()) {
            return Ok(());
        }
        source.count_block(bytes);
        run.done.blocks += 1;
        run.done.bytes += bytes;
        run.here.blocks += 1;
        run.here.bytes += bytes;
        if run.here.bytes > run.limits.bytes_max {
            return Err(Failure::Ours(Error::TooLarge { what: "the content", limit: run.limits.bytes_max }));
        }
        run.tell();
        self.bytes += block.data().len();
        self.blocks.push(block);
        if self.bytes >= BATCH_BYTES { self.flush(run).await } else { Ok(()) }
    }

    async fn flush(&mut self, run: &mut Run<'_>) -> Result<(), Failure> {
        self.bytes = 0;
        run.store.put_async(std::mem::take(&mut self.blocks)).await.map(drop).map_err(Failure::Ours)
    }
}

impl Run<'_> {
    fn tell(&self) {
        if let Some(progress) = self.progress {
            progress.send_replace(self.here);
        }
    }
}

fn survey_dag(store: &BlockStore, root: &Cid, limits: FetchLimits) -> Result<Plan> {
    let mut plan = Plan { blocks: 0, bytes: 0, total_bytes: None, missing: Vec::new() };
    let mut frontier = Frontier::new(root);
    while let Some(cid) = frontier.next()? {
        let Some(length) = store.still_here(&cid) else {
            plan.missing.push(cid);
            continue;
        };
        plan.blocks += 1;
        plan.bytes += length;
        if cid.codec() == DAG_PB {
            let bytes = match store.require(&cid) {
                Err(Error::Corrupt { .. } | Error::NotFound { .. }) => {
                    plan.missing.push(cid);
                    continue;
                }
                other => other?,
            };
            if cid == *root {
                let below: u64 = crate::dagpb::Node::decode(&bytes)?
                    .links
                    .iter()
                    .fold(0, |sum, link| link.tsize.saturating_add(sum));
                plan.total_bytes = Some(below.saturating_add(length));
            }
            frontier.push(links(&cid, &bytes)?);
        } else if cid == *root {
            plan.total_bytes = Some(length);
        }
        if plan.blocks + plan.missing.len() as u64 > limits.blocks_max {
            return Err(Error::TooLarge { what: "the number of blocks", limit: limits.blocks_max });
        }
        if plan.bytes > limits.bytes_max {
            return Err(Error::TooLarge { what: "the content", limit: limits.bytes_max });
        }
    }
    Ok(plan)
}

/// What is left of `limit` at `deadline`; used to bound each wait for a source.
fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
