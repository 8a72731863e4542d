//! Uploading a DAG: ask what is missing, send that in CARs, have the whole checked and pinned.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use cid::Cid;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::block::{Block, parse_cid};
use crate::blocking;
use crate::car::CarDecoder;
use crate::config::UploadConfig;
use crate::dag;
use crate::error::{Error, Result};
use crate::problem::Problem;
use crate::store::BlockStore;
use crate::unixfs::sink::BATCH_BYTES;

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
pub fn router(store: Arc<BlockStore>, config: UploadConfig, authorise: Authorise) -> Router {
    let uploads = Arc::new(Semaphore::new(config.uploads_max.min(Semaphore::MAX_PERMITS)));
    Router::new().route(MISSING_PATH, post(missing)).route(UPLOAD_PATH, post(upload)).with_state(Upload {
        store,
        config,
        authorise,
        uploads,
    })
}

impl Upload {
    fn admit(&self, headers: &HeaderMap, parameters: &Parameters) -> Result<(Cid, String), Problem> {
        let root = parse_cid(&parameters.root)?;
        let who = (self.authorise)(headers, &root).map_err(|refused| {
            Problem::new(StatusCode::from_u16(refused.status).unwrap_or(StatusCode::FORBIDDEN), refused.detail)
        })?;
        Ok((root, who))
    }
}

async fn missing(
    State(state): State<Upload>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    ask(&state, &parameters, &headers, body)
        .await
        .map_or_else(IntoResponse::into_response, |found| Json(found).into_response())
}

async fn ask(state: &Upload, parameters: &Parameters, headers: &HeaderMap, body: Body) -> Result<Missing, Problem> {
    state.admit(headers, parameters)?;
    let too_many = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("ask for at most {} CIDs at once", state.config.cids_max))
    };
    let most = state.config.cids_max.saturating_mul(CID_TEXT_BYTES) + 1024;
    let bytes = axum::body::to_bytes(body, most).await.map_err(|_| too_many())?;
    let question: Question =
        serde_json::from_slice(&bytes).map_err(|error| Problem::bad(format!("not {{\"cids\": […]}}: {error}")))?;
    if question.cids.len() > state.config.cids_max {
        return Err(too_many());
    }
    let mut missing = Vec::new();
    for text in question.cids {
        if !state.store.has(&parse_cid(&text)?) {
            missing.push(text);
        }
    }
    Ok(Missing { missing })
}

async fn upload(
    State(state): State<Upload>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    take(&state, &parameters, &headers, body)
        .await
        .map_or_else(IntoResponse::into_response, |found| Json(found).into_response())
}

async fn take(state: &Upload, parameters: &Parameters, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
    let (root, who) = state.admit(headers, parameters)?;
    let permit = state.uploads.try_acquire();
    let _permit =
        permit.map_err(|_| Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many uploads at once; try again"))?;
    let received = receive(state, body).await?;
    if parameters.complete {
        let store = state.store.clone();
        let most = state.config.dag_bytes_max;
        blocking::run(move || complete(&store, &root, &who, most)).await.map_err(|error| match error {
            Error::NotFound { cid } => Problem {
                status: StatusCode::CONFLICT,
                detail: format!("block {cid} under {root} has not been uploaded"),
                missing: Some(cid.to_string()),
            },
            other => other.into(),
        })?;
    }
    Ok(received)
}

/// Writes the blocks of a CAR as it comes, one sync per batch. A body of no bytes is an empty CAR.
async fn receive(state: &Upload, body: Body) -> Result<Received> {
    let mut pieces = body.into_data_stream();
    let mut decoder = CarDecoder::default();
    let mut received = Received::default();
    let mut taken = 0u64;
    let (mut batch, mut batch_bytes): (Vec<Block>, usize) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Error::Stream { source: std::io::Error::other(error) })?;
        taken += piece.len() as u64;
        if taken > state.config.request_bytes_max {
            return Err(Error::TooLarge { what: "the upload", limit: state.config.request_bytes_max });
        }
        decoder.push(&piece);
        while let Some(block) = decoder.next_block()? {
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

fn complete(store: &BlockStore, root: &Cid, who: &str, bytes_max: u64) -> Result<()> {
    if dag::total_size(store, root)?.bytes > bytes_max {
        return Err(Error::TooLarge { what: "the uploaded DAG", limit: bytes_max });
    }
    store.pin(who, root)
}
