//! What a request to the gateway asks for, from its query and its `Accept`.

use axum::http::{HeaderMap, StatusCode, header};

use crate::car::{DagScope, EntityBytes};
use crate::problem::Problem;

pub(super) const RAW_TYPE: &str = "application/vnd.ipld.raw";
pub(super) const CAR_TYPE: &str = "application/vnd.ipld.car";

/// What is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The block itself.
    Raw,
    /// Blocks in a CAR.
    Car { scope: DagScope, bytes: Option<EntityBytes> },
    /// The content of a file.
    File,
}

/// A form and whether the query named it; else a cache must look at `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) form: Form,
    pub(super) by_query: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Raw,
    Car,
    File,
}

/// Decides the form; `format` in the query wins over `Accept`.
pub(super) fn negotiate(query: &str, headers: &HeaderMap, deserialized: bool) -> Result<Wanted, Problem> {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    let by_query = value("format").is_some();
    let (format, parameters) = match value("format") {
        Some("raw") => (Format::Raw, String::new()),
        Some("car") => (Format::Car, String::new()),
        Some(other) => return Err(not_acceptable(&format!("format={other}"))),
        None => accepted(headers, deserialized)?,
    };
    let form = match format {
        Format::Raw => Form::Raw,
        Format::File => Form::File,
        Format::Car => {
            let parameter = |name: &str| {
                let in_type = parameters.split(';').filter_map(|part| part.trim().split_once('='));
                let mut in_type = in_type.filter(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'));
                value(&format!("car-{name}")).or_else(|| in_type.next())
            };
            match (parameter("version"), parameter("order"), parameter("dups")) {
                (None | Some("1"), None | Some("dfs" | "unk"), None | Some("y" | "n")) => {}
                _ => return Err(not_acceptable("a CAR other than version=1, order=dfs")),
            }
            car(value("dag-scope"), value("entity-bytes"))?
        }
    };
    Ok(Wanted { form, by_query })
}

fn not_acceptable(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_ACCEPTABLE, format!("{what} is not served here; ask for format=raw or format=car"))
}

fn accepted(headers: &HeaderMap, deserialized: bool) -> Result<(Format, String), Problem> {
    let accept: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = accept.join(",");
    let mut first = None;
    let mut is_open = accept.trim().is_empty();
    for entry in accept.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (kind, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let kind = kind.trim().to_ascii_lowercase();
        match kind.as_str() {
            RAW_TYPE => return Ok((Format::Raw, String::new())),
            CAR_TYPE => return Ok((Format::Car, parameters.to_owned())),
            "*/*" | "application/*" => is_open = true,
            _ if kind.starts_with("application/vnd.ipld.") || kind.starts_with("application/vnd.ipfs.") => {
                first.get_or_insert(kind);
            }
            // Browsers and scripts name many types; a file is a file.
            _ => is_open |= deserialized,
        }
    }
    match first {
        Some(kind) if !is_open => Err(not_acceptable(&kind)),
        _ if deserialized => Ok((Format::File, String::new())),
        _ if is_open => Err(Problem::bad("name a format: format=raw or format=car, or the Accept header for it")),
        _ => Err(not_acceptable(&accept)),
    }
}

fn car(scope: Option<&str>, bytes: Option<&str>) -> Result<Form, Problem> {
    let bytes = bytes.map(entity_bytes).transpose()?;
    let scope = match scope {
        Some("block") => DagScope::Block,
        Some("entity") => DagScope::Entity,
        Some("all") => DagScope::All,
        // A byte range speaks of one file.
        None if bytes.is_some() => DagScope::Entity,
        None => DagScope::All,
        Some(other) => return Err(Problem::bad(format!("dag-scope={other} is none of block, entity, all"))),
    };
    Ok(Form::Car { scope, bytes })
}

fn entity_bytes(text: &str) -> Result<EntityBytes, Problem> {
    let bad = || Problem::bad(format!("entity-bytes={text} is not from:to"));
    let (from, to) = text.split_once(':').ok_or_else(bad)?;
    let from: i64 = from.parse().map_err(|_| bad())?;
    let to: Option<i64> = if to == "*" { None } else { Some(to.parse().map_err(|_| bad())?) };
    let is_backwards = to.is_some_and(|to| (from >= 0) == (to >= 0) && from > to);
    if is_backwards { Err(bad()) } else { Ok(EntityBytes { from, to }) }
}

/// A single `Range` of `size` bytes: `None` for the whole (no range, several, or another unit), an error
/// where it lies outside.
pub(crate) fn byte_range(headers: &HeaderMap, size: u64) -> Result<Option<std::ops::Range<u64>>, ()> {
    let Some(text) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    let Some((from, to)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<u64>();
    let range = match (from.trim().is_empty(), to.trim().is_empty()) {
        (true, true) => return Ok(None),
        (true, false) => number(to).map(|last| size.saturating_sub(last)..if last == 0 { 0 } else { size }),
        (false, true) => number(from).map(|from| from..size),
        (false, false) => match (number(from), number(to)) {
            (Ok(from), Ok(to)) if from <= to => Ok(from..to.saturating_add(1).min(size)),
            _ => return Ok(None),
        },
    };
    match range {
        Ok(range) if range.start < range.end => Ok(Some(range)),
        Ok(_) => Err(()),
        Err(_) => Ok(None),
    }
}

/// Whether `If-None-Match` names `etag`, by weak comparison.
pub(crate) fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}
