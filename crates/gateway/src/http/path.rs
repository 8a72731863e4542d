//! One spelling of every path: `/api/x` is `/api/v1/x`, a slash at the end means nothing, and a second name of a route
//! is the route.

use std::borrow::Cow;

use alloy_primitives::{Address, B256};
use axum::{
    extract::{FromRequestParts, Path, Request},
    http::{
        Method,
        request::Parts,
        uri::{PathAndQuery, Uri},
    },
};

use super::page::malformed;
use crate::GatewayError;

/// The `{id}` of a path: 32 bytes.
pub(crate) struct Id(pub(crate) B256);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = text.and_then(|Path(text)| text.starts_with("0x").then(|| text.parse().ok())?);
        id.map(Self).ok_or_else(|| malformed("id", "an id is 0x and 64 hexadecimal digits"))
    }
}

/// How a path names a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderId {
    /// By its number.
    Number(u32),
    /// By the address of its owner or its agent.
    Address(Address),
}

impl<S: Send + Sync> FromRequestParts<S> for ProviderId {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|Path(text)| text).unwrap_or_default();
        let id = match text.starts_with("0x") {
            true => text.parse().ok().map(Self::Address),
            false => {
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok().map(Self::Number)).flatten()
            }
        };
        id.ok_or_else(|| malformed("id", "a provider is its number, or 0x and the 40 digits of its owner or agent"))
    }
}

/// Second names: method (none for any), pattern and what it means; `*` stands for one part of the path and is taken
/// over. The first that fits is taken.
const ALIASES: &[(Option<Method>, &str, &str)] = &[
    (None, "gpus/search", "gpus"),
    (None, "marketplace/gpus", "gpus"),
    (None, "marketplace/gpus/search", "gpus"),
    (None, "marketplace/gpus/*", "gpus/*"),
    (None, "marketplace/jobs", "jobs"),
    (Some(Method::POST), "marketplace/jobs/create", "jobs"),
    (Some(Method::POST), "marketplace/jobs/submit", "jobs"),
    (Some(Method::GET), "marketplace/jobs/list", "jobs"),
    (None, "marketplace/jobs/*", "jobs/*"),
    (None, "marketplace/jobs/*/*", "jobs/*/*"),
    (Some(Method::POST), "jobs/create", "jobs"),
    (Some(Method::POST), "jobs/submit", "jobs"),
    (Some(Method::POST), "instances", "jobs"),
    (Some(Method::GET), "jobs/list", "jobs"),
    (Some(Method::POST), "wallet/connect", "auth/siwe/verify"),
    // A deposit for a job is the authorization of its lock.
    (Some(Method::POST), "escrow/deposit", "jobs"),
    (Some(Method::GET), "discovery/resources", "x402/discovery/resources"),
    (None, "wallet/*", "wallets/*"),
    (None, "wallet/*/*", "wallets/*/*"),
];

/// Rewrites the request's path before it is routed.
pub(crate) async fn normalise(mut request: Request) -> Request {
    if let Cow::Owned(path) = spelled(request.method(), request.uri().path()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = request.uri().clone().into_parts();
        if let Ok(path) = PathAndQuery::try_from(format!("{path}{query}")) {
            parts.path_and_query = Some(path);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

/// The canonical spelling; owned when it is another one.
fn spelled<'a>(method: &Method, path: &'a str) -> Cow<'a, str> {
    let Some(rest) = path.strip_prefix("/api/") else { return path.into() };
    let versioned = rest.strip_prefix("v1/");
    let name = versioned.unwrap_or(rest).trim_end_matches('/');
    if let Some(meant) = meant(method, name) {
        return format!("/api/v1/{meant}").into();
    }
    match versioned {
        Some(rest) if rest.len() == name.len() => path.into(),
        _ => format!("/api/v1/{name}").into(),
    }
}

/// What a second name means.
fn meant(method: &Method, name: &str) -> Option<String> {
    let mut fitting = ALIASES.iter().filter(|(only, ..)| only.as_ref().is_none_or(|only| only == method));
    fitting.find_map(|(_, alias, canonical)| {
        let mut taken = Vec::new();
        let (mut parts, mut wanted) = (name.split('/'), alias.split('/'));
        loop {
            match (parts.next(), wanted.next()) {
                (None, None) => break,
                (Some(part), Some("*")) => taken.push(part),
                (Some(part), Some(wish)) if part == wish => {}
                _ => return None,
            }
        }
        let mut taken = taken.into_iter();
        let parts: Vec<&str> = canonical
            .split('/')
            .map(|part| if part == "*" { taken.next().unwrap_or_default() } else { part })
            .collect();
        Some(parts.join("/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, path: &str, expected: &str) {
        assert_eq!(spelled(method, path), expected, "{method} {path}");
    }

    #[test]
    fn api_paths_have_one_spelling_and_others_keep_theirs() {
        check(&Method::GET, "/api/v1/gpus", "/api/v1/gpus");
        check(&Method::GET, "/api/gpus", "/api/v1/gpus");
        check(&Method::GET, "/api/gpus/", "/api/v1/gpus");
        check(&Method::GET, "/api/v1/gpus//", "/api/v1/gpus");
        check(&Method::GET, "/ipfs/bafy/dir/", "/ipfs/bafy/dir/");
        check(&Method::GET, "/apiary/", "/apiary/");
    }

    #[test]
    fn second_names_mean_the_same_route() {
        check(&Method::GET, "/api/gpus/search", "/api/v1/gpus");
        check(&Method::GET, "/api/v1/marketplace/gpus/0x1/", "/api/v1/gpus/0x1");
        check(&Method::POST, "/api/marketplace/jobs/0x1/stop", "/api/v1/jobs/0x1/stop");
        check(&Method::POST, "/api/v1/jobs/submit", "/api/v1/jobs");
        check(&Method::GET, "/api/v1/jobs/submit", "/api/v1/jobs/submit");
        check(&Method::GET, "/api/jobs/list", "/api/v1/jobs");
        check(&Method::GET, "/api/marketplace/jobs/history", "/api/v1/jobs/history");
        check(&Method::GET, "/api/instances", "/api/v1/instances");
        check(&Method::POST, "/api/v1/escrow/deposit", "/api/v1/jobs");
        check(&Method::GET, "/api/wallet/balance", "/api/v1/wallets/balance");
        check(&Method::POST, "/api/wallet/connect", "/api/v1/auth/siwe/verify");
        check(&Method::POST, "/api/instances", "/api/v1/jobs");
        check(&Method::GET, "/api/v1/gpus/search/x", "/api/v1/gpus/search/x");
    }
}
