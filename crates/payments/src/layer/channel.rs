//! One request paid from a channel: lock, verify, serve, keep voucher and charge and answer in one commit, answer.

use std::convert::Infallible;
use std::sync::Arc;

use alloy_primitives::{B256, keccak256};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tower::Service;
use wire::x402::{
    BATCH_SETTLEMENT, BatchPayload, ChannelConfig, Payment, Requirements, SettleResponse, VoucherFields, reason,
};

use super::serve::{place_of, refused, run};
use super::{ByChannel, Inner, Quote, answer};
use crate::channel::{ChannelRefusal, ChannelState, Held};
use crate::facilitator::{DAY_S, DEPOSIT_GAS, Sent, now};
use crate::{PaymentRefusal, PaymentsError};

pub(super) async fn serve<S>(
    paid: &Arc<Inner>,
    channels: &ByChannel,
    quote: &Quote,
    offer: &Requirements,
    payment: Payment,
    route: S,
    request: Request<Body>,
) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let network = offer.network.to_string();
    let wrong = |error: PaymentsError| refused(paid, quote, &network, error);
    let payload = match payment.batch() {
        Ok(payload) => payload,
        Err(error) => {
            return answer::problem(StatusCode::BAD_REQUEST, reason::INVALID_PAYLOAD, &error.to_string());
        }
    };
    let place = keccak256(place_of(&request));
    if let BatchPayload::Voucher { voucher, .. } | BatchPayload::Deposit { voucher, .. } = &payload {
        match again(channels, voucher, place, &payment).await {
            Ok(Some(response)) => return response,
            Ok(None) => {}
            Err(error) => return wrong(error),
        }
    }
    let (config, voucher, deposited) = match payload {
        BatchPayload::Voucher { channel_config, voucher } => (channel_config, voucher, None),
        BatchPayload::Deposit { channel_config, voucher, deposit } => {
            let brings = deposit.amount;
            let made = {
                let (paid, channels, offer) = (paid.clone(), channels.clone(), offer.clone());
                let (config, voucher) = (channel_config.clone(), voucher.clone());
                let deposit = async move { brought(&paid, &channels, &config, &voucher, &deposit, &offer).await };
                tokio::spawn(deposit).await
            };
            match made {
                Ok(Ok(tx)) => (channel_config, voucher, Some((tx, brings))),
                Ok(Err(error)) => return wrong(error),
                Err(_) => return answer::later(reason::UNEXPECTED_SETTLE, "try again with the same payment"),
            }
        }
        BatchPayload::Refund { channel_config, voucher, amount, .. } => {
            // The client may hang up; what was begun is finished, and nobody is served meanwhile.
            let closed = {
                let (channels, config) = (channels.clone(), channel_config);
                let (voucher, offer) = (voucher.clone(), offer.clone());
                tokio::spawn(async move { refund(&channels, &config, &voucher, amount, &offer).await }).await
            };
            let Ok(closed) = closed else {
                return answer::later(reason::UNEXPECTED_SETTLE, "try again with the same request");
            };
            return match closed {
                Ok(told) => {
                    let body = axum::Json(json!({ "message": "refunded", "channelId": voucher.channel_id }));
                    answer::paid(body.into_response(), &payment, &told)
                }
                Err(error) => corrected(paid, channels, quote, &voucher, &network, error).await,
            };
        }
        BatchPayload::Claim { .. } | BatchPayload::Settle { .. } => {
            return wrong(PaymentRefusal::new(reason::BATCH_TYPE, "this is for facilitators").into());
        }
    };
    let sale = Sale { paid, channels, quote, offer, place, payment: &payment };
    sale.serve(&config, &voucher, deposited, route, request).await
}

/// One request that a voucher pays.
struct Sale<'a> {
    paid: &'a Inner,
    channels: &'a ByChannel,
    quote: &'a Quote,
    offer: &'a Requirements,
    place: B256,
    payment: &'a Payment,
}

impl Sale<'_> {
    /// Checks the voucher, serves, keeps voucher, charge and answer; `deposited` is what was brought before, and its
    /// transaction.
    async fn serve<S>(
        self,
        config: &ChannelConfig,
        voucher: &VoucherFields,
        deposited: Option<(String, u128)>,
        route: S,
        request: Request<Body>,
    ) -> Response
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible>,
    {
        let Self { paid, channels, quote, offer, place, payment } = self;
        let network = offer.network.to_string();
        let held = held(channels, config, voucher, offer).await;
        let reserved = match held.and_then(|held| held.reserve(voucher, quote.amount, now().0)) {
            Ok(reserved) => reserved,
            Err(error) => return corrected(paid, channels, quote, voucher, &network, error).await,
        };
        let response = run(route, request).await;
        if !response.status().is_success() {
            // Nothing was charged: the same voucher buys the next try.
            return response;
        }
        let Ok((response, bytes)) = answer::small(response).await else {
            return answer::later(reason::UNEXPECTED_SETTLE, "the answer broke off and was not charged: try again");
        };
        let state = reserved.charged(quote.amount);
        let (transaction, amount) = deposited.map_or_else(Default::default, |(tx, amount)| (tx, amount.to_string()));
        let told = SettleResponse {
            success: true,
            transaction,
            network: network.clone(),
            payer: Some(config.payer),
            amount: Some(amount),
            extra: charged(&state, quote.amount),
            ..SettleResponse::default()
        };
        let kept = bytes.and_then(|bytes| answer::bought(place, response.status(), &told, &bytes));
        match reserved.commit(quote.amount, kept).await {
            Ok(_) => answer::paid(response, payment, &told),
            Err(error) => refused(paid, quote, &network, error),
        }
    }
}

/// The answer that this very voucher bought, for a client that lost it.
async fn again(
    channels: &ByChannel,
    voucher: &VoucherFields,
    place: B256,
    payment: &Payment,
) -> Result<Option<Response>, PaymentsError> {
    let Some(bytes) = channels.desk.bought(voucher).await? else { return Ok(None) };
    // A voucher that was claimed is everybody's to read: that must be known now.
    if let Some((state, _)) = channels.desk.channel(voucher.channel_id).await?
        && now().0.saturating_sub(state.synced_at) > state.fresh_s()
    {
        let state = channels.desk.sync(&state, channels.batch.look(state.id).await?, now().0).await?;
        if state.claimed >= voucher.max_claimable_amount {
            return Ok(None);
        }
    }
    Ok(answer::repeated(place, &bytes, payment))
}

/// Brings a deposit, and tells its transaction.
async fn brought(
    paid: &Inner,
    channels: &ByChannel,
    config: &ChannelConfig,
    voucher: &VoucherFields,
    deposit: &wire::x402::Deposit,
    offer: &Requirements,
) -> Result<String, PaymentsError> {
    let (batch, now) = (&channels.batch, now());
    let (purpose, _) = batch.deposit_call(config, deposit)?;
    let begun = batch.sender().begun(&purpose).await?;
    if !begun {
        batch.check_deposit(config, voucher, deposit, offer, now)?;
        batch.simulate_deposit(config, deposit).await?;
    }
    if let Some((state, _)) = channels.desk.channel(voucher.channel_id).await? {
        // A deposit with a voucher that will not do would move money for nothing.
        let after = ChannelState { balance: state.balance.saturating_add(deposit.amount), synced_at: now.0, ..state };
        after.follows(voucher, offer.amount, now.0)?;
    }
    if !begun {
        let most = channels.limits.gas_of(config.payer);
        if !paid.store.spend_gas(config.payer, now.0 / DAY_S, DEPOSIT_GAS, most).await? {
            let message = "the gas that is paid for your deposits today is used up: deposit more at a time";
            return Err(PaymentRefusal::new(reason::GAS_BUDGET, message).by(config.payer).into());
        }
    }
    let tx = batch.deposit(config, deposit).await?;
    let state = ChannelState::new(config.clone(), batch.separator());
    channels.desk.sync(&state, batch.look(state.id).await?, now.0).await?;
    Ok(tx.to_string())
}

/// Holds the channel of a voucher, known to be as the contract has it.
async fn held(
    channels: &ByChannel,
    config: &ChannelConfig,
    voucher: &VoucherFields,
    offer: &Requirements,
) -> Result<Held, PaymentsError> {
    let (batch, desk) = (&channels.batch, &channels.desk);
    batch.check_config(config, offer)?;
    let mut held = match desk.hold(voucher.channel_id).await {
        Ok(held) => held,
        Err(PaymentsError::NoChannel { .. }) => {
            // It may have been filled by somebody else; strangers' words cost one look at the chain.
            let state = ChannelState::new(config.clone(), batch.separator());
            state.signed(voucher)?;
            let seen = batch.look(state.id).await?;
            if seen.balance == 0 {
                return Err(PaymentsError::NoChannel { id: state.id });
            }
            desk.sync(&state, seen, now().0).await?;
            desk.hold(state.id).await?
        }
        Err(error) => return Err(error),
    };
    let now = now().0;
    let closing = held.may_be_closing();
    if closing && let Some(Sent::Unknown { .. }) = batch.closing(held.state()).await? {
        return Err(ChannelRefusal::Busy.into());
    }
    if closing || now.saturating_sub(held.state().synced_at) > held.state().fresh_s() {
        let seen = batch.look(voucher.channel_id).await?;
        held.sync(seen, now).await?;
        held.opened();
    }
    Ok(held)
}

/// Gives back what the payer asks for and is his.
async fn refund(
    channels: &ByChannel,
    config: &ChannelConfig,
    voucher: &VoucherFields,
    amount: Option<u128>,
    offer: &Requirements,
) -> Result<SettleResponse, PaymentsError> {
    let mut held = held(channels, config, voucher, offer).await?;
    held.state().signed(voucher)?;
    // What is given back is reckoned from what the contract has now.
    let seen = channels.batch.look(voucher.channel_id).await?;
    held.sync(seen, now().0).await?;
    let amount = held.state().refundable(voucher, amount)?;
    // Whoever comes next waits until what became of it is known, and the contract was asked again.
    held.close();
    let tx = match channels.batch.close(held.state(), amount).await {
        Ok(tx) => tx,
        Err(error) => {
            if channels.batch.closing(held.state()).await?.is_none() {
                held.opened();
            }
            return Err(error);
        }
    };
    let seen = channels.batch.look(voucher.channel_id).await?;
    held.sync(seen, now().0).await?;
    held.opened();
    let state = held.state();
    Ok(SettleResponse {
        success: true,
        transaction: tx.to_string(),
        network: offer.network.to_string(),
        payer: Some(config.payer),
        amount: Some(amount.to_string()),
        extra: object(json!({ "channelState": state.to_json() })),
        ..SettleResponse::default()
    })
}

/// A 402 that tells where the channel stands where that lets the client go on, and a plain refusal otherwise.
async fn corrected(
    paid: &Inner,
    channels: &ByChannel,
    quote: &Quote,
    voucher: &VoucherFields,
    network: &str,
    error: PaymentsError,
) -> Response {
    let PaymentsError::Channel(refusal) = &error else { return refused(paid, quote, network, error) };
    if *refusal == ChannelRefusal::Busy {
        return answer::later(refusal.code(), &refusal.to_string());
    }
    let mut required = paid.required(quote, Some(refusal.code()));
    if refusal.is_corrective()
        && let Ok(Some((state, _))) = channels.desk.channel(voucher.channel_id).await
        && let Some(offer) = required.accepts.iter_mut().find(|offer| offer.scheme == BATCH_SETTLEMENT)
    {
        offer.extra = state.corrected(channels.told()).to_extra();
        return answer::required(&required, None);
    }
    refused(paid, quote, network, error)
}

fn charged(state: &ChannelState, amount: u128) -> Map<String, Value> {
    object(json!({ "chargedAmount": amount.to_string(), "channelState": state.to_json() }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
