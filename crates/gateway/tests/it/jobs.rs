//! Jobs: bought, read and ended over HTTP.

mod create;
mod hostile;
mod list;
mod read;
mod ready;
mod stop;

use alloy_primitives::B256;
use gateway::GatewayConfig;
use market::{PerHour, ResourceId, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use wire::{
    Terms,
    http::{AuthorizationJson, CreatedJobJson, GpuJson, Presence},
    link::Announced,
};

use crate::{
    sockets::Agent,
    stage::{Answer, Provider, Stage, until},
};

pub(crate) const PRICE: PerHour = PerHour(3_600_000);

impl Stage {
    pub(crate) async fn send_as(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let request = self.http().request(method, self.url(path)).bearer_auth(token).body(body.to_string());
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn post_as(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send_as(Method::POST, path, token, body).await
    }
}

/// A gateway, a processor whose agent is heard, and a renter who is signed in.
pub(crate) struct Shop {
    pub(crate) stage: Stage,
    pub(crate) resource: ResourceId,
    pub(crate) token: String,
    pub(crate) agent: Agent,
}

impl Shop {
    pub(crate) async fn new() -> Self {
        Self::watched(true, |_| ()).await
    }

    pub(crate) async fn watched(watches: bool, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        // A stage is large; what waits for one need not be.
        Box::pin(Self::open(watches, change)).await
    }

    async fn open(watches: bool, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let stage = Stage::watched(watches, change).await;
        let town = &stage.town;
        let resource = town.list(PRICE).await.unwrap();
        stage.indexed().await;
        let listing = stage.market.listing(resource, 0).await.unwrap().unwrap();
        let gpus = vec![Announced { id: B256::from(resource.0), hardware: (&listing.hardware).into() }];
        let provider = Provider { account: town.owner.clone(), agent: town.agent.wallet().clone(), gpus };
        let agent = Agent::welcome(&stage, &provider).await;
        until(async || {
            let shown: GpuJson = stage.get(&format!("/api/v1/gpus/{resource}")).await.json();
            shown.status == Presence::Online
        })
        .await;
        let token = stage.sign_in(town.renter.wallet()).await.token;
        Self { stage, resource, token, agent }
    }

    /// A body that asks what an hour would cost.
    pub(crate) fn wish(&self) -> Value {
        json!({
            "spec": {"version": 1, "image": "bafkqaaa", "resources": {"cpus": 1, "memoryMib": 64, "diskMib": 64}},
            "maxDurationS": 3600,
        })
    }

    pub(crate) async fn quote(&self) -> CreatedJobJson {
        self.stage.post_as("/api/v1/jobs", &self.token, &self.wish()).await.json()
    }

    /// A body that pays for these terms, signed by the renter as the quote asks.
    pub(crate) async fn payment(&self, quote: &CreatedJobJson) -> Value {
        let sign = quote.sign.as_ref().unwrap();
        let before = sign["message"]["validBefore"].as_str().unwrap().parse().unwrap();
        self.signed(quote, before).await
    }

    pub(crate) async fn signed(&self, quote: &CreatedJobJson, valid_before: u64) -> Value {
        let terms = Terms::try_from(&quote.terms).unwrap();
        let renter = self.stage.town.renter.wallet();
        let signed = self.stage.market.authorize(renter, &terms, Timestamp(valid_before)).await.unwrap();
        let authorization = AuthorizationJson {
            valid_after: signed.valid_after.0,
            valid_before: signed.valid_before.0,
            signature: signed.signature,
        };
        json!({"terms": quote.terms, "authorization": authorization})
    }

    /// A job on chain, made by the gateway.
    pub(crate) async fn job(&self) -> Terms {
        let quote = self.quote().await;
        let paid = self.stage.post_as("/api/v1/jobs", &self.token, &self.payment(&quote).await).await;
        assert_eq!(paid.status, 201);
        self.stage.indexed().await;
        Terms::try_from(&quote.terms).unwrap()
    }

    /// Starts the clock of a job with the renter's own word.
    pub(crate) async fn start(&self, terms: &Terms) {
        let town = &self.stage.town;
        let record = B256::repeat_byte(9);
        let at = town.now().await.unwrap();
        let ready = wire::signed::Ready {
            jobId: self.stage.market.job_id(terms).0.into(),
            readyRecord: record,
            at: at.0.try_into().unwrap(),
        };
        let signature = town.renter.wallet().sign(&self.stage.domain(), &ready).unwrap();
        town.agent.start_job(terms, record, at.0, &signature).await.unwrap();
        self.stage.indexed().await;
    }

    pub(crate) fn path(&self, terms: &Terms, rest: &str) -> String {
        format!("/api/v1/jobs/{}{rest}", self.stage.market.job_id(terms))
    }
}
