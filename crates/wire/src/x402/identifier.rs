//! The extension `payment-identifier`: a client's own name for a payment, under which it can ask again.

use serde_json::{Map, Value, json};

use crate::WireError;

/// Key of the extension.
pub const PAYMENT_IDENTIFIER: &str = "payment-identifier";
/// The shortest name.
const MIN: usize = 16;
/// The longest.
const MAX: usize = 128;

/// How a server offers it.
#[must_use]
pub fn identifier_extension(required: bool) -> Value {
    json!({
        "info": { "required": required },
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "required": { "type": "boolean" },
                "id": { "type": "string", "minLength": MIN, "maxLength": MAX, "pattern": "^[a-zA-Z0-9_-]+$" },
            },
            "required": ["required"],
        },
    })
}

/// The name that a client gave its payment, if it gave one.
pub fn payment_identifier(extensions: Option<&Map<String, Value>>) -> Result<Option<&str>, WireError> {
    let info = extensions.and_then(|all| all.get(PAYMENT_IDENTIFIER)).and_then(|one| one.get("info"));
    let Some(id) = info.and_then(|info| info.get("id")).filter(|id| !id.is_null()) else {
        return Ok(None);
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let text = id.as_str().filter(|id| (MIN..=MAX).contains(&id.len()) && id.bytes().all(plain));
    let reason = || format!("a payment's name has {MIN} to {MAX} letters, digits, dashes and underscores");
    text.map(Some).ok_or_else(|| WireError::field("extensions.payment-identifier.info.id", reason()))
}
