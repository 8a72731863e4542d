//! The trustless HTTP gateway: blocks, CARs and files under `/ipfs/{cid}`.
//!
//! Specification: <https://specs.ipfs.tech/http-gateways/trustless-gateway/>. Everything is answered as an
//! attachment that no browser renders: what strangers stored must not run on the gateway's origin.

pub(crate) mod negotiate;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use cid::Cid;
use futures_util::Stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::block::{hex, parse_cid, sha256};
use crate::blocking;
use crate::car::{CarRequest, DagScope, EntityBytes, car_stream};
use crate::config::GatewayConfig;
use crate::error::{Error, Result};
use crate::pace::outgoing;
use crate::problem::Problem;
use crate::store::BlockStore;
use crate::unixfs::Kind;
use crate::unixfs::read::{file_stream, resolve, stat};
use negotiate::{CAR_TYPE, Form, RAW_TYPE, Wanted, byte_range, negotiate, none_match};

/// Content never changes under its CID.
const IMMUTABLE: &str = "public, max-age=29030400, immutable";

#[derive(Clone)]
struct Gateway {
    store: Arc<BlockStore>,
    config: GatewayConfig,
    requests: Arc<Semaphore>,
}

struct Request {
    root: Cid,
    path: String,
    query: String,
    is_head: bool,
    headers: HeaderMap,
}

/// Routes for `GET|HEAD /ipfs/{cid}[/{path}]`.
pub fn router(store: Arc<BlockStore>, config: GatewayConfig) -> Router {
    let requests = Arc::new(Semaphore::new(config.requests_max.min(Semaphore::MAX_PERMITS)));
    Router::new()
        .route("/ipfs/{cid}", get(root).options(preflight))
        .route("/ipfs/{cid}/", get(root).options(preflight))
        .route("/ipfs/{cid}/{*path}", get(below).options(preflight))
        .with_state(Gateway { store, config, requests })
}

async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    cors(response.headers_mut());
    response
}

async fn root(
    state: State<Gateway>,
    Path(cid): Path<String>,
    query: RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    answer(state, cid, String::new(), query, method, headers).await
}

async fn below(
    state: State<Gateway>,
    Path((cid, path)): Path<(String, String)>,
    query: RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    answer(state, cid, path, query, method, headers).await
}

async fn answer(
    State(gateway): State<Gateway>,
    cid: String,
    path: String,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let root = match parse_cid(&cid) {
        Ok(root) => root,
        Err(error) => return Problem::from(error).into_response(),
    };
    let query = query.unwrap_or_default();
    let request = Request { root, path, query, is_head: method == Method::HEAD, headers };
    respond(&gateway, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn respond(gateway: &Gateway, request: Request) -> Result<Response, Problem> {
    if request.headers.get("service-worker").is_some_and(|value| value == "script") {
        return Err(Problem::bad("service workers are not served from here"));
    }
    let wanted = negotiate(&request.query, &request.headers, gateway.config.deserialized)?;
    if wanted.form == Form::Raw && !request.path.is_empty() {
        return Err(Problem::bad("format=raw takes a CID without a path"));
    }
    let permit = gateway.requests.clone().try_acquire_owned();
    let permit =
        permit.map_err(|_| Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests at once; try again"))?;
    let is_served = match gateway.config.serves.clone() {
        // It may have to read the store.
        Some(serves) => blocking::run(move || Ok(serves(&request.root))).await?,
        None => true,
    };
    if !is_served || !gateway.store.has(&request.root) {
        let only_cached = request.headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let only_cached = only_cached.is_some_and(|value| value.contains("only-if-cached"));
        let status = if only_cached { StatusCode::PRECONDITION_FAILED } else { StatusCode::NOT_FOUND };
        return Err(Problem::new(status, format!("{} is not here", request.root)));
    }
    if !request.is_head {
        gateway.store.used(&request.root, SystemTime::now());
    }
    let (store, root, path) = (gateway.store.clone(), request.root, request.path.clone());
    let end = blocking::run(move || resolve(&store, &root, &path)).await?;
    let etag = etag(&end, &request, wanted.form);
    if none_match(&request.headers, &etag) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        common(response.headers_mut(), &request, &wanted, &etag);
        return Ok(response);
    }
    let mut response = match wanted.form {
        Form::Raw => raw(gateway, &request, &etag, permit).await?,
        Form::Car { scope, bytes } => car(gateway, &request, scope, bytes, permit),
        Form::File => file(gateway, &request, &end, &etag, permit).await?,
    };
    common(response.headers_mut(), &request, &wanted, &etag);
    Ok(response)
}

/// Varies with everything that the bytes vary with. A CAR's tag is weak: its bytes may differ in order.
fn etag(end: &Cid, request: &Request, form: Form) -> String {
    match form {
        Form::Raw => format!("\"{end}.raw\""),
        Form::File => format!("\"{end}\""),
        Form::Car { scope, bytes } => {
            let asked = format!("{} {} {scope:?} {bytes:?}", request.root, request.path);
            format!("W/\"{end}.car.{}\"", &hex(&sha256(asked.as_bytes()))[..16])
        }
    }
}

async fn raw(
    gateway: &Gateway,
    request: &Request,
    etag: &str,
    permit: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let block = gateway.store.get_async(request.root).await?.ok_or(Error::NotFound { cid: request.root })?;
    let part = partial(request, block.len() as u64, etag)?;
    let body = block.slice(part.bytes.start as usize..part.bytes.end as usize);
    let stream = futures_util::stream::iter([Ok::<_, Error>(body)]);
    let mut response = sized(gateway, request, &part, stream, permit);
    content(response.headers_mut(), RAW_TYPE, &format!("{}.bin", request.root));
    Ok(response)
}

fn car(
    gateway: &Gateway,
    request: &Request,
    scope: DagScope,
    bytes: Option<EntityBytes>,
    permit: OwnedSemaphorePermit,
) -> Response {
    let body = if request.is_head {
        Body::empty()
    } else {
        let wanted = CarRequest { root: request.root, path: request.path.clone(), scope, bytes };
        outgoing(car_stream(gateway.store.clone(), wanted), &gateway.config.pace, permit)
    };
    let mut response = body.into_response();
    let kind = format!("{CAR_TYPE}; version=1; order=dfs; dups=n");
    content(response.headers_mut(), &kind, &format!("{}.car", request.root));
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    response
}

async fn file(
    gateway: &Gateway,
    request: &Request,
    end: &Cid,
    etag: &str,
    permit: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let (store, cid) = (gateway.store.clone(), *end);
    let found = blocking::run(move || stat(&store, &cid)).await?;
    if found.kind != Kind::File {
        return Err(Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "this is not a file; ask for format=car, or name a file in it",
        ));
    }
    let part = partial(request, found.size, etag)?;
    let stream = file_stream(gateway.store.clone(), *end, part.bytes.clone());
    let mut response = sized(gateway, request, &part, stream, permit);
    let last = request.path.rsplit('/').find(|name| !name.is_empty());
    let name = last.map_or_else(|| request.root.to_string(), str::to_owned);
    content(response.headers_mut(), "application/octet-stream", &name);
    Ok(response)
}

/// The part of an answer that is sent.
struct Part {
    bytes: std::ops::Range<u64>,
    size: u64,
    is_partial: bool,
}

fn partial(request: &Request, size: u64, etag: &str) -> Result<Part, Problem> {
    let whole = Part { bytes: 0..size, size, is_partial: false };
    let if_range = request.headers.get(header::IF_RANGE);
    if if_range.is_some_and(|value| value != etag) {
        return Ok(whole);
    }
    match byte_range(&request.headers, size) {
        Ok(None) => Ok(whole),
        Ok(Some(bytes)) => Ok(Part { bytes, size, is_partial: true }),
        Err(()) => Err(Error::BadRange { size }.into()),
    }
}

fn sized(
    gateway: &Gateway,
    request: &Request,
    part: &Part,
    stream: impl Stream<Item = Result<Bytes>> + Send + 'static,
    permit: OwnedSemaphorePermit,
) -> Response {
    let body = if request.is_head { Body::empty() } else { outgoing(stream, &gateway.config.pace, permit) };
    let mut response = body.into_response();
    let length = part.bytes.end - part.bytes.start;
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if part.is_partial {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {}-{}/{}", part.bytes.start, part.bytes.end - 1, part.size);
        set(response.headers_mut(), header::CONTENT_RANGE, &range);
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn content(headers: &mut HeaderMap, kind: &str, file_name: &str) {
    set(headers, header::CONTENT_TYPE, kind);
    let plain: String =
        file_name.chars().map(|c| if c.is_ascii_graphic() && c != '"' && c != '\\' { c } else { '_' }).collect();
    let encoded: String =
        url::form_urlencoded::byte_serialize(file_name.as_bytes()).collect::<String>().replace('+', "%20");
    set(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"));
}

fn common(headers: &mut HeaderMap, request: &Request, wanted: &Wanted, etag: &str) {
    set(headers, header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(headers, HeaderName::from_static("x-ipfs-roots"), &request.root.to_string());
    let path: String = url::form_urlencoded::byte_serialize(request.path.as_bytes()).collect::<String>();
    let path = path.replace("%2F", "/").replace('+', "%20");
    let slash = if path.is_empty() { "" } else { "/" };
    set(headers, HeaderName::from_static("x-ipfs-path"), &format!("/ipfs/{}{slash}{path}", request.root));
    if !wanted.by_query {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        let format = match wanted.form {
            Form::Raw => Some("raw"),
            Form::Car { .. } => Some("car"),
            Form::File => None,
        };
        if let Some(format) = format {
            let rest = if request.query.is_empty() { String::new() } else { format!("&{}", request.query) };
            set(
                headers,
                header::CONTENT_LOCATION,
                &format!("/ipfs/{}{slash}{path}?format={format}{rest}", request.root),
            );
        }
    }
    cors(headers);
}

fn cors(headers: &mut HeaderMap) {
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, Range, User-Agent, X-Requested-With"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "Content-Length, Content-Location, Content-Range, ETag, X-Ipfs-Path, X-Ipfs-Roots",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
