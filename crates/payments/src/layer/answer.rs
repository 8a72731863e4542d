//! Answers of a paid route.

use alloy_primitives::B256;
use axum::body::{Body, HttpBody, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::CHANNEL_ANSWER_BYTES_MAX;
use wire::x402::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, Payment, PaymentRequired, SettleResponse, X_PAYMENT_RESPONSE, encode,
};

/// What scripts in browsers may read.
const EXPOSED: &str = "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE";
/// When to ask again, in seconds.
const RETRY_AFTER_S: u64 = 2;

/// 402: version 2 in the header, version 1 in the body. With a failed settlement the client is told of that too, and
/// does not try to recover.
pub(super) fn required(required: &PaymentRequired, failed: Option<&SettleResponse>) -> Response {
    let Ok(told) = encode("the offer", required) else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "offer_too_large", "the offer does not fit into a header");
    };
    let mut response = (StatusCode::PAYMENT_REQUIRED, axum::Json(required.to_v1())).into_response();
    let headers = response.headers_mut();
    put(headers, PAYMENT_REQUIRED, &told);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    expose(headers);
    if let Some(told) = failed.and_then(|failed| encode("the settlement", failed).ok()) {
        put(headers, PAYMENT_RESPONSE, &told);
    }
    response
}

/// Says in an answer what was paid for it.
pub(super) fn paid(mut response: Response, payment: &Payment, settled: &SettleResponse) -> Response {
    let headers = response.headers_mut();
    if let Ok(told) = encode("the settlement", settled) {
        let name = if payment.version() == 1 { X_PAYMENT_RESPONSE } else { PAYMENT_RESPONSE };
        put(headers, name, &told);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
    expose(headers);
    response
}

/// An outcome that nobody knows yet, or something that failed on this side: never another 402, or the client pays twice.
pub(super) fn later(code: &str, message: &str) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, code, message);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    response
}

/// Anything else.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let mut response = (status, axum::Json(json!({ "error": code, "message": message }))).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    expose(headers);
    response
}

/// An answer that was kept: its content type, a line feed, its body.
pub(super) fn kept(status: u16, bytes: &[u8]) -> Response {
    let cut = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (kind, body) = bytes.split_at(cut);
    let body = body.get(1..).unwrap_or_default().to_vec();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let Ok(kind) = HeaderValue::from_bytes(kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// The same, to be kept.
pub(super) fn to_keep(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b"application/octet-stream"[..], HeaderValue::as_bytes);
    [kind, b"\n", body].concat()
}

/// What stands before an answer that a voucher bought.
#[derive(Debug, Serialize, Deserialize)]
struct Bought {
    /// Digest of method and path: the voucher bought this and nothing else.
    place: B256,
    status: u16,
    settled: SettleResponse,
}

/// An answer that fits beside its voucher, with its bytes; one that is large or of unknown length is passed on as it is.
pub(super) async fn small(response: Response) -> Result<(Response, Option<Vec<u8>>), axum::Error> {
    let fits = response.body().size_hint().exact().is_some_and(|bytes| bytes < CHANNEL_ANSWER_BYTES_MAX as u64);
    if !fits {
        return Ok((response, None));
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, CHANNEL_ANSWER_BYTES_MAX).await?;
    let kept = to_keep(&parts.headers, &bytes);
    Ok((Response::from_parts(parts, Body::from(bytes)), Some(kept)))
}

/// The same, to be kept beside the voucher: a line that says what was paid, then the answer. Nothing when it is too large.
pub(super) fn bought(place: B256, status: StatusCode, settled: &SettleResponse, answer: &[u8]) -> Option<Vec<u8>> {
    let told = Bought { place, status: status.as_u16(), settled: settled.clone() };
    let kept = [&serde_json::to_vec(&told).ok()?, &b"\n"[..], answer].concat();
    (kept.len() <= CHANNEL_ANSWER_BYTES_MAX).then_some(kept)
}

/// An answer that was kept beside its voucher; nothing when the voucher bought something else.
pub(super) fn repeated(place: B256, bytes: &[u8], payment: &Payment) -> Option<Response> {
    let cut = bytes.iter().position(|byte| *byte == b'\n')?;
    let told: Bought = serde_json::from_slice(&bytes[..cut]).ok()?;
    (told.place == place).then(|| paid(kept(told.status, &bytes[cut + 1..]), payment, &told.settled))
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn expose(headers: &mut HeaderMap) {
    headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}
