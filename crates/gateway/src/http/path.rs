//! One spelling of every path: `/api/x` is `/api/v1/x`, and a slash at the end of an API path means nothing.

use alloy_primitives::B256;
use axum::{
    extract::{FromRequestParts, Path, Request},
    http::{
        request::Parts,
        uri::{PathAndQuery, Uri},
    },
};

use crate::GatewayError;

/// The `{id}` of a path: 32 bytes.
pub(crate) struct Id(pub(crate) B256);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        text.and_then(|Path(text)| text.parse().ok()).map(Self).ok_or_else(|| GatewayError::Malformed {
            field: "id".into(),
            reason: "an id is 0x and 64 hexadecimal digits".into(),
        })
    }
}

/// Rewrites the request's path before it is routed.
pub(crate) async fn normalise(mut request: Request) -> Request {
    if let Some(path) = spelled(request.uri().path()) {
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

/// The canonical spelling, when it is another one.
fn spelled(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/api/")?;
    let rest = rest.strip_prefix("v1/").unwrap_or(rest).trim_end_matches('/');
    let canonical = format!("/api/v1/{rest}");
    (canonical != path).then_some(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        assert_eq!(spelled(path).as_deref().unwrap_or(path), expected);
    }

    #[test]
    fn api_paths_have_one_spelling_and_others_keep_theirs() {
        check("/api/v1/gpus", "/api/v1/gpus");
        check("/api/gpus", "/api/v1/gpus");
        check("/api/gpus/", "/api/v1/gpus");
        check("/api/v1/gpus//", "/api/v1/gpus");
        check("/ipfs/bafy/dir/", "/ipfs/bafy/dir/");
        check("/apiary/", "/apiary/");
    }
}
