//! One request: read the payment, take it, serve, keep the answer.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, keccak256};
use axum::body::{Body, HttpBody, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use store::{ABANDONED_AFTER_S, ANSWER_BYTES_MAX, Begun, REQUESTS_KEPT_S};
use tokio::time::timeout;
use tower::Service;
use wire::x402::{
    BATCH_SETTLEMENT, EXACT, PAYMENT_SIGNATURE, Payment, Requirements, SettleResponse, X_PAYMENT, payment_identifier,
    reason,
};

use super::{Inner, Quote, answer, channel};
use crate::facilitator::now;
use crate::{PaymentRefusal, PaymentsError};

/// The longest route that is kept beside an answer.
const ROUTE_BYTES_MAX: usize = 1024;
/// A payment buys one answer, and for so many seconds the same again: as long as answers are kept.
pub const REPEATED_FOR_S: u64 = REQUESTS_KEPT_S;
/// An answer that is too large to keep is made so many times at most for one payment: one may be lost on the way.
pub const LARGE_SERVED_MAX: u32 = 3;
/// Longer answers are not kept: beside one stands its content type.
const KEPT_BYTES_MAX: u64 = (ANSWER_BYTES_MAX / 2) as u64;
/// Stands for an answer that was too large to keep; no answer has this status.
const LARGE: u16 = 0;
/// A handler that works says so this often, or its request would count as abandoned and be carried out twice.
const ALIVE_EVERY: Duration = Duration::from_secs(ABANDONED_AFTER_S / 4);

pub(super) async fn serve<S>(paid: Arc<Inner>, route: S, request: Request<Body>) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (parts, body) = request.into_parts();
    let Some(quote) = (paid.price)(&parts) else {
        return run(route, Request::from_parts(parts, body)).await;
    };
    let read = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let payment = match Payment::of_headers(read(PAYMENT_SIGNATURE), read(X_PAYMENT)) {
        Ok(Some(payment)) => payment,
        Ok(None) => return answer::required(&paid.required(&quote, Some(reason::PAYMENT_MISSING)), None),
        Err(error) => {
            return answer::problem(StatusCode::BAD_REQUEST, reason::INVALID_PAYLOAD, &error.to_string());
        }
    };
    match payment_identifier(payment.extensions()) {
        Ok(None) if paid.identifier_required => {
            let message = "name the payment: extensions.payment-identifier.info.id";
            return answer::problem(StatusCode::BAD_REQUEST, "payment_identifier_required", message);
        }
        Ok(_) => {}
        Err(error) => {
            return answer::problem(StatusCode::BAD_REQUEST, reason::INVALID_PAYLOAD, &error.to_string());
        }
    }
    let required = paid.required(&quote, None);
    let Some(offer) = required.accepts.iter().find(|offer| payment.is_for(offer)) else {
        return answer::required(&paid.required(&quote, Some(reason::INVALID_REQUIREMENTS)), None);
    };
    let request = Request::from_parts(parts, body);
    match (offer.scheme.as_str(), &paid.channels) {
        (EXACT, _) => exact(&paid, &quote, offer, payment, route, request).await,
        (BATCH_SETTLEMENT, Some(channels)) => {
            channel::serve(&paid, channels, &quote, offer, payment, route, request).await
        }
        _ => answer::required(&paid.required(&quote, Some(reason::UNSUPPORTED_SCHEME)), None),
    }
}

/// Serves a request.
pub(super) async fn run<S>(mut route: S, request: Request<Body>) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    match route.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn exact<S>(
    paid: &Arc<Inner>,
    quote: &Quote,
    offer: &Requirements,
    payment: Payment,
    route: S,
    request: Request<Body>,
) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let place = place_of(&request);
    let digest = keccak256(serde_json::to_vec(&payment).unwrap_or_default());
    let bound = keccak256([digest.as_slice(), place.as_bytes()].concat());
    // The client may hang up; what was begun is finished, and found again when it asks again.
    let settled = {
        let (exact, payment, offer) = (paid.exact.clone(), payment.clone(), offer.clone());
        tokio::spawn(async move { exact.settle(&payment, &offer, bound, now()).await }).await
    };
    let network = match &payment {
        Payment::V1(payment) => payment.network.clone(),
        Payment::V2(payment) => payment.accepted.network.to_string(),
    };
    let settled = match settled {
        Ok(Ok(settled)) => settled,
        Ok(Err(error)) => return refused(paid, quote, &network, error),
        Err(_) => return answer::later(reason::UNEXPECTED_SETTLE, "try again with the same payment"),
    };
    if now().0.saturating_sub(settled.since.0) >= REPEATED_FOR_S {
        let message = "this payment was served, and its answer is kept no longer: sign a new one";
        let refusal = PaymentRefusal::new(reason::EXACT_NONCE_USED, message).by(settled.key.payer);
        return refused(paid, quote, &network, refusal.into());
    }
    let told = SettleResponse {
        success: true,
        transaction: settled.tx.to_string(),
        network,
        payer: Some(settled.key.payer),
        amount: Some(settled.amount.to_string()),
        ..SettleResponse::default()
    };
    let name = match payment_identifier(payment.extensions()) {
        Ok(Some(id)) => format!("x402:{id}"),
        _ => format!("x402:{}", settled.key.nonce),
    };
    let served = once(paid, &name, settled.key.payer, &place, digest, route, request).await;
    match served {
        Ok(response) => answer::paid(response, &payment, &told),
        Err(response) => *response,
    }
}

/// Serves a paid request once: whoever repeats it gets the answer that was kept.
async fn once<S>(
    paid: &Arc<Inner>,
    name: &str,
    payer: Address,
    place: &str,
    digest: B256,
    route: S,
    request: Request<Body>,
) -> Result<Response, Box<Response>>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    // What was too large to keep left a mark: its next serving has a name of its own.
    for number in 1..=LARGE_SERVED_MAX {
        let name = if number == 1 { name.to_owned() } else { format!("{name}#{number}") };
        match paid.store.begin_request(&name, payer, place, digest, now()).await.map_err(|error| broken(&error))? {
            Begun::New => return Asked { paid, name: &name, payer, place }.answer(route, request).await,
            Begun::Done { status: LARGE, .. } => {}
            Begun::Done { status, body } => return Ok(answer::kept(status, &body)),
            Begun::InFlight => {
                return Err(Box::new(answer::later("payment_in_use", "this payment is being served: ask again")));
            }
            Begun::Different => {
                let message = "this name stands for another payment or request: choose a new one";
                return Err(Box::new(answer::problem(StatusCode::CONFLICT, "payment_identifier_conflict", message)));
            }
        }
    }
    let message = "the answer is too large to keep, and was sent as often as one payment buys: pay again";
    Err(Box::new(answer::problem(StatusCode::GONE, "answer_gone", message)))
}

/// A paid request that this process is to answer.
struct Asked<'a> {
    paid: &'a Inner,
    name: &'a str,
    payer: Address,
    place: &'a str,
}

impl Asked<'_> {
    async fn answer<S>(self, route: S, request: Request<Body>) -> Result<Response, Box<Response>>
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible>,
    {
        let (parts, body) = self.alive(run(route, request)).await.into_parts();
        if !parts.status.is_success() {
            self.forget().await?;
            return Ok(Response::from_parts(parts, body));
        }
        // What is too large to keep would have been built in memory; it is streamed, and only its mark is kept.
        if length(&parts.headers, &body).is_some_and(|bytes| bytes >= KEPT_BYTES_MAX) {
            self.keep(LARGE, &[]).await?;
            return Ok(Response::from_parts(parts, body));
        }
        let Ok(bytes) = self.alive(to_bytes(body, ANSWER_BYTES_MAX / 2)).await else {
            self.forget().await?;
            let message = "the answer is too large or broke off: you have paid, try again with the same payment";
            return Err(Box::new(answer::later("answer_too_large", message)));
        };
        self.keep(parts.status.as_u16(), &answer::to_keep(&parts.headers, &bytes)).await?;
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }

    /// Says that the request is being worked on, for as long as it is.
    async fn alive<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            match timeout(ALIVE_EVERY, &mut work).await {
                Ok(done) => return done,
                Err(_) => {
                    let touched = self.paid.store.touch_request(self.name, self.payer, self.place, now()).await;
                    if let Err(error) = touched {
                        tracing::warn!(%error, "a paid request could not be held");
                    }
                }
            }
        }
    }

    async fn keep(&self, status: u16, bytes: &[u8]) -> Result<(), Box<Response>> {
        let kept = self.paid.store.finish_request(self.name, self.payer, self.place, status, bytes).await;
        kept.map_err(|error| broken(&error))
    }

    async fn forget(&self) -> Result<(), Box<Response>> {
        self.paid.store.drop_request(self.name, self.payer, self.place).await.map_err(|error| broken(&error))
    }
}

fn broken(error: &store::StoreError) -> Box<Response> {
    tracing::warn!(%error, "a paid request could not be noted");
    Box::new(answer::later(reason::UNEXPECTED_SETTLE, "you have paid: try again with the same payment"))
}

/// The answer to a payment that was not taken.
pub(super) fn refused(paid: &Inner, quote: &Quote, network: &str, error: PaymentsError) -> Response {
    match error.into_refusal() {
        Ok(refusal) => {
            let required = paid.required(quote, Some(refusal.code));
            answer::required(&required, Some(&refusal.to_settle(network)))
        }
        Err(PaymentsError::Unknown { tx }) => {
            let message =
                format!("transaction {tx} is on its way: ask again with the same payment, and pay nothing else");
            answer::later(reason::SETTLEMENT_PENDING, &message)
        }
        Err(error) => {
            tracing::warn!(%error, "a payment could not be looked at");
            answer::later(reason::UNEXPECTED_SETTLE, "try again with the same payment")
        }
    }
}

pub(super) fn place_of(request: &Request<Body>) -> String {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let place = format!("{} {path}", request.method());
    if place.len() <= ROUTE_BYTES_MAX { place } else { keccak256(place).to_string() }
}

/// How long an answer will be, where it says so or is there already.
fn length(headers: &HeaderMap, body: &Body) -> Option<u64> {
    let told = headers.get(axum::http::header::CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse().ok());
    told.or_else(|| body.size_hint().exact())
}
