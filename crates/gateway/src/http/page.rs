//! Queries and pages: parameters that name what is wrong with them, cursors that nobody needs to understand.

use alloy_primitives::hex;
use axum::{
    extract::{FromRequestParts, Query as AxumQuery},
    http::{Uri, request::Parts},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{GatewayError, config::PAGE_MAX};

/// The longest cursor that is looked at; ours are shorter.
const CURSOR_BYTES_MAX: usize = 512;
/// The longest value of a filter: longer words are in no listing.
const TEXT_BYTES_MAX: usize = 128;

/// The parameters of a request. One that is unknown, twice there or out of its range is refused by name.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, GatewayError> {
        Self::of(&parts.uri)
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// The parameters of `uri`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, GatewayError> {
        let AxumQuery(wish) = AxumQuery::try_from_uri(uri).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason);
            let (field, reason) = blamed(text);
            malformed(field, reason)
        })?;
        Ok(Self(wish))
    }
}

/// The parameter that an error names: `limit: invalid digit found in string`, or ``duplicate field `limit` ``.
fn blamed(text: &str) -> (&str, &str) {
    match text.split_once(": ") {
        Some((field, reason)) if !field.contains(' ') => (field, reason),
        _ => (text.split('`').nth(1).filter(|_| text.contains(" field `")).unwrap_or("query"), text),
    }
}

/// How many entries a page has.
pub(crate) fn limit(wished: Option<usize>) -> Result<usize, GatewayError> {
    match wished.unwrap_or(PAGE_MAX) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(malformed("limit", format!("a page has 1 to {PAGE_MAX} entries"))),
    }
}

/// The cursor of a place in a list.
pub(crate) fn cursor(place: &impl Serialize) -> String {
    // A place is a handful of numbers and ids; an empty text would only mean that this stops being so.
    hex::encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place that a cursor names.
pub(crate) fn place<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, GatewayError> {
    let bad = || malformed("cursor", "take it as the page before gave it, with the same filters, or leave it out");
    let Some(cursor) = cursor else { return Ok(None) };
    if cursor.len() > CURSOR_BYTES_MAX {
        return Err(bad());
    }
    let bytes = hex::decode(cursor).map_err(|_| bad())?;
    serde_json::from_slice(&bytes).map(Some).map_err(|_| bad())
}

/// A page of at most `limit` of `items`, of which one more was fetched if there is one, and where the next one begins.
pub(crate) fn page<T, P: Serialize>(
    mut items: Vec<T>,
    limit: usize,
    place: impl FnOnce(&T) -> P,
) -> wire::http::Page<T> {
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| is_more).map(|last| cursor(&place(last)));
    wire::http::Page { items, next_cursor }
}

/// A filter's words, if they can be in a list at all.
pub(crate) fn text<'a>(field: &str, value: Option<&'a str>) -> Result<Option<&'a str>, GatewayError> {
    match value {
        Some(value) if value.len() > TEXT_BYTES_MAX => {
            Err(malformed(field, format!("at most {TEXT_BYTES_MAX} bytes are compared")))
        }
        value => Ok(value.map(str::trim).filter(|value| !value.is_empty())),
    }
}

/// A time as the chain counts it; before 1970 there is none.
pub(crate) fn seconds(at: jiff::Timestamp) -> market::Timestamp {
    market::Timestamp(at.as_second().try_into().unwrap_or(0))
}

pub(crate) fn malformed(field: &str, reason: impl Into<String>) -> GatewayError {
    GatewayError::Malformed { field: field.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let at = (7u64, "é".to_owned());
        assert_eq!(place(Some(&cursor(&at))).unwrap(), Some(at));
        assert_eq!(place::<u64>(None).unwrap(), None);
        for bad in ["", "zz", "7b", "00", &"7".repeat(CURSOR_BYTES_MAX + 1)] {
            assert!(place::<(u64, String)>(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_blames_the_parameter_that_it_names() {
        assert_eq!(blamed("limit: invalid digit found in string"), ("limit", "invalid digit found in string"));
        assert_eq!(blamed("duplicate field `limit`").0, "limit");
        assert_eq!(blamed("missing field `since`").0, "since");
        assert_eq!(blamed("something else").0, "query");
    }

    #[test]
    fn only_a_page_with_a_successor_has_a_cursor() {
        let of = |count: u64| page((0..count).collect(), 2, |last| *last);
        assert_eq!((of(2).items.len(), of(2).next_cursor), (2, None));
        assert_eq!((of(3).items.len(), of(3).next_cursor), (2, Some(cursor(&1u64))));
        assert_eq!(of(0).next_cursor, None);
    }
}
