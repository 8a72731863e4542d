//! Reads JSON bodies inside a limit.

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::{GatewayError, config::JSON_BODY_BYTES_MAX};

/// A body parsed as JSON. One that says it is too large is refused before a byte of it is read, one that turns
/// out so when the limit is reached.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, _: &S) -> Result<Self, GatewayError> {
        let body: Body = request.into_body();
        let too_large = GatewayError::TooLarge {
            limit: JSON_BODY_BYTES_MAX,
        };
        if body.size_hint().lower() > JSON_BODY_BYTES_MAX as u64 {
            return Err(too_large);
        }
        let mut bytes = Vec::new();
        let mut parts = body.into_data_stream();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| malformed(format!("it broke off: {error}")))?;
            if bytes.len() + part.len() > JSON_BODY_BYTES_MAX {
                return Err(too_large);
            }
            bytes.extend_from_slice(&part);
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| malformed(error.to_string()))
    }
}

fn malformed(reason: String) -> GatewayError {
    GatewayError::Malformed {
        field: "body".into(),
        reason,
    }
}
