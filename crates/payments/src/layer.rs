//! A layer that asks for payment before any axum route: `exact` of both versions, and channels where the chain has them.
//!
//! Money first, then the handler, then the answer, which is kept: a client that lost it asks again with the same payment
//! and gets the same. A payment whose handler failed is not lost either; it still buys one good answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use alloy_primitives::Address;
use axum::body::Body;
use axum::http::{Method, Request, request::Parts};
use axum::response::Response;
use store::Store;
use tower::{Layer, Service};
use wire::x402::{
    BATCH_SETTLEMENT, BatchOffer, PAYMENT_IDENTIFIER, PaymentRequired, Requirements, ResourceInfo, Version,
    identifier_extension,
};

use crate::channel::Desk;
use crate::exact::{Exact, TIMEOUT_S};
use crate::facilitator::{Batch, Limits};

mod answer;
mod channel;
mod serve;
pub use serve::{LARGE_SERVED_MAX, REPEATED_FOR_S};

/// What a request costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Smallest units.
    pub amount: u128,
    /// Who is paid by `exact`.
    pub pay_to: Address,
    /// What is sold, as offers name it.
    pub resource: ResourceInfo,
}

/// Names the price of a request; nothing for requests that are free.
pub type Price = Arc<dyn Fn(&Parts) -> Option<Quote> + Send + Sync>;

/// Channels at a route. The key that `batch` sends with is the receiver's authorizer.
#[derive(Clone, Debug)]
pub struct ByChannel {
    /// The contract.
    pub batch: Batch,
    /// Where vouchers are taken.
    pub desk: Desk,
    /// Who is paid.
    pub receiver: Address,
    /// From a payer's wish to withdraw to his withdrawal, in seconds.
    pub withdraw_delay: u64,
    /// The least deposit, in smallest units.
    pub min_deposit: u128,
    /// How much gas is paid for whom.
    pub limits: Limits,
}

/// The layer. Clones share everything.
#[derive(Clone)]
pub struct Paid {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) exact: Exact,
    pub(crate) channels: Option<ByChannel>,
    pub(crate) store: Store,
    pub(crate) price: Price,
    pub(crate) identifier_required: bool,
}

impl std::fmt::Debug for Paid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Paid(in {:?})", self.inner.exact.token())
    }
}

impl Paid {
    /// Asks `price` for each request, and takes payment by `exact`, and by `channels` where there are some.
    #[must_use]
    pub fn new(exact: Exact, channels: Option<ByChannel>, store: Store, price: Price) -> Self {
        Self { inner: Arc::new(Inner { exact, channels, store, price, identifier_required: false }) }
    }

    /// The same, refusing payments without a name of their own (`payment-identifier`).
    #[must_use]
    pub fn with_identifier(self) -> Self {
        let Inner { exact, channels, store, price, .. } = &*self.inner;
        let (exact, channels, store, price) = (exact.clone(), channels.clone(), store.clone(), price.clone());
        Self { inner: Arc::new(Inner { exact, channels, store, price, identifier_required: true }) }
    }
}

impl Inner {
    /// What is asked for a request with this quote: channels first, clients take the first that they can.
    pub(crate) fn required(&self, quote: &Quote, error: Option<&str>) -> PaymentRequired {
        let mut accepts = Vec::new();
        accepts.extend(self.channels.as_ref().map(|channels| channels.offer(quote.amount)));
        accepts.push(self.exact.offer(quote.amount, quote.pay_to));
        let extension = (PAYMENT_IDENTIFIER.to_owned(), identifier_extension(self.identifier_required));
        PaymentRequired {
            x402_version: Version,
            error: error.map(str::to_owned),
            resource: quote.resource.clone(),
            accepts,
            extensions: [extension].into_iter().collect(),
        }
    }
}

impl ByChannel {
    pub(crate) fn told(&self) -> BatchOffer {
        let domain = self.batch.token().domain();
        let text = |text: Option<&std::borrow::Cow<'static, str>>| text.map(ToString::to_string).unwrap_or_default();
        BatchOffer {
            receiver_authorizer: self.batch.sender().teller().address(),
            withdraw_delay: self.withdraw_delay,
            name: text(domain.and_then(|domain| domain.name.as_ref())),
            version: text(domain.and_then(|domain| domain.version.as_ref())),
            min_deposit: Some(self.min_deposit),
            channel_state: None,
            voucher_state: None,
        }
    }

    pub(crate) fn offer(&self, amount: u128) -> Requirements {
        Requirements {
            scheme: BATCH_SETTLEMENT.to_owned(),
            network: wire::x402::Network(self.batch.token().chain().id()),
            amount,
            asset: self.batch.token().address(),
            pay_to: self.receiver,
            max_timeout_seconds: TIMEOUT_S,
            extra: self.told().to_extra(),
        }
    }
}

impl<S> Layer<S> for Paid {
    type Service = PaidService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PaidService { paid: self.inner.clone(), inner }
    }
}

/// A route behind the layer.
#[derive(Clone)]
pub struct PaidService<S> {
    paid: Arc<Inner>,
    inner: S,
}

impl<S> std::fmt::Debug for PaidService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PaidService")
    }
}

impl<S> Service<Request<Body>> for PaidService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that was found ready serves; its clone is asked next time.
        let fresh = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, fresh);
        let paid = self.paid.clone();
        Box::pin(async move {
            // A browser's preflight cannot pay.
            if request.method() == Method::OPTIONS {
                let mut ready = ready;
                return ready.call(request).await;
            }
            Ok(serve::serve(paid, ready, request).await)
        })
    }
}
