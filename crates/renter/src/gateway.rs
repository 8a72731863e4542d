//! The renter's HTTP client of a gateway.

use std::time::Duration;

use market::{JobId, Offer};
use serde::de::DeserializeOwned;
use url::Url;
use wire::http::{GpuJson, Health, Page, Problem, ReadyBody};

use crate::RenterError;

/// An answer takes at most this long; bulk content has its own limits.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Pages of a list that are read; with 200 entries each this is more than one gateway serves.
const PAGES_MAX: usize = 500;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A gateway as its clients see it.
#[derive(Clone, Debug)]
pub struct GatewayClient {
    base: Url,
    http: reqwest::Client,
}

impl GatewayClient {
    /// A client of the gateway at `base`.
    pub fn new(base: Url) -> Result<Self, RenterError> {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|err| Self::problem(&base, err.to_string(), false))?;
        Ok(Self { base, http })
    }

    /// Where it is.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Whether it lives and which market it serves.
    pub async fn health(&self) -> Result<Health, RenterError> {
        self.get("api/v1/health").await
    }

    /// Everything that is offered through it, each entry parsed; what cannot be read is an error, not a gap.
    pub async fn gpus(&self) -> Result<Vec<GpuJson>, RenterError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let mut path = "api/v1/gpus?limit=200".to_owned();
            if let Some(cursor) = &cursor {
                path.push_str(&format!("&cursor={cursor}"));
            }
            let page: Page<GpuJson> = self.get(&path).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// The same as offers.
    pub async fn offers(&self) -> Result<Vec<Offer>, RenterError> {
        self.gpus().await?.iter().map(|gpu| Ok(Offer::try_from(gpu)?)).collect()
    }

    /// Hands the controller's signature to the agent.
    pub async fn ready(&self, job: JobId, body: &ReadyBody) -> Result<(), RenterError> {
        let url = self.url(&format!("api/v1/jobs/{job}/ready"))?;
        let answer = self.http.post(url).json(body).send().await;
        self.checked(answer).await.map(drop)
    }

    /// The WebSocket address of the feeds.
    pub(crate) fn feed_url(&self) -> Result<Url, RenterError> {
        let mut url = self.url("api/v1/ws")?;
        let scheme = if self.base.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).map_err(|()| Self::problem(&self.base, "is no HTTP address".into(), false))?;
        Ok(url)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RenterError> {
        let answer = self.http.get(self.url(path)?).send().await;
        let body = self.checked(answer).await?;
        serde_json::from_slice(&body)
            .map_err(|err| Self::problem(&self.base, format!("gave an answer that cannot be read: {err}"), false))
    }

    async fn checked(&self, answer: reqwest::Result<reqwest::Response>) -> Result<Vec<u8>, RenterError> {
        let unreachable = |err: &reqwest::Error| {
            Self::problem(&self.base, format!("does not answer ({err}); is it running? `bourse doctor` looks"), true)
        };
        let mut answer = answer.map_err(|err| unreachable(&err))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|err| unreachable(&err))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Self::problem(&self.base, "gave an answer beyond all limits".into(), false));
            }
            body.extend_from_slice(&chunk);
        }
        if answer.status().is_success() {
            return Ok(body);
        }
        let said = serde_json::from_slice::<Problem>(&body).map_or_else(|_| String::new(), |problem| problem.detail);
        let retryable = answer.status().is_server_error() || answer.status().as_u16() == 404;
        Err(Self::problem(&self.base, format!("answered {}: {said}", answer.status()), retryable))
    }

    fn url(&self, path: &str) -> Result<Url, RenterError> {
        self.base.join(path).map_err(|err| Self::problem(&self.base, format!("is no usable address: {err}"), false))
    }

    fn problem(base: &Url, problem: String, retryable: bool) -> RenterError {
        RenterError::Gateway { url: base.to_string(), problem, retryable }
    }
}
