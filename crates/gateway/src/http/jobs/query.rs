//! What can be asked of the list of jobs.

use alloy_primitives::{Address, B256};
use axum::{extract::FromRequestParts, http::request::Parts};
use market::{ResourceId, Status};
use serde::Deserialize;
use store::JobFilter;
use url::form_urlencoded;
use utoipa::IntoParams;
use wire::http::StatusJson;

use crate::{GatewayError, http::page::malformed};

/// In these, money may still move.
const LIVE: [Status; 5] = [Status::Created, Status::Accepted, Status::Running, Status::Paused, Status::Silent];
/// In these, nothing runs any more.
const ENDED: [Status; 4] = [Status::Ended, Status::Disputed, Status::Final, Status::Cancelled];
/// What may be asked, in words.
const NAMES: &str = "renter, controller, provider, resource, status, live, limit, cursor";

/// What is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobQuery {
    /// Who pays.
    #[param(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub(crate) renter: Option<Address>,
    /// Who signs Ready and may stop.
    #[param(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub(crate) controller: Option<Address>,
    /// The provider's number.
    pub(crate) provider: Option<u32>,
    /// The rented resource.
    #[param(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub(crate) resource: Option<B256>,
    /// Any of these; given several times, or once with commas between them.
    #[param(value_type = Option<Vec<StatusJson>>, style = Form, explode)]
    pub(crate) status: Vec<StatusJson>,
    /// `true`: only jobs that are not over; `false`: only those that are.
    pub(crate) live: Option<bool>,
    /// Entries of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<usize>,
    /// Where the page begins, as the page before said.
    pub(crate) cursor: Option<String>,
}

impl JobQuery {
    /// Reads a query string, naming what is wrong with it.
    pub(crate) fn read(query: &str) -> Result<Self, GatewayError> {
        let mut asked = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name != "status" && seen.contains(&name) {
                return Err(malformed(&name, "is given twice; leave one"));
            }
            match &*name {
                "renter" => asked.renter = Some(parsed(&name, &value, "an address: 0x and 40 hexadecimal digits")?),
                "controller" => {
                    asked.controller = Some(parsed(&name, &value, "an address: 0x and 40 hexadecimal digits")?);
                }
                "provider" => asked.provider = Some(parsed(&name, &value, "a provider's number")?),
                "resource" => asked.resource = Some(parsed(&name, &value, "an id: 0x and 64 hexadecimal digits")?),
                "status" => {
                    for word in value.split(',') {
                        let status = status(word.trim())?;
                        // However often it is said, the database is asked for it once.
                        if !asked.status.contains(&status) {
                            asked.status.push(status);
                        }
                    }
                }
                "live" => asked.live = Some(parsed(&name, &value, "true or false")?),
                "limit" => asked.limit = Some(parsed(&name, &value, "a number from 1 to 200")?),
                "cursor" => asked.cursor = Some(value.into_owned()),
                other => {
                    let other: String = other.chars().take(40).collect();
                    return Err(malformed(&other, format!("is not known here; there are {NAMES}")));
                }
            }
            seen.push(name);
        }
        Ok(asked)
    }

    /// The rows that are meant.
    pub(crate) fn filter(&self) -> JobFilter {
        let kind: &[Status] = match self.live {
            None => &[],
            Some(true) => &LIVE,
            Some(false) => &ENDED,
        };
        let asked: Vec<Status> = self.status.iter().copied().map(Status::from).collect();
        let statuses = match (kind.is_empty(), asked.is_empty()) {
            (true, _) => asked,
            (false, true) => kind.to_vec(),
            (false, false) => kind.iter().copied().filter(|status| asked.contains(status)).collect(),
        };
        JobFilter {
            renter: self.renter,
            controller: self.controller,
            provider: self.provider,
            resource: self.resource.map(|id| ResourceId(id.0)),
            statuses,
            ..JobFilter::default()
        }
    }

    /// No job is at once what `live` and what `status` ask for.
    pub(crate) fn is_contradictory(&self) -> bool {
        !self.status.is_empty() && self.filter().statuses.is_empty()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for JobQuery {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, GatewayError> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

fn status(word: &str) -> Result<StatusJson, GatewayError> {
    #[derive(Deserialize)]
    struct Word(StatusJson);
    let read: Result<Word, _> = serde_json::from_value(serde_json::Value::String(word.to_owned()));
    let names = "created, accepted, running, paused, silent, ended, disputed, final, cancelled";
    read.map(|Word(status)| status).map_err(|_| {
        let word: String = word.chars().take(40).collect();
        malformed("status", format!("{word:?} is none of {names}"))
    })
}

fn parsed<T: std::str::FromStr>(name: &str, text: &str, expected: &str) -> Result<T, GatewayError> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(80).collect();
        malformed(name, format!("{text:?} is not {expected}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str, words: &str) {
        let error = JobQuery::read(query).unwrap_err().to_string();
        assert!(error.contains(words), "{query}: {error}");
    }

    #[test]
    fn statuses_come_in_a_list_or_one_by_one() {
        let read = |query: &str| JobQuery::read(query).unwrap().status;
        assert_eq!(read("status=running,paused"), read("status=running&status=paused"));
        assert_eq!(read("status=running%2C%20paused"), [StatusJson::Running, StatusJson::Paused]);
        assert_eq!(read("status=final,final&status=final"), [StatusJson::Final], "each once");
        assert_eq!(JobQuery::read("").unwrap(), JobQuery::default());
    }

    #[test]
    fn live_and_status_narrow_each_other() {
        let statuses = |query: &str| JobQuery::read(query).unwrap().filter().statuses;
        assert_eq!(statuses("live=true&status=running,final"), [Status::Running]);
        assert_eq!(statuses("live=false").len() + statuses("live=true").len(), 9, "each status is one or the other");
        assert!(JobQuery::read("live=true&status=final").unwrap().is_contradictory());
        assert!(!JobQuery::read("status=final").unwrap().is_contradictory());
        assert!(!JobQuery::read("live=true").unwrap().is_contradictory());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        refused("renter=0x12", "renter: \"0x12\" is not an address");
        refused("provider=-1", "provider");
        refused("provider=4294967296", "provider");
        refused("resource=' OR 1=1 --", "resource");
        refused("status=laufend", "status: \"laufend\" is none of created");
        refused("status=", "status");
        refused("live=yes", "live");
        refused("limit=1e3", "limit");
        refused("renter=0x00&renter=0x00", "renter");
        refused("live=true&live=false", "live: is given twice");
        refused("owner=0x00", "owner: is not known here; there are renter");
        refused("%F0%9F%92%A9=1", "is not known here");
    }
}
