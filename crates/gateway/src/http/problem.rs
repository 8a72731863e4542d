//! The one translator of errors into RFC 9457 `application/problem+json`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use wire::{WireError, http::Problem};

use crate::GatewayError;

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        let problem = problem(&self);
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::warn!(status = problem.status, reason = %self, "a request was not answered");
        }
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => {
                let scheme = if matches!(self, Self::Pass { .. }) { "Bourse" } else { "Bearer" };
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let GatewayError::TooMany { retry_after_s } = self else { return response };
                response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
            }
            _ => {}
        }
        response
    }
}

/// An error as everybody gets it.
fn problem(error: &GatewayError) -> Problem {
    let (status, kind, title) = kind(error);
    let field = match error {
        GatewayError::Malformed { field, .. } | GatewayError::Wire(WireError::Field { field, .. }) => {
            Some(field.clone())
        }
        _ => None,
    };
    Problem { kind: kind.into(), title: title.into(), status: status.as_u16(), detail: error.to_string(), field }
}

fn kind(error: &GatewayError) -> (StatusCode, &'static str, &'static str) {
    match error {
        GatewayError::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        GatewayError::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed"),
        GatewayError::TooLarge { .. } | GatewayError::Wire(WireError::TooLarge { .. }) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large")
        }
        GatewayError::Malformed { .. } | GatewayError::Wire(WireError::Malformed { .. } | WireError::Field { .. }) => {
            (StatusCode::BAD_REQUEST, "malformed", "Malformed")
        }
        GatewayError::Wire(WireError::Signer { .. }) => (StatusCode::FORBIDDEN, "signer", "Signed by another"),
        GatewayError::Wire(WireError::Stale { .. }) => (StatusCode::FORBIDDEN, "stale", "Signed too long ago"),
        GatewayError::Pass { .. } => (StatusCode::UNAUTHORIZED, "pass", "Not authorised"),
        GatewayError::NotSignedIn { .. } => (StatusCode::UNAUTHORIZED, "sign-in", "Not signed in"),
        GatewayError::SignIn { .. } => (StatusCode::UNAUTHORIZED, "sign-in-failed", "Sign-in failed"),
        GatewayError::ForeignPage => (StatusCode::FORBIDDEN, "foreign-page", "Not from our own page"),
        GatewayError::Forbidden { .. } => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
        GatewayError::NoWallet => (StatusCode::FORBIDDEN, "no-wallet", "Needs a wallet"),
        GatewayError::Conflict { .. } => (StatusCode::CONFLICT, "conflict", "Conflict"),
        GatewayError::NoMatch { .. } => (StatusCode::CONFLICT, "no-match", "Nothing fits"),
        GatewayError::Funds { .. } => (StatusCode::CONFLICT, "funds", "Too little money"),
        GatewayError::InFlight => (StatusCode::CONFLICT, "in-flight", "Still at work"),
        GatewayError::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Key used before"),
        GatewayError::Unknown { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unknown-outcome", "Outcome not known"),
        GatewayError::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now"),
        GatewayError::NotHere { .. } => (StatusCode::NOT_IMPLEMENTED, "not-here", "Not at this gateway"),
        GatewayError::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many requests"),
        GatewayError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store", "Database unreachable"),
        GatewayError::Slow { .. } => (StatusCode::REQUEST_TIMEOUT, "slow", "Too slow"),
        GatewayError::Upgrade => (StatusCode::UPGRADE_REQUIRED, "upgrade", "A WebSocket"),
        GatewayError::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"),
        GatewayError::Chain { .. } => (StatusCode::SERVICE_UNAVAILABLE, "chain", "Chain unreachable"),
        GatewayError::Bind { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
    }
}
