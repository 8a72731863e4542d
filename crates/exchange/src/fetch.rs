//! Fetching a DAG from peers: the loop around a [`Session`], which only carries out its steps.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use content::{Block, BlockStore, Cid, DAG_PB, FetchLimits, Fetched};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bitswap::{Failure, Patience, Session, SessionId, Step, digest_of};
use crate::config;
use crate::error::{Error, Result};
use crate::node::{Command, Handle, News};

/// Blocks are written together once they come to this: each batch is synced once.
const BATCH_BYTES: usize = 8 << 20;
/// More is not asked for while so much waits for the disk.
const UNWRITTEN_MAX: usize = 32 << 20;
/// Times that a source which hangs up is dialled again.
const REDIALS_MAX: u32 = 2;

/// Blocks on their way to the store.
#[derive(Default)]
struct Batch {
    blocks: Vec<Block>,
    bytes: usize,
    /// Those of them that lead to others.
    nodes: Vec<Cid>,
}

/// The way to a node's loop, for one fetch.
struct Link {
    handle: Handle,
    id: SessionId,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.handle.command(Command::Close(self.id));
    }
}

/// One fetch in progress.
pub(crate) struct Fetch {
    link: Link,
    news: mpsc::UnboundedReceiver<News>,
    store: Arc<BlockStore>,
    limits: FetchLimits,
    give_up: Duration,
    session: Session,
    batch: Batch,
    writing: Option<JoinHandle<content::Result<Vec<Cid>>>>,
    dials: FuturesUnordered<BoxFuture<'static, Dialled>>,
    /// Peers that were named, and how often each was dialled again; empty where anybody may be asked.
    sources: HashMap<PeerId, (Multiaddr, u32)>,
    anybody: bool,
    /// Whether the routing table may still know somebody.
    seeking: bool,
    done: Fetched,
    /// Blocks wanted so far, and those that were here.
    blocks: u64,
}

type Dialled = (Multiaddr, Result<PeerId>);

/// Brings everything under `root` into the store.
pub(crate) async fn fetch(
    handle: Handle,
    store: Arc<BlockStore>,
    root: Cid,
    sources: &[Multiaddr],
    (patience, limits): (config::Patience, FetchLimits),
) -> Result<Fetched> {
    content::check_cid(&root)?;
    let missing = missing(store.clone(), vec![root]).await?;
    if missing.is_empty() {
        let before = size(store, root).await?;
        return Ok(Fetched { blocks_before: before, ..Fetched::default() });
    }
    let (sender, news) = mpsc::unbounded_channel();
    let link = Link { id: handle.next_session(), handle };
    link.handle.command(Command::Open(link.id, sender));
    let anybody = sources.is_empty();
    if anybody {
        link.handle.command(Command::Seek(link.id, root));
    }
    let give_up = patience.give_up;
    let patience =
        Patience { block: patience.block, give_up, misses_max: patience.misses_max, window_max: patience.window_max };
    let mut fetch = Fetch {
        link,
        news,
        store: store.clone(),
        limits,
        give_up,
        session: Session::new(patience, Instant::now()),
        batch: Batch::default(),
        writing: None,
        dials: FuturesUnordered::new(),
        sources: HashMap::new(),
        anybody,
        seeking: anybody,
        done: Fetched::default(),
        blocks: 0,
    };
    fetch.want(missing)?;
    sources.iter().for_each(|source| fetch.dial(source.clone()));
    let ended = fetch.run().await;
    // What has come is kept either way: the next attempt goes on from there.
    fetch.settle().await?;
    ended?;
    let blocks = size(store, root).await?;
    Ok(Fetched { blocks_before: blocks.saturating_sub(fetch.done.blocks), ..fetch.done })
}

impl Fetch {
    async fn run(&mut self) -> Result<()> {
        loop {
            self.write();
            let until = self.step()?;
            if self.session.is_satisfied() && self.writing.is_none() && self.batch.blocks.is_empty() {
                return Ok(());
            }
            tokio::select! {
                news = self.news.recv() => self.hear(news.ok_or(Error::Stopped)?)?,
                Some((address, dialled)) = self.dials.next() => self.dialled(address, dialled),
                written = join(&mut self.writing) => {
                    let children = written?;
                    self.want(children)?;
                }
                () = tokio::time::sleep_until(until.into()) => {}
            }
        }
    }

    /// Carries out what the session says, and gives the time at which it wants to be asked again.
    fn step(&mut self) -> Result<Instant> {
        if self.batch.bytes > UNWRITTEN_MAX {
            return Ok(Instant::now() + self.give_up);
        }
        self.session.seek(self.seeking || !self.dials.is_empty());
        loop {
            match self.session.next(Instant::now()) {
                Step::Ask(peer, cids) => self.link.handle.command(Command::Ask(self.link.id, peer, cids)),
                Step::Cancel(peer, cids) => self.link.handle.command(Command::Cancel(self.link.id, peer, cids)),
                Step::Wait(until) => return Ok(until),
                Step::Fail(Failure::Lacking(cid)) => return Err(Error::NotFound { cid }),
                Step::Fail(Failure::Nobody(cid)) => return Err(Error::NoPeers { cid }),
                Step::Fail(Failure::Silence(cid)) => return Err(Error::Silence { cid, waited: self.give_up }),
            }
        }
    }

    fn hear(&mut self, news: News) -> Result<()> {
        let now = Instant::now();
        match news {
            News::Joined(peer) if self.anybody || self.sources.contains_key(&peer) => self.session.joined(peer, now),
            News::Joined(_) => {}
            News::Left(peer) => {
                self.session.left(&peer);
                if let Some((address, redials)) = self.sources.get_mut(&peer)
                    && *redials < REDIALS_MAX
                {
                    *redials += 1;
                    let address = address.clone();
                    self.dial(address);
                }
            }
            News::Presence(peer, cid, is_here) => self.session.presence(&peer, &cid, is_here, now),
            News::Block(peer, block) => self.take(&peer, block, now)?,
            News::Sought => self.seeking = false,
        }
        Ok(())
    }

    fn take(&mut self, peer: &PeerId, block: Block, now: Instant) -> Result<()> {
        let digest = digest_of(block.cid());
        let Some(cid) = digest.and_then(|digest| self.session.arrived(peer, &digest, now)) else { return Ok(()) };
        self.done.blocks += 1;
        self.done.bytes += block.data().len() as u64;
        if self.done.bytes > self.limits.bytes_max {
            return Err(Error::TooLarge { what: "the content", limit: self.limits.bytes_max });
        }
        if cid.codec() == DAG_PB {
            self.batch.nodes.push(cid);
        }
        self.batch.bytes += block.data().len();
        self.batch.blocks.push(block);
        Ok(())
    }

    fn want(&mut self, cids: Vec<Cid>) -> Result<()> {
        self.blocks += cids.len() as u64;
        if self.blocks > self.limits.blocks_max {
            return Err(Error::TooLarge { what: "the number of blocks", limit: self.limits.blocks_max });
        }
        self.session.want(cids);
        Ok(())
    }

    fn dial(&mut self, address: Multiaddr) {
        let handle = self.link.handle.clone();
        self.dials.push(Box::pin(async move {
            let dialled = handle.connect(address.clone()).await;
            (address, dialled)
        }));
    }

    fn dialled(&mut self, address: Multiaddr, dialled: Result<PeerId>) {
        match dialled {
            Ok(peer) => {
                let named = address.iter().any(|part| matches!(part, Protocol::P2p(_)));
                let address = if named { address } else { address.with(Protocol::P2p(peer)) };
                self.sources.entry(peer).or_insert((address, 0));
                self.session.joined(peer, Instant::now());
            }
            Err(error) => tracing::debug!(%address, %error, "a source could not be reached"),
        }
    }

    /// Begins to write what has come, once that is enough, or leads on, or is the last.
    fn write(&mut self) {
        let is_due = self.batch.bytes >= BATCH_BYTES || !self.batch.nodes.is_empty() || self.session.is_satisfied();
        if self.writing.is_some() || self.batch.blocks.is_empty() || !is_due {
            return;
        }
        let (batch, store) = (std::mem::take(&mut self.batch), self.store.clone());
        self.writing = Some(tokio::task::spawn_blocking(move || store_batch(&store, &batch)));
    }

    /// Writes what is left.
    async fn settle(&mut self) -> Result<()> {
        if self.writing.is_some() {
            join(&mut self.writing).await?;
        }
        self.store.put_async(std::mem::take(&mut self.batch.blocks)).await?;
        Ok(())
    }
}

/// Writes a batch and says what its nodes lead to that is not here.
fn store_batch(store: &BlockStore, batch: &Batch) -> content::Result<Vec<Cid>> {
    store.put_many(&batch.blocks)?;
    let mut children = Vec::new();
    for node in &batch.nodes {
        children.extend(content::missing(store, node, usize::MAX)?);
    }
    Ok(children)
}

/// What the writer found; waits for ever while nothing is being written.
async fn join(writing: &mut Option<JoinHandle<content::Result<Vec<Cid>>>>) -> Result<Vec<Cid>> {
    let Some(work) = writing.as_mut() else { return std::future::pending().await };
    let ended = work.await;
    *writing = None;
    Ok(ended.unwrap_or(Err(content::Error::Interrupted))?)
}

async fn missing(store: Arc<BlockStore>, roots: Vec<Cid>) -> Result<Vec<Cid>> {
    blocking(move || {
        let mut missing = Vec::new();
        for root in &roots {
            missing.extend(content::missing(&store, root, usize::MAX)?);
        }
        Ok(missing)
    })
    .await
}

/// Blocks under a root; fails where one of them is not here.
async fn size(store: Arc<BlockStore>, root: Cid) -> Result<u64> {
    blocking(move || Ok(content::total_size(&store, &root)?.blocks)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Content(content::Error::Interrupted)))
}
