//! Sending a DAG to a server that takes uploads: only what it lacks, in pieces, and again where it broke off.

use std::sync::Arc;
use std::time::Duration;

use cid::Cid;
use futures_util::StreamExt;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use tokio::sync::watch;
use url::Url;

use crate::block::parse_cid;
use crate::blocking;
use crate::car::{header, section_head};
use crate::dag::blocks_of;
use crate::error::{Error, Result};
use crate::fetch::Progress;
use crate::store::BlockStore;
use crate::upload::{MISSING_PATH, Missing, Question, Received, UPLOAD_PATH};

/// CIDs in one question; servers take at least as many.
const QUESTION_CIDS: usize = 10_000;
/// Bytes of blocks in one CAR: what is sent again at most when the line breaks.
const CAR_BYTES: u64 = 64 << 20;
/// Times that one request is tried.
const TRIES: u32 = 3;
/// What a server answers that is told of the end and lacks a block: 409.
const INCOMPLETE: u16 = 409;
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 2 << 20;
/// How long a server may take to answer one request: a CAR over a slow line, or the check of a large DAG.
const REQUEST_TIME: Duration = Duration::from_secs(1800);
/// Time to reach the server.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blocks sent.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
    /// Blocks that the server had already.
    pub blocks_before: u64,
}

struct Push<'a> {
    client: Client,
    store: &'a Arc<BlockStore>,
    root: Cid,
    base: String,
    pass: Pass<'a>,
    progress: Option<watch::Sender<Progress>>,
}

/// Makes the headers of one request, such as a signature of this moment: a long push outlives any that was made
/// when it began.
pub type Pass<'a> = &'a (dyn Fn() -> HeaderMap + Send + Sync);

/// Sends everything under `root` to `base_url` and has it pinned there. Every request carries the headers that
/// `pass` makes for it.
/// Called again after a failure, it sends only the rest.
pub async fn push(
    store: &Arc<BlockStore>,
    root: &Cid,
    base_url: &Url,
    pass: Pass<'_>,
    progress: Option<watch::Sender<Progress>>,
) -> Result<Pushed> {
    let client = Client::builder()
        .connect_timeout(CONNECT_TIME)
        .timeout(REQUEST_TIME)
        .redirect(reqwest::redirect::Policy::none());
    let base = base_url.as_str().trim_end_matches('/').to_owned();
    let client = client.build().map_err(|error| Error::Unreachable { url: base.clone(), reason: error.to_string() })?;
    let push = Push { client, store, root: *root, base, pass, progress };
    push.run().await
}

impl Push<'_> {
    async fn run(&self) -> Result<Pushed> {
        let (store, root) = (self.store.clone(), self.root);
        let all = blocking::run(move || {
            let all = blocks_of(&store, &root)?;
            let sized = all
                .into_iter()
                .map(|cid| store.block_len(&cid).map(|length| (cid, length)).ok_or(Error::NotFound { cid }));
            sized.collect::<Result<Vec<_>>>()
        });
        let all = all.await?;
        let mut done = Pushed::default();
        let mut rounds = 0;
        loop {
            rounds += 1;
            let (round, progress) = self.send_missing(&all).await?;
            if rounds == 1 {
                done.blocks_before = round.blocks_before;
            }
            done.blocks += round.blocks;
            done.bytes += round.bytes;
            match self.upload(&[], true, progress).await {
                // A server that was started anew meanwhile does not know any more who sent what.
                Err(Error::Server { status: INCOMPLETE, detail, .. }) if rounds < TRIES => {
                    tracing::debug!(detail, "the server lacks something again and is asked what");
                }
                ended => return ended.map(|_| done),
            }
        }
    }

    /// Asks what is missing and sends that.
    async fn send_missing(&self, all: &[(Cid, u64)]) -> Result<(Pushed, Progress)> {
        let mut done = Pushed::default();
        let mut progress =
            Progress { total_bytes: Some(all.iter().map(|(_, length)| length).sum()), ..Progress::default() };
        for part in all.chunks(QUESTION_CIDS) {
            let missing = self.missing(part).await?;
            done.blocks_before += (part.len() - missing.len()) as u64;
            progress.blocks += (part.len() - missing.len()) as u64;
            progress.bytes += part.iter().map(|(_, length)| length).sum::<u64>()
                - missing.iter().map(|(_, length)| length).sum::<u64>();
            self.tell(progress);
            for group in groups(&missing) {
                let sent = self.send_group(group, progress).await?;
                done.blocks += sent.blocks;
                done.bytes += sent.bytes;
                progress.blocks += group.len() as u64;
                progress.bytes += group.iter().map(|(_, length)| length).sum::<u64>();
                self.tell(progress);
            }
        }
        Ok((done, progress))
    }

    fn tell(&self, now: Progress) {
        if let Some(progress) = &self.progress {
            progress.send_replace(now);
        }
    }

    /// Sends a group, asking again what of it is missing where the line broke.
    async fn send_group(&self, group: &[(Cid, u64)], progress: Progress) -> Result<Received> {
        let mut left = group.to_vec();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.upload(&left, false, progress).await {
                Ok(received) => return Ok(received),
                Err(error) if error.is_retryable() && tries < TRIES => {
                    tracing::debug!(%error, "an upload broke off and is continued");
                    left = self.missing(&left).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn missing(&self, part: &[(Cid, u64)]) -> Result<Vec<(Cid, u64)>> {
        let question = Question { cids: part.iter().map(|(cid, _)| cid.to_string()).collect() };
        let mut tries = 0;
        let answer: Missing = loop {
            tries += 1;
            let request = self.client.post(self.url(MISSING_PATH, false)).json(&question);
            match self.answer(request).await {
                Err(error) if error.is_retryable() && tries < TRIES => {}
                other => break other?,
            }
        };
        let named =
            answer.missing.iter().map(|text| parse_cid(text)).collect::<Result<std::collections::HashSet<_>>>()?;
        Ok(part.iter().filter(|(cid, _)| named.contains(cid)).copied().collect())
    }

    async fn upload(&self, group: &[(Cid, u64)], complete: bool, before: Progress) -> Result<Received> {
        let (store, cids, root) = (self.store.clone(), group.to_vec(), self.root);
        let progress = self.progress.clone();
        let body = blocking::stream(move |emit| {
            let mut now = before;
            emit(header(&root))?;
            for (cid, length) in cids {
                let bytes = store.require(&cid)?;
                emit(section_head(&cid, bytes.len()))?;
                emit(bytes)?;
                now.blocks += 1;
                now.bytes += length;
                if let Some(progress) = &progress {
                    progress.send_replace(now);
                }
            }
            Ok(())
        });
        let body = reqwest::Body::wrap_stream(body.map(|piece| piece.map_err(std::io::Error::from)));
        let request = self
            .client
            .post(self.url(UPLOAD_PATH, complete))
            .header("content-type", "application/vnd.ipld.car")
            .body(body);
        self.answer(request).await
    }

    fn url(&self, path: &str, complete: bool) -> String {
        let complete = if complete { "&complete=true" } else { "" };
        format!("{}{path}?root={}{complete}", self.base, self.root)
    }

    async fn answer<T: serde::de::DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let unreachable = |error: reqwest::Error| Error::Unreachable {
            url: self.base.clone(),
            reason: error.without_url().to_string(),
        };
        let mut response = request.headers((self.pass)()).send().await.map_err(unreachable)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(Error::TooLarge { what: "the server's answer", limit: ANSWER_BYTES_MAX as u64 });
            }
        }
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| Error::malformed("the server's answer", error.to_string()));
        }
        let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let detail = said.get("detail").and_then(|detail| detail.as_str()).unwrap_or("it gave no reason").to_owned();
        Err(Error::Server { url: self.base.clone(), status: status.as_u16(), detail })
    }
}

/// Cuts a list of blocks into groups of at most [`CAR_BYTES`].
fn groups(all: &[(Cid, u64)]) -> Vec<&[(Cid, u64)]> {
    let mut groups = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (position, (_, length)) in all.iter().enumerate() {
        if bytes + length > CAR_BYTES && position > start {
            groups.push(&all[start..position]);
            start = position;
            bytes = 0;
        }
        bytes += length;
    }
    if start < all.len() {
        groups.push(&all[start..]);
    }
    groups
}
