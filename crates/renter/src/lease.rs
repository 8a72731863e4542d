//! Time bought by the tick, over x402: the price of a tick is known, so its voucher goes with the request and one round
//! trip pays.

mod answer;
mod sign;

use std::time::Duration;

use alloy_primitives::{Address, B256};
use chain::{Channels, Erc20, Wallet};
use market::{PerHour, Seconds};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;
use wire::{
    http::{LeaseBody, LeaseJson, LeaseOpenedJson, LeaseResultJson, LogsJson, TickBody},
    x402::{
        self, BatchOffer, BatchPayload, ChannelConfig, PAYMENT_SIGNATURE, PaymentRequired, PaymentV2, Requirements,
        typed,
    },
};

use crate::RenterError;
use answer::{Answered, RefundedJson, body, failed, is_unsettled, problem, required};

/// An answer takes at most this long: a deposit is mined and an agent asks its chain before the first.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// The same payment is sent so often when nobody knows what became of it. It is charged once.
const TRIES: u32 = 4;

/// Opens and pays leases with one wallet.
#[derive(Clone, Debug)]
pub struct LeaseClient {
    base: Url,
    http: reqwest::Client,
    wallet: Wallet,
    token: Erc20,
    channels: Channels,
    collector: Address,
}

/// What opening a lease would cost, before anything is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasePreview {
    /// What the set-up costs.
    pub setup: u128,
    /// The least deposit into the channel; what is not used of it comes back.
    pub min_deposit: u128,
    /// What the channel holds already and nobody has charged.
    pub at_hand: u128,
    /// Who is paid.
    pub receiver: Address,
    requirements: Requirements,
    config: ChannelConfig,
}

/// An open lease, and where its channel stands. It can be written down and taken up again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenLease {
    /// Its id.
    pub id: B256,
    /// Reads and stops it.
    pub capability: String,
    /// The channel that pays.
    pub config: ChannelConfig,
    requirements: Requirements,
    /// What was charged to the channel in all.
    pub charged: u128,
    /// Smallest units an hour.
    pub price: u128,
    /// Seconds that are paid for.
    pub paid_s: u64,
    /// Seconds of a tick.
    pub tick_s: u32,
}

/// What came back of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRefund {
    /// The channel, which is empty now.
    pub channel: B256,
    /// Smallest units.
    pub amount: u128,
    /// The transaction that gave them back.
    pub tx: Option<B256>,
}

impl LeaseClient {
    /// A client of the gateway at `base` that pays out of channels at `contracts` in `token`.
    pub fn new(
        base: Url,
        wallet: Wallet,
        token: Erc20,
        channels: Channels,
        collector: Address,
    ) -> Result<Self, RenterError> {
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build();
        let http = http.map_err(|err| problem(&base, err.to_string(), false))?;
        Ok(Self { base, http, wallet, token, channels, collector })
    }

    /// What opening would cost. Pays nothing.
    pub async fn preview(&self, body: &LeaseBody) -> Result<LeasePreview, RenterError> {
        let answer = self.send(self.post("api/v1/x402/leases")?.json(body)).await?;
        let required = required(&self.base, answer).await?;
        let requirements = required.accepts.into_iter().find(|way| way.scheme == x402::BATCH_SETTLEMENT);
        let untrue = |detail: &str| RenterError::Untrue { what: "the gateway's offer", detail: detail.into() };
        let requirements = requirements.ok_or_else(|| untrue("it names no payment channel"))?;
        let offer = BatchOffer::of_extra(&requirements.extra).ok_or_else(|| untrue("it cannot be read"))?;
        if requirements.asset != self.token.address() {
            return Err(untrue("it asks for another token than the market settles in"));
        }
        if requirements.network.0 != self.channels.chain().id() {
            return Err(untrue("it asks for money on another chain"));
        }
        let config = ChannelConfig {
            payer: self.wallet.address(),
            payer_authorizer: self.wallet.address(),
            receiver: requirements.pay_to,
            receiver_authorizer: offer.receiver_authorizer,
            token: requirements.asset,
            withdraw_delay: offer.withdraw_delay,
            salt: B256::ZERO,
        };
        let held = self.channels.channel(self.channel(&config)).await?;
        Ok(LeasePreview {
            setup: requirements.amount,
            min_deposit: offer.min_deposit.unwrap_or(requirements.amount),
            at_hand: held.balance - held.claimed.min(held.balance),
            receiver: requirements.pay_to,
            requirements,
            config,
        })
    }

    /// Opens a lease, with a deposit where one is given. `charged` is what is known to be charged to the channel; where it
    /// is not right, the gateway shows the wallet's own signature over what is.
    pub async fn open(
        &self,
        body: &LeaseBody,
        preview: &LeasePreview,
        deposit: Option<u128>,
    ) -> Result<OpenLease, RenterError> {
        let (config, requirements) = (&preview.config, &preview.requirements);
        let deposit = match deposit {
            Some(amount) => Some(self.sign_deposit(config, amount)?),
            None => None,
        };
        let mut charged = self.channels.channel(self.channel(config)).await?.claimed;
        let mut corrected = false;
        loop {
            let voucher = self.sign_voucher(config, charged.saturating_add(requirements.amount))?;
            let channel_config = config.clone();
            let payload = match deposit.clone() {
                Some(deposit) => BatchPayload::Deposit { channel_config, voucher, deposit },
                None => BatchPayload::Voucher { channel_config, voucher },
            };
            let request = self.post("api/v1/x402/leases")?.json(body);
            match self.pay(request, requirements, &payload).await? {
                Answered::Done(body) => {
                    let opened: LeaseOpenedJson = self.parsed(&body)?;
                    return self.opened(preview, opened, charged.saturating_add(requirements.amount));
                }
                Answered::Required(required) if !corrected => {
                    charged = self.corrected(config, &required)?;
                    corrected = true;
                }
                Answered::Required(required) => return Err(self.refused(&required)),
            }
        }
    }

    fn opened(&self, preview: &LeasePreview, opened: LeaseOpenedJson, charged: u128) -> Result<OpenLease, RenterError> {
        let price = opened.lease.price_per_hour.amount.parse();
        let price = price.map_err(|_| problem(&self.base, "gave no readable price".into(), false))?;
        Ok(OpenLease {
            id: opened.lease_id,
            capability: opened.capability,
            config: preview.config.clone(),
            requirements: preview.requirements.clone(),
            charged,
            price,
            paid_s: opened.lease.paid_s,
            tick_s: opened.lease.tick_s,
        })
    }

    /// Pays for the next `seconds` in one round trip. What nobody knows the outcome of is sent again, the same: it is
    /// charged once.
    pub async fn tick(&self, lease: &mut OpenLease, seconds: u32) -> Result<LeaseJson, RenterError> {
        let cost = |seconds| PerHour(lease.price).cost(Seconds(seconds)).0;
        let amount = cost(lease.paid_s + u64::from(seconds)) - cost(lease.paid_s);
        let requirements = Requirements { amount, ..lease.requirements.clone() };
        let path = format!("api/v1/x402/leases/{}/tick", lease.id);
        let mut corrected = false;
        loop {
            let voucher = self.sign_voucher(&lease.config, lease.charged.saturating_add(amount))?;
            let payload = BatchPayload::Voucher { channel_config: lease.config.clone(), voucher };
            let request = self.post(&path)?.json(&TickBody { seconds: Some(seconds) });
            match self.pay(request, &requirements, &payload).await? {
                Answered::Done(body) => {
                    let told: LeaseJson = self.parsed(&body)?;
                    (lease.charged, lease.paid_s) = (lease.charged.saturating_add(amount), told.paid_s);
                    return Ok(told);
                }
                Answered::Required(required) if !corrected => {
                    lease.charged = self.corrected(&lease.config, &required)?;
                    corrected = true;
                }
                Answered::Required(required) => return Err(self.refused(&required)),
            }
        }
    }

    /// Where a lease stands.
    pub async fn show(&self, lease: &OpenLease) -> Result<LeaseJson, RenterError> {
        self.get(lease, "").await
    }

    /// What its program said after number `since`.
    pub async fn logs(&self, lease: &OpenLease, since: u64) -> Result<LogsJson, RenterError> {
        self.get(lease, &format!("/logs?since={since}")).await
    }

    /// What it left, once it is over.
    pub async fn result(&self, lease: &OpenLease) -> Result<LeaseResultJson, RenterError> {
        self.get(lease, "/result").await
    }

    /// Stops its program: the clock stands at once.
    pub async fn stop(&self, lease: &OpenLease) -> Result<LeaseJson, RenterError> {
        let request = self.post(&format!("api/v1/x402/leases/{}/stop", lease.id))?.bearer_auth(&lease.capability);
        self.done(self.send(request).await?).await
    }

    /// Takes the rest of the channel back, once none of its leases is open.
    pub async fn refund(&self, lease: &mut OpenLease) -> Result<LeaseRefund, RenterError> {
        let mut corrected = false;
        loop {
            let voucher = self.sign_voucher(&lease.config, lease.charged)?;
            let payload = BatchPayload::Refund {
                channel_config: lease.config.clone(),
                voucher,
                amount: None,
                refund_nonce: None,
                claims: Vec::new(),
                refund_authorizer_signature: None,
                claim_authorizer_signature: None,
            };
            let request = self.post(&format!("api/v1/x402/leases/{}/tick", lease.id))?;
            match self.pay(request, &lease.requirements, &payload).await? {
                Answered::Done(body) => return self.refunded(&body),
                // Another lease of the channel may have been charged since.
                Answered::Required(required) if !corrected => {
                    lease.charged = self.corrected(&lease.config, &required)?;
                    corrected = true;
                }
                Answered::Required(required) => return Err(self.refused(&required)),
            }
        }
    }

    fn refunded(&self, body: &[u8]) -> Result<LeaseRefund, RenterError> {
        let told: RefundedJson = self.parsed(body)?;
        let amount = told.refunded.parse();
        let amount = amount.map_err(|_| problem(&self.base, "gave back no readable amount".into(), false))?;
        Ok(LeaseRefund { channel: told.channel_id, amount, tx: told.tx })
    }

    fn channel(&self, config: &ChannelConfig) -> B256 {
        config.id_at(self.channels.chain().id(), self.channels.address())
    }

    /// What is charged according to a corrective 402: believed only with this wallet's own signature over it.
    fn corrected(&self, config: &ChannelConfig, required: &PaymentRequired) -> Result<u128, RenterError> {
        let offers = required.accepts.iter().filter_map(|way| BatchOffer::of_extra(&way.extra));
        let Some((state, voucher)) = offers.filter_map(|offer| offer.channel_state.zip(offer.voucher_state)).next()
        else {
            return Err(self.refused(required));
        };
        let charged = state.charged_cumulative_amount.unwrap_or(state.total_claimed);
        let signed = voucher.signed_max_claimable.zip(voucher.signature);
        let separator = typed::batch_domain(self.channels.chain().id(), self.channels.address()).separator();
        let is_ours = signed.is_some_and(|(max, signature)| {
            let digest = typed::voucher_digest(&separator, &self.channel(config), max);
            max >= charged && signature.signer_of_hash(digest) == Some(config.payer_authorizer)
        });
        if is_ours || charged <= state.total_claimed {
            return Ok(charged);
        }
        let detail = format!("it says that {charged} was charged, and shows no signature of this wallet over that");
        Err(RenterError::Untrue { what: "the gateway's word", detail })
    }

    async fn pay(
        &self,
        request: RequestBuilder,
        requirements: &Requirements,
        payload: &BatchPayload,
    ) -> Result<Answered, RenterError> {
        let unreadable = |err: serde_json::Error| RenterError::BadJob(err.to_string());
        let payment = PaymentV2 {
            x402_version: x402::Version,
            resource: None,
            accepted: requirements.clone(),
            payload: serde_json::to_value(payload).map_err(unreadable)?,
            extensions: serde_json::Map::new(),
        };
        let header = x402::encode("the payment", &payment)?;
        let mut last = problem(&self.base, "did not answer".into(), true);
        for _ in 0..TRIES {
            let Some(request) = request.try_clone() else { break };
            match self.send(request.header(PAYMENT_SIGNATURE, &header)).await {
                Ok(answer) if answer.status() == StatusCode::PAYMENT_REQUIRED => {
                    return required(&self.base, answer).await.map(Answered::Required);
                }
                // Nobody knows: the same again is the only thing that is safe.
                Ok(answer) if is_unsettled(answer.status()) => last = failed(&self.base, answer).await,
                Ok(answer) if answer.status().is_success() => return self.body(answer).await.map(Answered::Done),
                Ok(answer) => return Err(failed(&self.base, answer).await),
                Err(error) => last = error,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(last)
    }

    fn refused(&self, required: &PaymentRequired) -> RenterError {
        let why = required.error.clone().unwrap_or_else(|| "no reason".into());
        problem(&self.base, format!("did not take the payment: {why}"), false)
    }

    fn post(&self, path: &str) -> Result<RequestBuilder, RenterError> {
        Ok(self.http.post(self.url(path)?))
    }

    async fn get<T: DeserializeOwned>(&self, lease: &OpenLease, what: &str) -> Result<T, RenterError> {
        let url = self.url(&format!("api/v1/x402/leases/{}{what}", lease.id))?;
        self.done(self.send(self.http.get(url).bearer_auth(&lease.capability)).await?).await
    }

    fn url(&self, path: &str) -> Result<Url, RenterError> {
        self.base.join(path).map_err(|err| problem(&self.base, format!("is no usable address: {err}"), false))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, RenterError> {
        request.send().await.map_err(|err| problem(&self.base, format!("does not answer ({err})"), true))
    }

    async fn done<T: DeserializeOwned>(&self, answer: Response) -> Result<T, RenterError> {
        if !answer.status().is_success() {
            return Err(failed(&self.base, answer).await);
        }
        let body = self.body(answer).await?;
        self.parsed(&body)
    }

    async fn body(&self, answer: Response) -> Result<Vec<u8>, RenterError> {
        body(&self.base, answer).await
    }

    fn parsed<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, RenterError> {
        serde_json::from_slice(body)
            .map_err(|err| problem(&self.base, format!("gave an answer that cannot be read: {err}"), false))
    }
}
