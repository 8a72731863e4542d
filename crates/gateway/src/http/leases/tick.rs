//! `POST /api/v1/x402/leases/{id}/tick`: pays for the next seconds.

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use wire::{
    http::{LeaseJson, PREPAID_MAX_S, TickBody},
    link::{LeaseAsk, LeaseReply},
    x402::{BatchPayload, ChannelConfig, Deposit, VoucherFields, reason},
};

use super::{
    ask, known,
    pay::{self, Paid, Sale, Voucher},
    view,
};
use crate::{
    GatewayError,
    http::{body, page::malformed, path::Id},
    leases::Told,
    state::Shared,
};

/// Pay for the next seconds of a lease
///
/// Without a payment the answer is a 402 over one tick, or over as many seconds as the body says. Whoever knows the
/// price may send the payment at once. A payment of the kind `refund` closes the channel instead, once none of its leases
/// is open: what is earned is claimed, and the rest goes back to its payer.
#[utoipa::path(post, path = "/api/v1/x402/leases/{id}/tick", tag = "jobs",
    request_body(content = TickBody, description = "Seconds; one tick when empty."),
    params(
        ("id" = wire::schema::Hash, Path, description = "The lease's id."),
        ("PAYMENT-SIGNATURE" = Option<String>, Header, description = "Base64 of the payment (x402, version 2)."),
    ),
    responses(
        (status = 200, description = "The seconds are paid for.", body = LeaseJson),
        (status = 402, description = "Pay like this: the header PAYMENT-REQUIRED; with where the channel stands when the payment did not fit."),
        (status = 409, description = "The lease is over, or another payment of the channel is at work; nothing was charged."),
        (status = 503, description = "The outcome is not known: send the same payment again, it is charged once."),
    ),
)]
pub(crate) async fn tick(
    State(shared): State<Shared>,
    Id(id): Id,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body::Bytes(bytes): body::Bytes,
) -> Result<Response, GatewayError> {
    let wish = if bytes.is_empty() { TickBody::default() } else { body::parse(&bytes)? };
    pay_for(&shared, id, Some(wish), &headers, uri.path()).await
}

/// The offer of the next tick, for clients that read before they pay; the same payments are taken. A lease that is over has
/// one too: official clients read it before they ask for the rest of the channel.
pub(crate) async fn offer(
    State(shared): State<Shared>,
    Id(id): Id,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    pay_for(&shared, id, None, &headers, uri.path()).await
}

async fn pay_for(
    shared: &Shared,
    id: alloy_primitives::B256,
    wish: Option<TickBody>,
    headers: &HeaderMap,
    path: &str,
) -> Result<Response, GatewayError> {
    let contracts = pay::contracts(shared)?;
    let payment = pay::payment(headers)?;
    let told = known(shared, id)?;
    let Some(offer) = shared.leases.offers.of(told.agent) else {
        let what = "the lease's agent is not linked to this gateway now; nothing was charged, try again".into();
        return Err(GatewayError::Unavailable { what });
    };
    let seconds = wish.unwrap_or_default().seconds.unwrap_or(offer.tick_s);
    if seconds == 0 || u64::from(seconds) > PREPAID_MAX_S {
        return Err(malformed("seconds", format!("1 to {PREPAID_MAX_S} s are paid for at a time")));
    }
    let amount = view::cost(&told.state, seconds.into());
    let price = told.state.terms.price_per_hour;
    let sale = Sale::new(shared, (told.agent, offer), (amount, price), (headers, path)).await?;
    let over = told.state.phase.is_over();
    let Some((payment, payload)) = payment else {
        let is_late = over && wish.is_some();
        return if is_late { Err(is_over(&told)) } else { sale.required(reason::PAYMENT_MISSING, None) };
    };
    let (config, voucher, put_in) = match payload {
        BatchPayload::Voucher { channel_config, voucher } => (channel_config, voucher, None),
        BatchPayload::Refund { channel_config, voucher, .. } => {
            return pay::refund(shared, &sale, channel_config, voucher).await;
        }
        // It would buy nothing any more.
        BatchPayload::Deposit { .. } if over => return Err(is_over(&told)),
        BatchPayload::Deposit { channel_config, voucher, deposit } => (channel_config, voucher, Some(deposit)),
        _ => return sale.required(reason::BATCH_TYPE, None),
    };
    let channel = match pay::verify(shared, &contracts, &config, &voucher) {
        Ok(channel) => channel,
        Err(code) => return sale.required(code, None),
    };
    if channel != told.state.channel {
        return sale.required(reason::BATCH_CHANNEL_ID, None);
    }
    if let Some(deposit) = &put_in
        && let Some(refused) = bring(shared, &contracts, &sale, (&config, &voucher, deposit)).await?
    {
        return Ok(refused);
    }
    let _turn = pay::turn(shared, channel)?;
    // A repeat of what was taken is for the amount that was due then; the agent knows it again by its voucher.
    let amount = payment_amount(&payment).unwrap_or(amount);
    let call = LeaseAsk::Tick { lease: id, seconds, charge: amount, voucher: voucher.clone() };
    let relayed = Voucher { config: &config, voucher: &voucher, amount };
    match pay::relay(shared, sale.agent, relayed, call).await? {
        LeaseReply::Taken { state, channel, .. } => {
            let told = Told { agent: sale.agent, state };
            let body = view::lease(shared, id, &told);
            let paid = Paid { payer: config.payer, charged: amount, channel, tx: None, moved: None };
            sale.paid((StatusCode::OK, body), &paid)
        }
        LeaseReply::Refused { code, reason, channel } => {
            // What this gateway remembered of the lease may be what is wrong.
            drop(ask(shared, sale.agent, LeaseAsk::Look { lease: id }).await);
            pay::refused(&sale, &code, reason, channel)
        }
        _ => Err(pay::unexpected()),
    }
}

/// Puts a deposit into the channel. Gives the answer to a payer whose deposit will not do.
async fn bring(
    shared: &Shared,
    contracts: &chain::X402,
    sale: &Sale,
    what: (&ChannelConfig, &VoucherFields, &Deposit),
) -> Result<Option<Response>, GatewayError> {
    match super::deposit::send(shared, contracts, sale, what).await {
        Ok(_) => {
            // The agent looks at the chain again before it takes what the deposit allows.
            drop(ask(shared, sale.agent, LeaseAsk::Channel { config: what.0.clone() }).await?);
            Ok(None)
        }
        Err(super::deposit::Refused::Code(code)) => sale.required(code, None).map(Some),
        Err(super::deposit::Refused::Error(error)) => Err(error),
    }
}

/// The amount that the payer took for due. The agent reckons for itself, and refuses any other.
fn payment_amount(payment: &wire::x402::Payment) -> Option<u128> {
    match payment {
        wire::x402::Payment::V2(payment) => Some(payment.accepted.amount),
        wire::x402::Payment::V1(_) => None,
    }
}

fn is_over(told: &Told) -> GatewayError {
    let why = told.state.reason.clone().unwrap_or_else(|| "it is being stopped".into());
    GatewayError::Conflict { what: format!("the lease is over ({why}); nothing is due") }
}
