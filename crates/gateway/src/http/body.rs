//! Reads JSON bodies inside a limit.

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::page::malformed;
use crate::{GatewayError, config::JSON_BODY_BYTES_MAX, state::Shared};

/// A body parsed as JSON. One that says it is too large is refused before a byte of it is read, one that turns
/// out so when the limit is reached.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = GatewayError;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, GatewayError> {
        let Bytes(bytes) = Bytes::from_request(request, shared).await?;
        parse(&bytes).map(Self)
    }
}

/// The body as it came, for who must know its exact bytes.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl FromRequest<Shared> for Bytes {
    type Rejection = GatewayError;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, GatewayError> {
        let within = shared.limits.body_within;
        let bytes = timeout(within, read(request.into_body()));
        let bytes = bytes.await.map_err(|_| GatewayError::Slow { within_s: within.as_secs() })??;
        Ok(Self(bytes))
    }
}

/// Reads JSON; an error names the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, GatewayError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let document = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        let field = if field == "." { "body".to_owned() } else { field };
        GatewayError::Malformed { field, reason: error.into_inner().to_string() }
    })?;
    reader.end().map_err(|error| malformed("body", error.to_string()))?;
    Ok(document)
}

async fn read(body: Body) -> Result<Vec<u8>, GatewayError> {
    let too_large = || GatewayError::TooLarge { limit: JSON_BODY_BYTES_MAX };
    if body.size_hint().lower() > JSON_BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| malformed("body", format!("it broke off: {error}")))?;
        if bytes.len() + part.len() > JSON_BODY_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
