//! Objects in headers: base64 of JSON, standard alphabet, padded.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, de::DeserializeOwned};

use crate::WireError;

/// The longest header value that is read. The largest that official clients send has 2 kB; servers commonly take 16 kB
/// of headers in all.
pub const HEADER_BYTES_MAX: usize = 12 << 10;

/// Writes an object as a header value.
pub fn encode(what: &'static str, value: &impl Serialize) -> Result<String, WireError> {
    let json = serde_json::to_vec(value)
        .map_err(|error| WireError::Malformed { what, reason: format!("it cannot be written: {error}") })?;
    let bytes = json.len().div_ceil(3) * 4;
    if bytes > HEADER_BYTES_MAX {
        return Err(WireError::TooLarge { what, bytes, limit: HEADER_BYTES_MAX });
    }
    Ok(STANDARD.encode(json))
}

/// Reads an object from a header value.
pub fn decode<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, WireError> {
    if text.len() > HEADER_BYTES_MAX {
        return Err(WireError::TooLarge { what, bytes: text.len(), limit: HEADER_BYTES_MAX });
    }
    let json = STANDARD
        .decode(text.trim())
        .map_err(|error| WireError::Malformed { what, reason: format!("it is no padded base64: {error}") })?;
    read(what, &json)
}

/// Reads JSON, and says where it is wrong.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, json: &[u8]) -> Result<T, WireError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| WireError::Malformed { what, reason: format!("at {}: {}", error.path(), error.inner()) })?;
    reader.end().map_err(|error| WireError::Malformed { what, reason: error.to_string() })?;
    Ok(value)
}
