//! Uploading a DAG: ask what is missing, send that in CARs, have the whole checked and pinned.

mod ledger;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use cid::Cid;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::block::{Block, digest_of, parse_cid};
use crate::blocking;
use crate::car::CarDecoder;
use crate::config::UploadConfig;
use crate::dag;
use crate::error::{Error, Result};
use crate::pace::Incoming;
use crate::problem::Problem;
use crate::store::{BlockStore, InUse};
use crate::unixfs::sink::BATCH_BYTES;
use ledger::Ledger;

/// Bytes of JSON that one CID takes at most: base32 of a CIDv1, quotes and a comma.
const CID_TEXT_BYTES: usize = 80;

/// Where to ask what is missing.
pub const MISSING_PATH: &str = "/api/v1/images/upload/missing";
/// Where to send CARs.
pub const UPLOAD_PATH: &str = "/api/v1/images/upload";

/// Why somebody may not upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status to answer, 401 or 403 as a rule.
    pub status: u16,
    /// The reason, for a person.
    pub detail: String,
}

/// Decides from a request's headers and the root who uploads; the name goes onto the pin.
pub type Authorise = Arc<dyn Fn(&HeaderMap, &Cid) -> std::result::Result<String, Refused> + Send + Sync>;

#[derive(Clone)]
struct Upload {
    store: Arc<BlockStore>,
    config: UploadConfig,
    authorise: Authorise,
    uploads: Arc<Semaphore>,
    ledger: Arc<Mutex<Ledger>>,
}

#[derive(Deserialize)]
struct Parameters {
    root: String,
    #[serde(default)]
    complete: bool,
}

/// CIDs, of which the server is to say which it lacks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) cids: Vec<String>,
}

/// Those of the CIDs that the server lacks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Missing {
    pub(crate) missing: Vec<String>,
}

/// What a CAR held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// Routes for `POST /api/v1/images/upload` and `…/missing`.
pub fn router(store: Arc<BlockStore>, mut config: UploadConfig, authorise: Authorise) -> Router {
    let uploads = Arc::new(Semaphore::new(config.uploads_max.min(Semaphore::MAX_PERMITS)));
    config.unfinished_bytes_max = config.unfinished_bytes_max.min(store.bytes_max() / 2);
    let ledger = Arc::<Mutex<Ledger>>::default();
    let in_use: Arc<dyn InUse> = ledger.clone();
    store.protect(Arc::downgrade(&in_use));
    let state = Upload { store, config, authorise, uploads, ledger };
    Router::new().route(MISSING_PATH, post(missing)).route(UPLOAD_PATH, post(upload)).with_state(state)
}

impl Upload {
    /// Who uploads which DAG, and whether this is the last of it.
    fn admit(
        &self,
        headers: &HeaderMap,
        parameters: Result<Query<Parameters>, QueryRejection>,
    ) -> Result<((String, Cid), bool), Problem> {
        let Query(parameters) = parameters.map_err(|error| {
            Problem::bad(format!("{}; write ?root=CID and at the end &complete=true", error.body_text()))
        })?;
        let root = parse_cid(&parameters.root)?;
        let who = (self.authorise)(headers, &root).map_err(|refused| {
            Problem::new(StatusCode::from_u16(refused.status).unwrap_or(StatusCode::FORBIDDEN), refused.detail)
        })?;
        Ok(((who, root), parameters.complete))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh(&self) -> Result<()> {
        let store = self.store.clone();
        blocking::run(move || {
            store.refresh_kept();
            Ok(())
        })
        .await
    }

    /// Whether a block is here as far as this signer may know: it is pinned, or the signer has sent it under this root.
    fn sees(&self, whose: &(String, Cid), cid: &Cid) -> bool {
        let mine = || digest_of(cid).is_ok_and(|digest| self.ledger().has(whose, &digest));
        self.store.has(cid) && (self.is_kept(cid) || mine())
    }

    fn is_kept(&self, cid: &Cid) -> bool {
        let digest = digest_of(cid);
        self.store.is_kept_so_far(cid) || digest.is_ok_and(|digest| self.store.is_digest_kept_so_far(&digest))
    }

    /// Counts a block that nobody has pinned against who sends it.
    fn note(&self, whose: &(String, Cid), block: &Block) -> Result<(), Problem> {
        match digest_of(block.cid()) {
            Ok(digest) if !self.store.is_digest_kept_so_far(&digest) => {
                self.ledger().admit(&self.config, whose, digest, block.data().len() as u64, Instant::now())
            }
            // It is here and stays, or it is its own name and is not stored.
            _ => Ok(()),
        }
    }
}

async fn missing(
    State(state): State<Upload>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    ask(&state, parameters, &headers, body)
        .await
        .map_or_else(IntoResponse::into_response, |found| Json(found).into_response())
}

async fn ask(
    state: &Upload,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Missing, Problem> {
    let (whose, _) = state.admit(headers, parameters)?;
    let too_many = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("ask for at most {} CIDs at once", state.config.cids_max))
    };
    let most = state.config.cids_max.saturating_mul(CID_TEXT_BYTES) + 1024;
    let mut incoming = Incoming::new(body, &state.config.pace);
    let mut bytes = Vec::new();
    while let Some(piece) = incoming.next().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > most {
            return Err(too_many());
        }
    }
    let question: Question =
        serde_json::from_slice(&bytes).map_err(|error| Problem::bad(format!("not {{\"cids\": […]}}: {error}")))?;
    if question.cids.len() > state.config.cids_max {
        return Err(too_many());
    }
    state.refresh().await?;
    let mut missing = Vec::new();
    for text in question.cids {
        if !state.sees(&whose, &parse_cid(&text)?) {
            missing.push(text);
        }
    }
    Ok(Missing { missing })
}

async fn upload(
    State(state): State<Upload>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    take(&state, parameters, &headers, body)
        .await
        .map_or_else(IntoResponse::into_response, |found| Json(found).into_response())
}

async fn take(
    state: &Upload,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, Problem> {
    let (whose, is_last) = state.admit(headers, parameters)?;
    let permit = state.uploads.try_acquire();
    let _permit =
        permit.map_err(|_| Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many uploads at once; try again"))?;
    state.refresh().await?;
    let received = receive(state, &whose, body).await?;
    if is_last {
        let (state, root) = (state.clone(), whose.1);
        blocking::run(move || complete(&state, &whose)).await.map_err(|error| match error {
            Error::NotFound { cid } => Problem {
                status: StatusCode::CONFLICT,
                detail: format!(
                    "block {cid} under {root} has not been uploaded; ask again what is missing and send it"
                ),
                missing: Some(cid.to_string()),
            },
            other => other.into(),
        })?;
    }
    Ok(received)
}

/// Writes the blocks of a CAR as it comes, one sync per batch. A body of no bytes is an empty CAR.
async fn receive(state: &Upload, whose: &(String, Cid), body: Body) -> Result<Received, Problem> {
    let mut incoming = Incoming::new(body, &state.config.pace);
    let mut decoder = CarDecoder::default();
    let mut received = Received::default();
    let mut taken = 0u64;
    let (mut batch, mut batch_bytes): (Vec<Block>, usize) = (Vec::new(), 0);
    while let Some(piece) = incoming.next().await? {
        taken += piece.len() as u64;
        if taken > state.config.request_bytes_max {
            return Err(Error::TooLarge { what: "the upload", limit: state.config.request_bytes_max }.into());
        }
        decoder.push(&piece);
        while let Some(block) = decoder.next_block()? {
            state.note(whose, &block)?;
            received.blocks += 1;
            received.bytes += block.data().len() as u64;
            batch_bytes += block.data().len();
            batch.push(block);
            if batch_bytes >= BATCH_BYTES {
                state.store.put_async(std::mem::take(&mut batch)).await?;
                batch_bytes = 0;
            }
        }
    }
    if taken > 0 {
        decoder.finish()?;
    }
    state.store.put_async(batch).await?;
    Ok(received)
}

/// Pins a DAG of which everything is pinned already or was sent under this root by who pins it: what a stranger has
/// sent of another DAG is nobody else's.
fn complete(state: &Upload, whose: &(String, Cid)) -> Result<()> {
    let (store, (who, root)) = (&state.store, whose);
    let check = || {
        let mut bytes = 0;
        dag::survey(store, root, |cid, length| {
            let length = length.filter(|_| state.sees(whose, cid)).ok_or(Error::NotFound { cid: *cid })?;
            bytes += length;
            if bytes > state.config.dag_bytes_max {
                return Err(Error::TooLarge { what: "the uploaded DAG", limit: state.config.dag_bytes_max });
            }
            Ok(())
        })
    };
    let deletions = store.deletions();
    let was_pinned = store.pinned_by(who).contains(root);
    check()?;
    store.pin(who, root)?;
    if store.deletions() != deletions
        && let Err(error) = check()
    {
        // What somebody else had pinned was unpinned and freed between the two.
        if !was_pinned {
            store.unpin(who, root)?;
        }
        return Err(error);
    }
    store.refresh_kept();
    state.ledger().settle(whose, |digest| store.is_digest_kept_so_far(digest));
    Ok(())
}
