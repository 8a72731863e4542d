//! The renter's HTTP client of a gateway.

mod reads;
mod session;
mod wallet;

pub use reads::JobsWanted;
pub use session::Session;

use std::{sync::Arc, time::Duration};

use market::{JobId, Offer};
use reqwest::RequestBuilder;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;
use wire::http::{GpuJson, GpuQuery, Health, Page, Presence, Problem, ReadyBody};

use crate::RenterError;

/// An answer takes at most this long; bulk content has its own limits.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Entries that are asked for at once: the largest page that a gateway gives.
const PAGE: usize = 200;
/// Pages of a list that are read; with 200 entries each this is more than one gateway serves.
const PAGES_MAX: usize = 500;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A gateway as its clients see it.
#[derive(Clone)]
pub struct GatewayClient {
    base: Url,
    http: reqwest::Client,
    /// The bearer token of who is signed in.
    token: Option<Arc<str>>,
}

impl std::fmt::Debug for GatewayClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let who = if self.token.is_some() { "signed in" } else { "not signed in" };
        write!(f, "GatewayClient({}, {who})", self.base)
    }
}

impl GatewayClient {
    /// A client of the gateway at `base`.
    pub fn new(base: Url) -> Result<Self, RenterError> {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|err| Self::problem(&base, err.to_string(), false))?;
        Ok(Self { base, http, token: None })
    }

    /// The same, signed in.
    #[must_use]
    pub fn with_session(self, session: &Session) -> Self {
        Self { token: Some(session.token().into()), ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Whether it lives, which market it serves, and who watches there.
    pub async fn health(&self) -> Result<Health, RenterError> {
        self.get("api/v1/health", &[]).await
    }

    /// What it lists and fits the query, each entry parsed; what cannot be read is an error, not a gap. All pages are
    /// read, up to `limit` entries where the query has one.
    pub async fn search(&self, query: &GpuQuery) -> Result<Vec<GpuJson>, RenterError> {
        let wished = GpuQuery { limit: None, cursor: None, ..query.clone() };
        self.all("api/v1/gpus", &pairs(&wished), query.limit).await
    }

    /// What a job could be ordered on: all that is listed, but for what nobody hears.
    pub async fn offers(&self) -> Result<Vec<Offer>, RenterError> {
        let listed = self.search(&GpuQuery::default()).await?;
        let heard = listed.iter().filter(|gpu| gpu.status != Presence::Offline);
        heard.map(|gpu| Ok(Offer::try_from(gpu)?)).collect()
    }

    /// Hands the controller's signature to the agent.
    pub async fn ready(&self, job: JobId, body: &ReadyBody) -> Result<(), RenterError> {
        self.post(&format!("api/v1/jobs/{job}/ready"), body).await.map(drop)
    }

    /// The WebSocket address of the feeds.
    pub(crate) fn feed_url(&self) -> Result<Url, RenterError> {
        let mut url = self.url("api/v1/ws")?;
        let scheme = if self.base.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).map_err(|()| Self::problem(&self.base, "is no HTTP address".into(), false))?;
        Ok(url)
    }

    /// A list, page after page, up to `most` entries.
    async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(String, String)],
        most: Option<usize>,
    ) -> Result<Vec<T>, RenterError> {
        let most = most.unwrap_or(usize::MAX);
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let mut query = query.to_vec();
            query.push(("limit".into(), PAGE.min(most - all.len()).to_string()));
            query.extend(cursor.map(|cursor| ("cursor".into(), cursor)));
            let page: Page<T> = self.get(path, &query).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() || all.len() >= most {
                break;
            }
        }
        all.truncate(most);
        Ok(all)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(String, String)]) -> Result<T, RenterError> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let body = self.answer(self.http.get(url)).await?;
        self.parsed(&body)
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<Vec<u8>, RenterError> {
        self.answer(self.http.post(self.url(path)?).json(body)).await
    }

    fn parsed<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, RenterError> {
        serde_json::from_slice(body)
            .map_err(|err| Self::problem(&self.base, format!("gave an answer that cannot be read: {err}"), false))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, RenterError> {
        let unreachable = |err: &reqwest::Error| {
            Self::problem(&self.base, format!("does not answer ({err}); is it running? `bourse doctor` looks"), true)
        };
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let mut answer = request.send().await.map_err(|err| unreachable(&err))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|err| unreachable(&err))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Self::problem(&self.base, "gave an answer beyond all limits".into(), false));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status();
        if status.is_success() {
            return Ok(body);
        }
        let said = serde_json::from_slice::<Problem>(&body).map_or_else(|_| String::new(), |problem| problem.detail);
        let problem = format!("answered {status}: {said}");
        if status.as_u16() == 404 {
            return Err(RenterError::NotThere { url: self.base.to_string(), problem });
        }
        let retryable = status.is_server_error() || status.as_u16() == 429;
        Err(Self::problem(&self.base, problem, retryable))
    }

    fn url(&self, path: &str) -> Result<Url, RenterError> {
        self.base.join(path).map_err(|err| Self::problem(&self.base, format!("is no usable address: {err}"), false))
    }

    fn problem(base: &Url, problem: String, retryable: bool) -> RenterError {
        RenterError::Gateway { url: base.to_string(), problem, retryable }
    }
}

/// The query's fields that restrict, as they stand in an address.
fn pairs(query: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_only_what_restricts() {
        let query = GpuQuery {
            q: Some("rtx 4090&x".into()),
            min_vram: Some(24_576),
            simulated: Some(false),
            ..GpuQuery::default()
        };
        let mut url: Url = "http://g/api/v1/gpus".parse().unwrap();
        url.query_pairs_mut().extend_pairs(pairs(&query));
        let mut asked: Vec<_> = url.query().unwrap().split('&').collect();
        asked.sort_unstable();
        assert_eq!(asked, ["min_vram=24576", "q=rtx+4090%26x", "simulated=false"]);
    }

    #[test]
    fn a_client_does_not_tell_its_token() {
        let session = Session::sample("secret-token");
        let client = GatewayClient::new("http://127.0.0.1:1".parse().unwrap()).unwrap().with_session(&session);
        assert!(!format!("{client:?} {session:?}").contains("secret-token"));
    }
}
