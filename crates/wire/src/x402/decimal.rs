//! Amounts as decimal strings of smallest units: JavaScript's numbers are too narrow.

use serde::{Deserialize, Deserializer, Serializer, de};

/// Digits only: no sign, no point, no spaces.
pub(super) fn parse(text: &str) -> Option<u128> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

pub(super) fn serialize<S: Serializer>(value: &u128, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is no whole number of smallest units in range")))
}

pub(super) mod maybe {
    //! The same where the field may be absent, `null` or empty.

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in super::super) fn serialize<S: Serializer>(value: &Option<u128>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u128>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let bad = || de::Error::custom(format!("{text:?} is no whole number of smallest units in range"));
        super::parse(&text).map(Some).ok_or_else(bad)
    }
}
