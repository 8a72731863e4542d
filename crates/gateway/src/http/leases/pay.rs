//! What all paid calls of leases have in common: the offer, the payment of a request, and what follows from it.

use alloy_primitives::{Address, B256};
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chain::X402;
use market::Timestamp;
use serde_json::{Map, Value, json};
use store::{ChannelRow, VoucherRow};
use wire::{
    link::{LeaseAsk, LeaseOffer, LeaseReply},
    x402::{
        self, BATCH_SETTLEMENT, BatchOffer, BatchPayload, ChannelConfig, ChannelStateJson, Network, PAYMENT_REQUIRED,
        PAYMENT_RESPONSE, PAYMENT_SIGNATURE, Payment, PaymentRequired, Requirements, ResourceInfo, SettleResponse,
        VoucherFields, VoucherStateJson, X_PAYMENT, reason, typed,
    },
};

use super::{ask, deposit};
use crate::{
    GatewayError, auth,
    state::{Shared, now},
};

/// A payment may take this long: a deposit is mined, an agent asks its chain.
const PAID_WITHIN_S: u64 = 60;
/// A deposit is worth its gas: fifty times it, where the set-up is twice it.
const DEPOSIT_SETUPS: u128 = 25;
/// Official clients deposit no more than so many whole tokens by themselves; what needs more is not offered.
const DEPOSIT_TOKENS_MAX: u128 = 5;

/// One thing that is for sale, and the ways to pay for it.
pub(super) struct Sale {
    pub(super) agent: Address,
    pub(super) requirements: Requirements,
    pub(super) resource: ResourceInfo,
}

/// The contracts of this gateway's chain, or the reason why nothing is sold by the tick here.
pub(super) fn contracts(shared: &Shared) -> Result<X402, GatewayError> {
    shared.channels.ok_or_else(|| GatewayError::NotHere {
        what: "this gateway's chain has no payment channels; order a job with POST /api/v1/jobs".into(),
    })
}

/// The least deposit for a resource: an hour of it, and worth its gas.
pub(super) fn min_deposit(offer: &LeaseOffer, price_per_hour: u128) -> u128 {
    price_per_hour.max(offer.setup.saturating_mul(DEPOSIT_SETUPS))
}

/// Whether clients would deposit so much.
pub(super) fn is_affordable(min_deposit: u128, decimals: u8) -> bool {
    min_deposit <= DEPOSIT_TOKENS_MAX.saturating_mul(10_u128.saturating_pow(decimals.into()))
}

impl Sale {
    pub(super) async fn new(
        shared: &Shared,
        (agent, offer): (Address, LeaseOffer),
        (amount, price_per_hour): (u128, u128),
        (headers, path): (&HeaderMap, &str),
    ) -> Result<Self, GatewayError> {
        let token = deposit::token(shared).await?;
        let extra = BatchOffer {
            receiver_authorizer: agent,
            withdraw_delay: offer.withdraw_delay,
            name: token.domain().and_then(|domain| domain.name.as_deref()).unwrap_or_default().to_owned(),
            version: token.version().unwrap_or_default().to_owned(),
            min_deposit: Some(min_deposit(&offer, price_per_hour)),
            channel_state: None,
            voucher_state: None,
        };
        let requirements = Requirements {
            scheme: BATCH_SETTLEMENT.into(),
            network: Network(shared.market.chain().id()),
            amount,
            asset: offer.token,
            pay_to: offer.receiver,
            max_timeout_seconds: PAID_WITHIN_S,
            extra: extra.to_extra(),
        };
        let origin = auth::origins(shared.public_url.as_ref(), headers).pop().unwrap_or_default();
        let resource = ResourceInfo {
            url: format!("{origin}{path}"),
            description: Some("GPU time by the tick".into()),
            mime_type: Some("application/json".into()),
            ..ResourceInfo::default()
        };
        Ok(Self { agent, requirements, resource })
    }

    /// Asks for payment. With where a channel stands, a client can sign what is due and try again.
    pub(super) fn required(
        &self,
        error: &str,
        channel: Option<(ChannelStateJson, VoucherStateJson)>,
    ) -> Result<Response, GatewayError> {
        let mut requirements = self.requirements.clone();
        if let Some((state, voucher)) = channel {
            requirements.extra.insert("channelState".into(), json!(state));
            requirements.extra.insert("voucherState".into(), json!(voucher));
        }
        let required = PaymentRequired {
            x402_version: x402::Version,
            error: Some(error.to_owned()),
            resource: self.resource.clone(),
            accepts: vec![requirements],
            extensions: Map::new(),
        };
        let encoded = x402::encode("the offer", &required)?;
        let mut response = (StatusCode::PAYMENT_REQUIRED, Json(required.to_v1())).into_response();
        put(&mut response, PAYMENT_REQUIRED, &encoded);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    /// An answer that was paid for.
    pub(super) fn paid(
        &self,
        (status, body): (StatusCode, impl serde::Serialize),
        paid: &Paid,
    ) -> Result<Response, GatewayError> {
        let told = SettleResponse {
            success: true,
            transaction: paid.tx.map(|tx| tx.to_string()).unwrap_or_default(),
            network: self.requirements.network.to_string(),
            payer: Some(paid.payer),
            amount: Some(paid.moved.map(|moved| moved.to_string()).unwrap_or_default()),
            extra: Map::from_iter([
                ("chargedAmount".to_owned(), Value::String(paid.charged.to_string())),
                ("channelState".to_owned(), json!(paid.channel)),
            ]),
            ..SettleResponse::default()
        };
        let encoded = x402::encode("the payment's answer", &told)?;
        let mut response = (status, Json(body)).into_response();
        put(&mut response, PAYMENT_RESPONSE, &encoded);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        Ok(response)
    }
}

fn put(response: &mut Response, name: &'static str, value: &str) {
    // Base64 is a header value.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// What became of a payment.
pub(super) struct Paid {
    pub(super) payer: Address,
    pub(super) charged: u128,
    pub(super) channel: ChannelStateJson,
    pub(super) tx: Option<B256>,
    /// Smallest units that moved on chain.
    pub(super) moved: Option<u128>,
}

/// The payment of a request.
pub(super) fn payment(headers: &HeaderMap) -> Result<Option<(Payment, BatchPayload)>, GatewayError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(payment) = Payment::of_headers(text(PAYMENT_SIGNATURE), text(X_PAYMENT))? else { return Ok(None) };
    let payload = payment.batch()?;
    Ok(Some((payment, payload)))
}

/// A voucher on its way to the agent.
pub(super) struct Voucher<'a> {
    pub(super) config: &'a ChannelConfig,
    pub(super) voucher: &'a VoucherFields,
    pub(super) amount: u128,
}

/// Whether the payer's key signed this voucher, told by the code of the refusal. No chain is asked.
pub(super) fn verify(
    shared: &Shared,
    contracts: &X402,
    config: &ChannelConfig,
    voucher: &VoucherFields,
) -> Result<B256, &'static str> {
    let domain = typed::batch_domain(shared.market.chain().id(), contracts.channels);
    let separator = domain.separator();
    let id = config.id(&separator);
    if voucher.channel_id != id {
        return Err(reason::BATCH_CHANNEL_ID);
    }
    let digest = typed::voucher_digest(&separator, &id, voucher.max_claimable_amount);
    let is_signed = voucher.signature.signer_of_hash(digest) == Some(config.payer_authorizer);
    if config.payer_authorizer.is_zero() || !is_signed { Err(reason::BATCH_VOUCHER_SIGNATURE) } else { Ok(id) }
}

/// Relays a voucher: its copy is on disk before, and what the agent made of it after.
pub(super) async fn relay(
    shared: &Shared,
    agent: Address,
    Voucher { config, voucher, amount }: Voucher<'_>,
    call: LeaseAsk,
) -> Result<LeaseReply, GatewayError> {
    let max = voucher.max_claimable_amount;
    let row = VoucherRow {
        id: voucher.channel_id,
        charged: max.saturating_sub(amount),
        signed_max: max,
        signature: Some(voucher.signature),
    };
    // Nothing is kept of a channel that holds nothing: anybody can sign for those.
    let is_kept = match shared.store.channel(row.id).await? {
        Some((channel, _)) if channel.withdraw_at.is_none() => Some(channel.withdraw_at),
        _ => seen(shared, agent, (row.id, config)).await?,
    };
    if is_kept.is_some_and(|withdraw_at| withdraw_at.is_some()) {
        let reason = "a withdrawal from the channel is pending: open another channel".into();
        return Ok(LeaseReply::Refused { code: reason::BATCH_WITHDRAWING.into(), reason, channel: None });
    }
    if is_kept.is_some() {
        shared.store.put_vouchers(&[row]).await?;
    }
    let reply = ask(shared, agent, call).await?;
    match &reply {
        LeaseReply::Taken { channel, .. } | LeaseReply::Refused { channel: Some((channel, _)), .. }
            if channel.channel_id != row.id =>
        {
            return Err(unexpected());
        }
        LeaseReply::Taken { channel, .. } => {
            shared.store.put_channel(&channel_row(config, channel)).await?;
            let charged = channel.charged_cumulative_amount.unwrap_or(max);
            shared
                .store
                .put_vouchers(&[VoucherRow { charged, signed_max: row.signed_max.max(charged), ..row }])
                .await?;
        }
        LeaseReply::Refused { channel: Some((channel, newest)), .. } if is_kept.is_some() => {
            shared.store.put_channel(&channel_row(config, channel)).await?;
            let charged = channel.charged_cumulative_amount.unwrap_or_default();
            let signed_max = newest.signed_max_claimable.unwrap_or(charged);
            let told = VoucherRow { id: row.id, charged, signed_max, signature: newest.signature };
            shared.store.put_vouchers(&[told]).await?;
        }
        _ => {}
    }
    Ok(reply)
}

/// Asks the agent to read a channel that is not known here, or that was said to be leaving, and keeps what it says. Gives
/// whether money leaves it; nothing where the channel holds nothing.
async fn seen(
    shared: &Shared,
    agent: Address,
    (id, config): (B256, &ChannelConfig),
) -> Result<Option<Option<Timestamp>>, GatewayError> {
    match ask(shared, agent, LeaseAsk::Channel { config: config.clone() }).await? {
        LeaseReply::Channel { channel, .. } if channel.channel_id != id => Err(unexpected()),
        LeaseReply::Channel { channel, .. } if channel.balance > 0 => {
            let row = channel_row(config, &channel);
            shared.store.put_channel(&row).await?;
            Ok(Some(row.withdraw_at))
        }
        LeaseReply::Channel { .. } => Ok(None),
        LeaseReply::Refused { .. } => Ok(None),
        _ => Err(unexpected()),
    }
}

fn channel_row(config: &ChannelConfig, told: &ChannelStateJson) -> ChannelRow {
    ChannelRow {
        id: told.channel_id,
        config: config.clone(),
        balance: told.balance,
        claimed: told.total_claimed,
        withdraw_at: (told.withdraw_requested_at > 0).then_some(Timestamp(told.withdraw_requested_at)),
        refund_nonce: told.refund_nonce,
        synced_at: Timestamp(now()),
        claimed_at: Timestamp(now()),
    }
}

/// What a payer gets who was refused: where he can do better, a 402 with what is due; else the reason, unpaid.
pub(super) fn refused(
    sale: &Sale,
    code: &str,
    why: String,
    channel: Option<(ChannelStateJson, VoucherStateJson)>,
) -> Result<Response, GatewayError> {
    match code {
        _ if channel.is_some() => sale.required(code, channel),
        reason::BATCH_BUSY | reason::BATCH_WITHDRAWING => Err(GatewayError::Conflict { what: why }),
        reason::BATCH_STATE_UNAVAILABLE => Err(GatewayError::Unavailable { what: why }),
        code if code.starts_with("invalid_") => sale.required(code, None),
        _ => Err(GatewayError::Conflict { what: why }),
    }
}

/// Gives a channel's rest back to its payer, who asks for it with a voucher over exactly what was charged.
pub(super) async fn refund(
    shared: &Shared,
    sale: &Sale,
    config: ChannelConfig,
    voucher: VoucherFields,
) -> Result<Response, GatewayError> {
    let contracts = contracts(shared)?;
    let id = match verify(shared, &contracts, &config, &voucher) {
        Ok(id) => id,
        Err(code) => return sale.required(code, None),
    };
    let _turn = turn(shared, id)?;
    let payer = config.payer;
    match ask(shared, sale.agent, LeaseAsk::Refund { config: config.clone(), voucher }).await? {
        LeaseReply::Refunded { channel, .. } if channel.channel_id != id => Err(unexpected()),
        LeaseReply::Refunded { tx, amount, channel } => {
            shared.store.put_channel(&channel_row(&config, &channel)).await?;
            let body = json!({ "channelId": id, "refunded": amount.to_string(), "tx": tx });
            let paid = Paid { payer, charged: 0, channel, tx, moved: Some(amount) };
            sale.paid((StatusCode::OK, body), &paid)
        }
        LeaseReply::Refused { code, reason, channel } => refused(sale, &code, reason, channel),
        _ => Err(unexpected()),
    }
}

/// The right to pay from a channel.
pub(super) fn turn(shared: &Shared, channel: B256) -> Result<crate::leases::Turn, GatewayError> {
    shared.leases.locks.try_take(channel).ok_or_else(|| GatewayError::Conflict {
        what: "another payment of this channel is at work; nothing was charged, send the same in a moment".into(),
    })
}

pub(super) fn unexpected() -> GatewayError {
    GatewayError::Unknown { what: "the agent answered something else than it was asked; send the same again".into() }
}
