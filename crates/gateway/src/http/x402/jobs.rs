//! `POST /api/v1/x402/jobs`: a whole job for one payment, by clients that can do no more than pay.

mod buy;
mod offer;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use wire::{
    http::{CreateJobBody, CreatedJobJson, X402JobBody},
    x402::{PAYMENT_REQUIRED, PAYMENT_SIGNATURE, Payment, PaymentRequired, X_PAYMENT},
};

pub(crate) use offer::discovered;

use crate::{
    GatewayError,
    auth::Headers,
    http::{body, page::malformed},
    state::Shared,
    x402::HttpPayments,
};

/// Buy a job with one payment (x402, scheme `exact`). Without a payment the answer is 402 and says what to pay, to an
/// address of that job's own; with it the job is created in the name of `refundTo`, who gets back what is not used. Money
/// for a job that can no longer be created goes back there too. Sending the same payment again gives the same job.
#[utoipa::path(post, path = "/api/v1/x402/jobs", tag = "x402",
    request_body = X402JobBody,
    params(
        ("PAYMENT-SIGNATURE" = Option<String>, Header, description = "The payment, version 2: base64 of JSON."),
        ("X-PAYMENT" = Option<String>, Header, description = "The payment, version 1: base64 of JSON."),
    ),
    responses(
        (status = 201, description = "The job is on chain; PAYMENT-RESPONSE tells of the payment.", body = CreatedJobJson),
        (status = 200, description = "The job that this payment bought before.", body = CreatedJobJson),
        (status = 402, description = "What to pay: version 2 in the header PAYMENT-REQUIRED, version 1 in the body.",
            body = Object, content_type = "application/json"),
        (status = 409, description = "Nothing fits; or the job could not be created any more, and the money went back."),
        (status = 501, description = "This gateway takes no payments over HTTP."),
        (status = 503, description = "The outcome is not known: send the same payment again after Retry-After, never another."),
    ),
)]
pub(crate) async fn create(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    body::Json(body): body::Json<X402JobBody>,
) -> Result<Response, GatewayError> {
    let payments = taken(&shared)?.clone();
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let payment = Payment::of_headers(text(PAYMENT_SIGNATURE), text(X_PAYMENT))?;
    let wish = CreateJobBody {
        resource_id: body.resource_id,
        spec: Some(body.spec),
        max_duration_s: Some(body.max_duration_s),
        max_price: body.max_price,
        simulated: body.simulated,
        controller: None,
        terms: None,
        authorization: None,
    };
    let asked = Asked { wish, renter: body.refund_to, url: resource(&shared, &headers) };
    if asked.renter.is_zero() {
        return Err(malformed("refundTo", "nobody has this address; name who gets back what is not used"));
    }
    match payment {
        None => offer::required(&shared, &payments, &asked, None).await,
        Some(payment) => buy::buy(&shared, payments, asked, payment).await,
    }
}

/// What somebody wants to buy.
pub(super) struct Asked {
    wish: CreateJobBody,
    renter: alloy_primitives::Address,
    /// This route, as the client dialled it.
    url: String,
}

fn taken(shared: &Shared) -> Result<&HttpPayments, GatewayError> {
    shared.x402.as_ref().ok_or_else(|| GatewayError::NotHere {
        what: "this gateway takes no payments over HTTP: sign in and use POST /api/v1/jobs".into(),
    })
}

fn resource(shared: &Shared, headers: &HeaderMap) -> String {
    let origins = crate::auth::origins(shared.public_url.as_ref(), headers);
    format!("{}/api/v1/x402/jobs", origins.last().map(String::as_str).unwrap_or_default())
}

/// The answer that asks for money, for clients of either version.
fn pay(required: &PaymentRequired) -> Result<Response, GatewayError> {
    let told = wire::x402::encode("the offer", required)?;
    let told = HeaderValue::try_from(told).map_err(|_| GatewayError::Busy { what: "the offer cannot be told" })?;
    let body = serde_json::to_vec(&required.to_v1()).unwrap_or_default();
    let kind = HeaderValue::from_static("application/json");
    let mut response = (StatusCode::PAYMENT_REQUIRED, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static(PAYMENT_REQUIRED), told);
    Ok(response)
}
