//! Errors over HTTP: `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::Error;

/// A refusal with its status and the reason for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// The first CID that is missing, where that is the trouble.
    pub(crate) missing: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), missing: None }
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::NotFound { .. } | Error::NoSuchPath { .. } => StatusCode::NOT_FOUND,
            Error::BadCid { .. }
            | Error::Malformed { .. }
            | Error::Corrupt { .. }
            | Error::UnsafePath { .. }
            | Error::BadImage { .. }
            | Error::Stream { .. } => StatusCode::BAD_REQUEST,
            Error::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::WrongKind { .. } => StatusCode::NOT_ACCEPTABLE,
            Error::BadRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Error::StoreFull { .. } | Error::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Error::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            Error::Io { .. } | Error::StoreLocked { .. } | Error::Server { .. } | Error::Unreachable { .. } => {
                tracing::error!(%error, "a request failed on our side");
                // Paths and addresses of this machine are nobody else's business.
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not read or write its store");
            }
        };
        let missing = match &error {
            Error::NotFound { cid } => Some(cid.to_string()),
            _ => None,
        };
        Self { status, detail: error.to_string(), missing }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body =
            json!({ "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail });
        if let (Some(missing), Value::Object(fields)) = (self.missing, &mut body) {
            fields.insert("missing".to_owned(), missing.into());
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
