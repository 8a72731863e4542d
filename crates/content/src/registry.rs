//! A read-only OCI registry over the store: Docker, Podman and containerd pull what is pinned, by its digest.
//!
//! Specification: <https://github.com/opencontainers/distribution-spec>. An image's name is the CID of its root, so that
//! `docker pull 127.0.0.1:PORT/CID@sha256:…` names the bytes twice. It is for this machine only: a request that names
//! another host is refused, which also keeps web pages out that have their own name resolved to this machine.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cid::Cid;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::block::parse_cid;
use crate::blocking;
use crate::config::RegistryConfig;
use crate::error::{Error, Result};
use crate::gateway::negotiate::{byte_range, none_match};
use crate::image::{Blob, Image};
use crate::pace::outgoing;
use crate::problem::Problem;
use crate::store::BlockStore;
use crate::unixfs::read::file_stream;

/// The one tag that every image has; whoever pulls names the digest as well.
const TAG: &str = "latest";
/// Most images of which it is remembered that they were verified.
const VERIFIED_MAX: usize = 256;
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

#[derive(Clone)]
struct Registry {
    store: Arc<BlockStore>,
    config: RegistryConfig,
    requests: Arc<Semaphore>,
    verified: Arc<Mutex<HashMap<Cid, Arc<Image>>>>,
}

/// A refusal in the registry's own words.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::BadCid { .. } => "NAME_INVALID",
            Error::BadImage { .. } | Error::UnsafePath { .. } => "MANIFEST_INVALID",
            Error::BadRange { .. } => "RANGE_INVALID",
            _ => "UNKNOWN",
        };
        let Problem { status, detail, .. } = error.into();
        refuse(status, code, detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "errors": [{ "code": self.code, "message": self.message }] }).to_string();
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Routes under `/v2/`. To be served on a loopback address.
pub fn router(store: Arc<BlockStore>, config: RegistryConfig) -> Router {
    let requests = Arc::new(Semaphore::new(config.requests_max.min(Semaphore::MAX_PERMITS)));
    Router::new()
        .route("/v2/", get(version))
        .route("/v2/{name}/manifests/{reference}", get(manifest))
        .route("/v2/{name}/blobs/{digest}", get(blob))
        .route("/v2/{name}/tags/list", get(tags))
        .fallback(unknown)
        .method_not_allowed_fallback(read_only)
        .layer(from_fn(only_this_machine))
        .with_state(Registry { store, config, requests, verified: Arc::default() })
}

async fn only_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let is_here = host.is_some_and(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    let mut response = if is_here {
        next.run(request).await
    } else {
        refuse(StatusCode::FORBIDDEN, "DENIED", "this registry is for its own machine only").into_response()
    };
    response.headers_mut().insert(VERSION, HeaderValue::from_static("registry/2.0"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn version() -> Response {
    json_response("{}".to_owned())
}

async fn unknown() -> Refusal {
    refuse(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "name an image by its CID: /v2/CID/manifests/sha256:…")
}

async fn read_only() -> Refusal {
    refuse(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "this registry is only read from")
}

fn json_response(body: String) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn tags(State(registry): State<Registry>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let _permit = registry.admit()?;
    registry.image(&name).await?;
    Ok(json_response(json!({ "name": name, "tags": [TAG] }).to_string()))
}

async fn manifest(
    State(registry): State<Registry>,
    Path((name, reference)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let permit = registry.admit()?;
    let image = registry.image(&name).await?;
    if reference != TAG && reference != image.manifest_digest {
        let message = format!("{name} has the manifest {}, not {reference}", image.manifest_digest);
        return Err(refuse(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", message));
    }
    if method != Method::HEAD {
        registry.store.used(&image.root, SystemTime::now());
    }
    let digest = image.manifest_digest.clone();
    registry.answer(&image, &digest, &method, &headers, permit).await
}

async fn blob(
    State(registry): State<Registry>,
    Path((name, digest)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let permit = registry.admit()?;
    let image = registry.image(&name).await?;
    registry.answer(&image, &digest, &method, &headers, permit).await
}

impl Registry {
    fn admit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let busy = |_| refuse(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "too many requests at once; try again");
        self.requests.clone().try_acquire_owned().map_err(busy)
    }

    /// A pinned image. The first time all its layers are read: an engine unpacks as root what it gets from here.
    async fn image(&self, name: &str) -> Result<Arc<Image>, Refusal> {
        let root = parse_cid(name)?;
        if !self.store.is_pinned(&root) {
            return Err(refuse(StatusCode::NOT_FOUND, "NAME_UNKNOWN", format!("{root} is not pinned here")));
        }
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(image) = verified().get(&root) {
            return Ok(image.clone());
        }
        let (store, limits) = (self.store.clone(), self.config.limits.clone());
        let image = Arc::new(blocking::run(move || Image::verify(&store, &root, &limits)).await?);
        let mut verified = verified();
        if verified.len() >= VERIFIED_MAX {
            verified.clear();
        }
        verified.insert(root, image.clone());
        Ok(image)
    }

    async fn answer(
        &self,
        image: &Arc<Image>,
        digest: &str,
        method: &Method,
        headers: &HeaderMap,
        permit: OwnedSemaphorePermit,
    ) -> Result<Response, Refusal> {
        let (store, of, wanted) = (self.store.clone(), image.clone(), digest.to_owned());
        let found = blocking::run(move || of.blob(&store, &wanted)).await?;
        let Some(Blob { cid, size, media_type }) = found else {
            let message = format!("{} has no blob {digest}", image.root);
            return Err(refuse(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", message));
        };
        let etag = format!("\"{digest}\"");
        let mut response = Response::new(Body::empty());
        if none_match(headers, &etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            let range = byte_range(headers, size).map_err(|()| Error::BadRange { size })?;
            let bytes = range.clone().unwrap_or(0..size);
            if range.is_some() {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let range = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
                set(response.headers_mut(), header::CONTENT_RANGE, &range);
            }
            response.headers_mut().insert(header::CONTENT_LENGTH, (bytes.end - bytes.start).into());
            if method != Method::HEAD {
                *response.body_mut() = outgoing(file_stream(self.store.clone(), cid, bytes), &self.config.pace, permit);
            }
        }
        let headers = response.headers_mut();
        set(headers, header::CONTENT_TYPE, &media_type);
        set(headers, header::ETAG, &etag);
        set(headers, DIGEST, digest);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        Ok(response)
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
