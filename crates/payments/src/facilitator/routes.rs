//! The facilitator as axum routes. Refusals are answered with 200 and a code, as official clients want it; what failed on
//! this side is 503, and so is an outcome that nobody knows.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use wire::x402::{
    DiscoveredResource, DiscoveryPage, DiscoveryQuery, FacilitatorRequest, SettleResponse, VerifyResponse, reason,
};

use super::{Facilitator, now};
use crate::{PaymentRefusal, PaymentsError};

/// The largest body: a claim of fifty rows has 50 kB.
pub const FACILITATOR_BODY_BYTES_MAX: usize = 256 << 10;
/// When to ask again about an outcome that is not known yet, in seconds.
const RETRY_AFTER_S: &str = "5";

/// Lists what can be bought.
pub type Listed = Arc<dyn Fn() -> Vec<DiscoveredResource> + Send + Sync>;

#[derive(Clone)]
struct Shared {
    facilitator: Facilitator,
    listed: Listed,
}

/// `/verify`, `/settle`, `/supported` and `/discovery/resources`.
pub fn routes(facilitator: Facilitator, listed: Listed) -> Router {
    Router::new()
        .route("/verify", post(verify))
        .route("/settle", post(settle))
        .route("/supported", get(supported))
        .route("/discovery/resources", get(discover))
        .layer(DefaultBodyLimit::max(FACILITATOR_BODY_BYTES_MAX))
        .with_state(Shared { facilitator, listed })
}

async fn verify(State(shared): State<Shared>, body: Bytes) -> Response {
    let request = match read(&body) {
        Ok(request) => request,
        Err(refusal) => return (StatusCode::BAD_REQUEST, Json(refusal.to_verify())).into_response(),
    };
    match shared.facilitator.verify(&request, now()).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            let reason = Some(reason::UNEXPECTED_VERIFY.to_owned());
            let message = Some(logged(&error));
            failed(VerifyResponse { invalid_reason: reason, invalid_message: message, ..VerifyResponse::default() })
        }
    }
}

async fn settle(State(shared): State<Shared>, body: Bytes) -> Response {
    let request = match read(&body) {
        Ok(request) => request,
        Err(refusal) => return (StatusCode::BAD_REQUEST, Json(refusal.to_settle(""))).into_response(),
    };
    // The client may hang up; what was begun is finished, and found again when it asks again.
    let facilitator = shared.facilitator.clone();
    let settled = tokio::spawn(async move { facilitator.settle(&request, now()).await }).await;
    let network = shared.facilitator.exact().network();
    match settled {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(PaymentsError::Unknown { tx })) => {
            let message = "the transaction is on its way: ask again for the same payment";
            let pending = SettleResponse::failed(network, None, reason::SETTLEMENT_PENDING, message);
            failed(SettleResponse { transaction: tx.to_string(), ..pending })
        }
        Ok(Err(error)) => failed(SettleResponse::failed(network, None, reason::UNEXPECTED_SETTLE, logged(&error))),
        Err(_) => failed(SettleResponse::failed(network, None, reason::UNEXPECTED_SETTLE, "try again")),
    }
}

async fn supported(State(shared): State<Shared>) -> Response {
    Json(shared.facilitator.supported()).into_response()
}

async fn discover(State(shared): State<Shared>, Query(query): Query<DiscoveryQuery>) -> Response {
    Json(DiscoveryPage::of((shared.listed)().into_iter(), &query)).into_response()
}

fn read(body: &[u8]) -> Result<FacilitatorRequest, PaymentRefusal> {
    serde_json::from_slice(body).map_err(|error| PaymentRefusal::new(reason::INVALID_PAYLOAD, error.to_string()))
}

fn failed(answer: impl Serialize) -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(answer)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    response
}

fn logged(error: &PaymentsError) -> String {
    tracing::warn!(%error, "a payment could not be looked at");
    "something failed on this side, and nothing is known of the payment: try again".to_owned()
}
