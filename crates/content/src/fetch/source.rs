//! One gateway: how it is asked, and what is remembered of it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use cid::Cid;
use reqwest::{Client, Response, StatusCode};
use tokio::time::{Instant, timeout};
use url::Url;

use super::remaining;
use crate::block::{BLOCK_BYTES_MAX, Block};
use crate::car::CarDecoder;
use crate::error::Error;

/// How long a source that sent wrong bytes is not asked again.
const BAN: Duration = Duration::from_secs(600);
/// Most of a refusal that is read, for its reason.
const DETAIL_BYTES_MAX: usize = 512;

/// What a source has done so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCounters {
    /// Its base address.
    pub url: Url,
    /// Blocks that it delivered and that were new.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
    /// Times it broke off, stalled or could not be reached.
    pub failures: u32,
    /// Whether it sent wrong bytes and is left alone.
    pub banned: bool,
}

/// Why a source was no use, by what follows from it.
#[derive(Debug)]
pub(super) enum Failure {
    /// It does not have this.
    Lacks(Cid),
    /// It broke off or stalled; it may be tried again.
    Broken(Error),
    /// It sent what it should not; it is left.
    Lied(Error),
    /// The trouble is on this side; no other source helps.
    Ours(Error),
}

#[derive(Debug)]
pub(super) struct Source {
    base: Url,
    blocks: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU32,
    block_only: AtomicBool,
    banned: Mutex<Option<Instant>>,
}

impl Source {
    pub(super) fn new(base: Url) -> Self {
        Self {
            base,
            blocks: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            block_only: AtomicBool::new(false),
            banned: Mutex::new(None),
        }
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn counters(&self) -> SourceCounters {
        SourceCounters {
            url: self.base.clone(),
            blocks: self.blocks.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            banned: self.is_banned(),
        }
    }

    pub(super) fn count_block(&self, bytes: u64) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Failures of the past; those with fewer are asked first.
    pub(super) fn penalty(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn ban(&self) {
        *self.banned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn is_banned(&self) -> bool {
        self.banned.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| since.elapsed() < BAN)
    }

    /// Whether it has refused to send CARs.
    pub(super) fn is_block_only(&self) -> bool {
        self.block_only.load(Ordering::Relaxed)
    }

    pub(super) fn set_block_only(&self) {
        self.block_only.store(true, Ordering::Relaxed);
    }

    fn unreachable(&self, reason: impl Into<String>) -> Failure {
        Failure::Broken(Error::Unreachable { url: self.base.to_string(), reason: reason.into() })
    }

    async fn get(
        &self,
        client: &Client,
        cid: &Cid,
        query: &str,
        accept: &str,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let url = format!("{}/ipfs/{cid}?{query}", self.base.as_str().trim_end_matches('/'));
        let request = client.get(url).header(reqwest::header::ACCEPT, accept).send();
        let response = timeout(remaining(deadline), request).await;
        let response = response.map_err(|_| self.unreachable("it did not answer in time"))?;
        let response = response.map_err(|error| self.unreachable(error.without_url().to_string()))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::PRECONDITION_FAILED => Err(Failure::Lacks(*cid)),
            status => {
                let detail = timeout(remaining(deadline), first_bytes(response)).await.unwrap_or_default();
                Err(Failure::Broken(Error::Server { url: self.base.to_string(), status: status.as_u16(), detail }))
            }
        }
    }

    /// One block, whole within `patience`.
    pub(super) async fn block(&self, client: &Client, cid: Cid, patience: Duration) -> Result<Block, Failure> {
        let deadline = Instant::now() + patience;
        let mut response = self.get(client, &cid, "format=raw", "application/vnd.ipld.raw", deadline).await?;
        let mut data = BytesMut::new();
        loop {
            let piece = timeout(remaining(deadline), response.chunk()).await;
            let piece = piece.map_err(|_| self.unreachable("it stalled within a block"))?;
            match piece.map_err(|error| self.unreachable(error.without_url().to_string()))? {
                None => return Block::verified(cid, data.freeze()).map_err(Failure::Lied),
                Some(piece) => data.extend_from_slice(&piece),
            }
            if data.len() > BLOCK_BYTES_MAX {
                return Err(Failure::Lied(Error::TooLarge { what: "a block", limit: BLOCK_BYTES_MAX as u64 }));
            }
        }
    }

    /// A CAR of everything under `cid`, at least one block of it within each `patience`.
    pub(super) async fn car(&self, client: &Client, cid: &Cid, patience: Duration) -> Result<CarPieces<'_>, Failure> {
        let deadline = Instant::now() + patience;
        let accept = "application/vnd.ipld.car; version=1; order=dfs; dups=n";
        let response = self.get(client, cid, "format=car&dag-scope=all", accept, deadline).await?;
        Ok(CarPieces {
            source: self,
            response,
            decoder: CarDecoder::default(),
            ready: VecDeque::new(),
            patience,
            deadline,
        })
    }
}

async fn first_bytes(mut response: Response) -> String {
    let mut text = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        text.extend_from_slice(&piece);
        if text.len() >= DETAIL_BYTES_MAX {
            break;
        }
    }
    text.truncate(DETAIL_BYTES_MAX);
    String::from_utf8_lossy(&text).into_owned()
}

/// The verified blocks of a CAR as they come.
pub(super) struct CarPieces<'a> {
    source: &'a Source,
    response: Response,
    decoder: CarDecoder,
    ready: VecDeque<Block>,
    patience: Duration,
    deadline: Instant,
}

impl CarPieces<'_> {
    /// The next block; `None` at a proper end.
    pub(super) async fn next(&mut self) -> Result<Option<Block>, Failure> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                self.deadline = Instant::now() + self.patience;
                return Ok(Some(block));
            }
            let piece = timeout(remaining(self.deadline), self.response.chunk()).await;
            let piece = piece.map_err(|_| self.source.unreachable("it stalled within a CAR"))?;
            let piece = piece.map_err(|error| self.source.unreachable(error.without_url().to_string()))?;
            let Some(piece) = piece else {
                return match self.decoder.finish() {
                    Ok(()) => Ok(None),
                    Err(error) => Err(Failure::Broken(error)),
                };
            };
            self.decoder.push(&piece);
            loop {
                match self.decoder.next_block() {
                    Ok(Some(block)) => self.ready.push_back(block),
                    Ok(None) => break,
                    Err(error) => return Err(Failure::Lied(error)),
                }
            }
        }
    }
}
