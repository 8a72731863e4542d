//! One request: read the payment, take it, serve, keep the answer.

use std::convert::Infallible;
use std::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use store::{ANSWER_BYTES_MAX, Begun};
use tower::Service;
use wire::x402::{
    BATCH_SETTLEMENT, EXACT, PAYMENT_SIGNATURE, Payment, Requirements, SettleResponse, X_PAYMENT, payment_identifier,
    reason,
};

use super::{Inner, Quote, answer, channel};
use crate::PaymentsError;
use crate::facilitator::now;

/// The longest route that is kept beside an answer.
const ROUTE_BYTES_MAX: usize = 1024;

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
    let broken = |error: store::StoreError| {
        tracing::warn!(%error, "a paid request could not be noted");
        Box::new(answer::later(reason::UNEXPECTED_SETTLE, "you have paid: try again with the same payment"))
    };
    match paid.store.begin_request(name, payer, place, digest, now()).await.map_err(broken)? {
        Begun::New => {}
        Begun::Done { status, body } => return Ok(answer::kept(status, &body)),
        Begun::InFlight => {
            return Err(Box::new(answer::later("payment_in_use", "this payment is being served: ask again")));
        }
        Begun::Different => {
            let message = "this name stands for another payment or request: choose a new one";
            return Err(Box::new(answer::problem(StatusCode::CONFLICT, "payment_identifier_conflict", message)));
        }
    }
    let response = run(route, request).await;
    let (parts, body) = response.into_parts();
    // What is too large to keep would have been built in memory; it is streamed, and served again to whoever repeats.
    let small = parts.status.is_success() && length(&parts.headers).is_none_or(|bytes| bytes < ANSWER_BYTES_MAX / 2);
    if !small {
        paid.store.drop_request(name, payer, place).await.map_err(broken)?;
        return Ok(Response::from_parts(parts, body));
    }
    let Ok(bytes) = to_bytes(body, ANSWER_BYTES_MAX / 2).await else {
        paid.store.drop_request(name, payer, place).await.map_err(broken)?;
        let message = "the answer is too large or broke off: you have paid, try again with the same payment";
        return Err(Box::new(answer::later("answer_too_large", message)));
    };
    let kept = answer::to_keep(&parts.headers, &bytes);
    paid.store.finish_request(name, payer, place, parts.status.as_u16(), &kept).await.map_err(broken)?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
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

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(axum::http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
