//! `POST /api/v1/x402/leases`: what to run, and, with the payment, the lease.

use alloy_primitives::{B256, hex, keccak256};
use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use market::{Needs, Offer, PerHour, ResourceId, Seconds};
use wire::{
    Terms,
    http::{LeaseBody, LeaseOpenedJson, Money},
    link::{LeaseAsk, LeaseReply},
    x402::{BatchPayload, ChannelConfig, reason},
};

use super::{
    deposit,
    pay::{self, Paid, Sale, Voucher},
    view,
};
use crate::{
    GatewayError,
    http::{body, page::malformed},
    leases::{Offered, Told},
    orders::{self, Currency, Wish},
    state::Shared,
};

/// A lease that names no longest time.
const DURATION_S: u32 = 24 * 3600;

/// Open a lease
///
/// Without a payment the answer is a 402 that says what the set-up costs and to whom; a client of x402 pays it out of a
/// channel (`batch-settlement`) and sends the same body again. The answer to that is the lease. Nothing runs before the
/// first tick is paid, and nothing after two are not.
#[utoipa::path(post, path = "/api/v1/x402/leases", tag = "jobs",
    request_body = LeaseBody,
    params(("PAYMENT-SIGNATURE" = Option<String>, Header, description = "Base64 of the payment (x402, version 2).")),
    responses(
        (status = 202, description = "The lease is open; its image is being fetched.", body = LeaseOpenedJson),
        (status = 402, description = "Pay like this: the header PAYMENT-REQUIRED."),
        (status = 409, description = "Nothing fits, or the machine is taken; nothing was charged."),
        (status = 501, description = "This gateway's chain has no payment channels."),
        (status = 503, description = "The outcome is not known: send the same payment again, it is charged once."),
    ),
)]
pub(crate) async fn create(
    State(shared): State<Shared>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body::Json(body): body::Json<LeaseBody>,
) -> Result<Response, GatewayError> {
    let contracts = pay::contracts(&shared)?;
    let payment = pay::payment(&headers)?;
    let config = payment.as_ref().and_then(|(_, payload)| config_of(payload));
    let wish = wish(&shared, &body)?;
    let (chosen, offer) = choose(&shared, &wish, config)?;
    let price = chosen.price.0;
    let asked = (chosen_offer(&offer), (offer.offer.setup, price));
    let sale = Sale::new(&shared, asked.0, asked.1, (&headers, uri.path())).await?;
    let Some((payment, payload)) = payment else { return sale.required(reason::PAYMENT_MISSING, None) };
    if !payment.is_for(&sale.requirements) {
        return sale.required(reason::INVALID_REQUIREMENTS, None);
    }
    let (config, voucher, put_in) = match payload {
        BatchPayload::Deposit { channel_config, voucher, deposit } => (channel_config, voucher, Some(deposit)),
        BatchPayload::Voucher { channel_config, voucher } => (channel_config, voucher, None),
        BatchPayload::Refund { channel_config, voucher, .. } => {
            return pay::refund(&shared, &sale, channel_config, voucher).await;
        }
        _ => return sale.required(reason::BATCH_TYPE, None),
    };
    let id = match pay::verify(&shared, &contracts, &config, &voucher) {
        Ok(id) => id,
        Err(code) => return sale.required(code, None),
    };
    let _turn = pay::turn(&shared, id)?;
    let tx = match &put_in {
        None => None,
        Some(put_in) => match deposit::send(&shared, &contracts, &sale, (&config, &voucher, put_in)).await {
            Ok(tx) => tx,
            Err(deposit::Refused::Code(code)) => return sale.required(code, None),
            Err(deposit::Refused::Error(error)) => return Err(error),
        },
    };
    let document = wire::document(&wish.spec)?;
    let salt = salt(id, voucher.max_claimable_amount, document.digest);
    let payer = (deposit::payer(&config), config.payer_authorizer);
    let extra = body.resume.unwrap_or_default();
    let terms = Terms { extra, ..orders::terms(payer, &chosen, wish.duration, document.digest, salt) };
    orders::publish(&shared, payer.0, document).await?;
    let (capability, hash) = capability()?;
    let amount = offer.offer.setup;
    let call = LeaseAsk::Open {
        terms: (&terms).into(),
        config: config.clone(),
        voucher: voucher.clone(),
        charge: amount,
        capability: hash,
    };
    let relayed = Voucher { config: &config, voucher: &voucher, amount };
    match pay::relay(&shared, sale.agent, relayed, call).await? {
        LeaseReply::Taken { lease, state, channel } => {
            let told = Told { agent: sale.agent, state };
            let lease = view::lease(&shared, lease, &told);
            let opened = LeaseOpenedJson { lease_id: lease.lease_id, capability, lease };
            let moved = tx.and(put_in.map(|put_in| put_in.amount));
            sale.paid(
                (StatusCode::ACCEPTED, opened),
                &Paid { payer: config.payer, charged: amount, channel, tx, moved },
            )
        }
        LeaseReply::Refused { code, reason, channel } => pay::refused(&sale, &code, reason, channel),
        _ => Err(pay::unexpected()),
    }
}

/// The same payment for the same spec is the same lease.
fn salt(channel: B256, total: u128, spec: B256) -> u64 {
    let hash = keccak256([channel.as_slice(), &total.to_be_bytes(), spec.as_slice()].concat());
    u64::from_be_bytes(hash.0[..8].try_into().unwrap_or_default())
}

fn chosen_offer(offered: &Offered) -> (alloy_primitives::Address, wire::link::LeaseOffer) {
    (offered.agent, offered.offer.clone())
}

fn config_of(payload: &BatchPayload) -> Option<&ChannelConfig> {
    match payload {
        BatchPayload::Deposit { channel_config, .. }
        | BatchPayload::Voucher { channel_config, .. }
        | BatchPayload::Refund { channel_config, .. } => Some(channel_config),
        _ => None,
    }
}

fn currency(shared: &Shared) -> Currency<'_> {
    let market = &shared.market;
    Currency { token: market.token(), decimals: market.decimals(), symbol: market.symbol() }
}

fn wish(shared: &Shared, body: &LeaseBody) -> Result<Wish, GatewayError> {
    body.spec.check()?;
    if body.resume.is_some() && body.resource_id.is_none() {
        return Err(malformed("resourceId", "a workspace lies where its lease ran: name that resource"));
    }
    let seconds = body.max_duration_s.unwrap_or(DURATION_S);
    let duration = Seconds(seconds.into());
    if seconds == 0 || duration > market::rules::DURATION_MAX {
        return Err(malformed("maxDurationS", format!("a lease runs for 1 s to {}", market::rules::DURATION_MAX)));
    }
    let currency = currency(shared);
    let price = |money: &Money| money.amount(currency.token, currency.decimals);
    let max_price = body.max_price.as_ref().map(price).transpose()?.map(|amount| PerHour(amount.0));
    let id = body.resource_id.map(|id| ResourceId(id.0));
    let needs = Needs { id, max_price, simulated: body.simulated, ..body.spec.needs() };
    Ok(Wish { spec: body.spec.clone(), needs, duration })
}

/// The cheapest that fits and is sold by the tick. A payment is for the provider whose channel it names, busy or not:
/// his agent says whether he sells.
fn choose(shared: &Shared, wish: &Wish, paid: Option<&ChannelConfig>) -> Result<(Offer, Offered), GatewayError> {
    let (token, decimals) = (shared.market.token(), shared.market.decimals());
    let shown = shared.gpus();
    let mut offers = Vec::new();
    for entry in shown.all() {
        let Ok(mut offer) = Offer::try_from(&entry.gpu) else { continue };
        let agent = shared.links.agent_of(B256::from(offer.id.0));
        let Some(offered) =
            agent.and_then(|agent| shared.leases.offers.of(agent).map(|offer| Offered { agent, offer }))
        else {
            continue;
        };
        let least = pay::min_deposit(&offered.offer, offer.price.0);
        if offered.offer.token != token || !pay::is_affordable(least, decimals) {
            continue;
        }
        if paid.is_some_and(|config| config.receiver_authorizer != offered.agent) {
            continue;
        }
        if paid.is_some() {
            (offer.busy, offer.available) = (false, true);
        }
        offers.push((offer, offered));
    }
    let listed: Vec<Offer> = offers.iter().map(|(offer, _)| offer.clone()).collect();
    let chosen = wish.choose(&listed, currency(shared))?.id;
    let found = offers.into_iter().find(|(offer, _)| offer.id == chosen);
    found.ok_or_else(|| GatewayError::NoMatch { why: "it was withdrawn just now".into() })
}

/// What its payer shows, and what the agent remembers of it.
fn capability() -> Result<(String, B256), GatewayError> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| GatewayError::Busy { what: "no randomness now" })?;
    let text = hex::encode(secret);
    let hash = keccak256(&text);
    Ok((text, hash))
}
