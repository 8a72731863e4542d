//! What a job costs, and where to pay for it. Moves nothing and writes nothing.

use alloy_primitives::Address;
use axum::response::Response;
use serde_json::json;
use wire::{
    TermsJson,
    x402::{DiscoveredResource, PaymentRequired, Requirements, ResourceInfo, Version, reason},
};

use super::{Asked, pay};
use crate::{
    GatewayError,
    http::jobs::{
        ask,
        create::{currency, quote::offers},
    },
    orders::{self, Wish},
    state::{Shared, now},
    x402::{self, HttpPayments},
};

/// Under which name the terms travel in an offer's `extra`: what the payer agrees to by paying.
pub(super) const TERMS: &str = "terms";

/// The 402: what to pay for the job that is wished for. `error` says why a payment that came was not taken.
pub(super) async fn required(
    shared: &Shared,
    payments: &HttpPayments,
    asked: &Asked,
    error: Option<String>,
) -> Result<Response, GatewayError> {
    let currency = currency(shared);
    let wish = Wish::read(&asked.wish, currency)?;
    let listed = offers(shared);
    let chosen = wish.choose(&listed, currency)?;
    let document = wire::document(&wish.spec)?;
    let terms =
        orders::terms((asked.renter, controller(shared)?), chosen, wish.duration, document.digest, rand::random());
    orders::check(&terms)?;
    x402::worth(shared, payments, &terms).await?;
    if ask(shared, shared.market.is_paused()).await? {
        return Err(GatewayError::Conflict { what: "the market is paused: it takes no new jobs for now".into() });
    }
    let pay_to = ask(shared, payments.deposits.account(&terms)).await?;
    let json = TermsJson::from(&terms);
    shared.offers.hold(pay_to, json.clone());
    shared.quoted.hold(asked.renter, document);
    let description = format!(
        "a job of at most {} on {}; what is not used goes back to {}",
        wish.duration, chosen.hardware.model, asked.renter
    );
    let resource = ResourceInfo {
        url: asked.url.clone(),
        description: Some(description),
        mime_type: Some("application/json".into()),
        service_name: Some("Bourse".into()),
        tags: Some(vec!["gpu".into(), "compute".into()]),
    };
    pay(&PaymentRequired {
        x402_version: Version,
        error: Some(error.unwrap_or_else(|| reason::PAYMENT_MISSING.to_owned())),
        resource,
        accepts: vec![requirements(payments, orders::locked(&terms).0, pay_to, &json)],
        extensions: Default::default(),
    })
}

/// What is asked for: the lock, to the job's own address.
pub(super) fn requirements(payments: &HttpPayments, amount: u128, pay_to: Address, terms: &TermsJson) -> Requirements {
    let mut offer = payments.exact.offer(amount, pay_to);
    offer.extra.insert(TERMS.into(), json!(terms));
    offer
}

/// Who signs Ready for somebody who holds no key here: this gateway's watcher.
pub(super) fn controller(shared: &Shared) -> Result<Address, GatewayError> {
    let watcher = shared.watcher.as_ref().map(chain::Account::address);
    watcher.ok_or_else(|| GatewayError::NotHere {
        what: "this gateway watches over no jobs, so nobody could let a job start that is only paid for".into(),
    })
}

/// What a list of things to buy says of this route: the cheapest hour.
pub(crate) fn discovered(shared: &Shared, url: &str) -> Option<DiscoveredResource> {
    let payments = shared.x402.as_ref()?;
    let cheapest = offers(shared).into_iter().filter(|offer| offer.available).min_by_key(|offer| offer.price.0)?;
    let accepts = payments.exact.offer(cheapest.price.0, payments.deposits.address());
    Some(DiscoveredResource {
        resource: url.to_owned(),
        kind: "http".into(),
        x402_version: Version,
        accepts: vec![accepts],
        last_updated: now(),
        metadata: json!({
            "description": "a GPU job for one payment; the price follows from the body, the address is the job's own",
            "method": "POST",
        })
        .as_object()
        .cloned()
        .unwrap_or_default(),
    })
}
