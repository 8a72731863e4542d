//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is not done again.
//!
//! A key belongs to who is signed in and to the route. What succeeded is answered again word for word for a day; what
//! was refused, and what nobody knows the outcome of, changed nothing under the key and may be sent again with it.

use alloy_primitives::{Address, B256, keccak256};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use market::Timestamp;
use store::Begun;

use crate::{
    GatewayError,
    auth::Presented,
    http::body,
    state::{Shared, now},
};

/// The header that a client sends.
pub(crate) const HEADER: &str = "idempotency-key";
/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key: a UUID has 36 characters, four of them fit.
pub(crate) const KEY_BYTES_MAX: usize = 160;
/// The largest answer that is read to be kept; the store keeps up to a quarter of it, and no route answers more.
const ANSWER_BYTES_MAX: usize = 4 * store::ANSWER_BYTES_MAX;
const _: () = assert!(KEY_BYTES_MAX <= store::KEY_BYTES_MAX);

/// One request under a key.
struct Keyed {
    shared: Shared,
    key: String,
    who: Address,
    route: String,
}

/// Stands before routes that create or spend. Without the header, without a session, and before what only reads, it does
/// nothing: yesterday's answer to a read would be a wrong one.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match guarded(shared, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn guarded(shared: Shared, request: Request, next: Next) -> Result<Response, GatewayError> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let Some(key) = key(request.headers())? else {
        return Ok(next.run(request).await);
    };
    let Some(who) = who(&shared, request.headers()).await? else {
        // The route says what it thinks of strangers.
        return Ok(next.run(request).await);
    };
    let (parts, unread) = request.into_parts();
    let bytes = body::Bytes::from_request(Request::new(unread), &shared).await?.0;
    let route = format!("{} {}", parts.method, parts.uri.path());
    let hash = keccak256(&bytes);
    let keyed = Keyed { key, who, route, shared };
    match keyed.begin(hash).await? {
        Begun::New => {}
        Begun::Done { status, body } => return Ok(replay(status, body)),
        Begun::InFlight => return Err(GatewayError::InFlight),
        Begun::Different => return Err(GatewayError::KeyReused),
    }
    // A caller who hangs up must not leave the key in flight, nor the work half done.
    let work = tokio::spawn(keyed.carry_out(next.run(Request::from_parts(parts, Body::from(bytes)))));
    work.await.unwrap_or(Err(GatewayError::Unknown { what: "the answer to this request was lost".into() }))
}

impl Keyed {
    async fn begin(&self, hash: B256) -> Result<Begun, GatewayError> {
        let now = Timestamp(now());
        Ok(self.shared.store.begin_request(&self.key, self.who, &self.route, hash, now).await?)
    }

    async fn carry_out(self, work: impl Future<Output = Response>) -> Result<Response, GatewayError> {
        let (parts, body) = work.await.into_parts();
        let store = &self.shared.store;
        if !parts.status.is_success() {
            store.drop_request(&self.key, self.who, &self.route).await?;
            return Ok(Response::from_parts(parts, body));
        }
        let unreadable = |_| GatewayError::Unknown { what: "the answer to this request is too large to keep".into() };
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(unreadable)?;
        // The work is done: an answer that cannot be kept is still the answer.
        let status = parts.status.as_u16();
        if let Err(error) = store.finish_request(&self.key, self.who, &self.route, status, &bytes).await {
            tracing::warn!(%error, "an answer could not be kept for its idempotency key");
            store.drop_request(&self.key, self.who, &self.route).await.unwrap_or_default();
        }
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }
}

/// Whose session it is. The route looks again, at more than this, before it does anything.
async fn who(shared: &Shared, headers: &HeaderMap) -> Result<Option<Address>, GatewayError> {
    let Some(presented) = Presented::of(headers) else { return Ok(None) };
    let session = shared.store.session(presented.hash(), Timestamp(now())).await?;
    Ok(session.map(|session| session.address))
}

fn replay(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The key, with or without the quotes that the draft writes round it.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, GatewayError> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = |reason: String| GatewayError::Malformed { field: "Idempotency-Key".into(), reason };
    if values.next().is_some() {
        return Err(malformed("is given twice; leave one".into()));
    }
    let text = value.to_str().unwrap_or_default();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b','));
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !is_plain {
        let reason = "write 1 to 160 letters, digits and signs without spaces, like a UUID, a new one for each request";
        return Err(malformed(reason.into()));
    }
    Ok(Some(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: Result<Option<&str>, &str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match (key(&headers), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.as_deref(), expected),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{values:?}: {error}"),
            (found, expected) => panic!("{values:?}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_key_is_short_and_plain() {
        check(&[], Ok(None));
        check(&["8e03978e-40d5-43dd-bc93-6894a57f9324"], Ok(Some("8e03978e-40d5-43dd-bc93-6894a57f9324")));
        check(&["\"quoted\""], Ok(Some("quoted")));
        check(&[&"a".repeat(160)], Ok(Some(&"a".repeat(160))));
        check(&[&"a".repeat(161)], Err("1 to 160"));
        for bad in ["", "\"\"", "a b", "a,b", "\"", "a\"b", "a\\b", "schlüssel", "'; DROP TABLE requests; -- "] {
            check(&[bad], Err("like a UUID"));
        }
        check(&["a", "b"], Err("given twice"));
    }
}
