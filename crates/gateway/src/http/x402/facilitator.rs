//! `/api/v1/x402/verify`, `/settle`, `/supported` and `/discovery/resources`, where this gateway settles for others. Official
//! clients name a facilitator by its address, here `…/api/v1/x402`, and append these.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, uri::PathAndQuery},
    response::Response,
};
use payments::facilitator::{FACILITATOR_BODY_BYTES_MAX, Listed, routes};
use tower::ServiceExt;
use url::form_urlencoded;
use wire::x402::{DiscoveredResource, LISTED_MAX};

use crate::{GatewayError, http::page::malformed, state::Shared};

/// Whether a payment for somebody else's server would be taken now. Nothing moves. Only receivers that this market lists
/// are served. A refusal is 200 with `isValid` false and a reason, as official clients want it.
#[utoipa::path(post, path = "/api/v1/x402/verify", tag = "x402",
    request_body(content = Object, description = "`{x402Version, paymentPayload, paymentRequirements}`, of version 1 or 2."),
    responses(
        (status = 200, description = "`{isValid, invalidReason?, payer?}`.", body = Object),
        (status = 501, description = "This gateway settles for nobody."),
        (status = 503, description = "Something failed on this side, which says nothing about the payment.", body = Object),
    ),
)]
pub(crate) async fn verify(State(shared): State<Shared>, request: Request) -> Result<Response, GatewayError> {
    pass(&shared, "/verify", request).await
}

/// Takes a payment for somebody else's server, once, however often it is asked. A refusal is 200 with `success` false. An
/// outcome that is not known yet is 503: ask again for the same payment.
#[utoipa::path(post, path = "/api/v1/x402/settle", tag = "x402",
    request_body(content = Object, description = "`{x402Version, paymentPayload, paymentRequirements}`, of version 1 or 2."),
    responses(
        (status = 200, description = "`{success, transaction, network, payer?, errorReason?}`.", body = Object),
        (status = 501, description = "This gateway settles for nobody."),
        (status = 503, description = "It is not known yet what became of it: ask again for the same payment, never for another.", body = Object),
    ),
)]
pub(crate) async fn settle(State(shared): State<Shared>, request: Request) -> Result<Response, GatewayError> {
    pass(&shared, "/settle", request).await
}

/// Which kinds of payment are verified and settled here.
#[utoipa::path(get, path = "/api/v1/x402/supported", tag = "x402", responses(
    (status = 200, description = "`{kinds, extensions, signers}`.", body = Object),
    (status = 501, description = "This gateway settles for nobody."),
))]
pub(crate) async fn supported(State(shared): State<Shared>, request: Request) -> Result<Response, GatewayError> {
    pass(&shared, "/supported", request).await
}

/// What can be bought here over x402.
#[utoipa::path(get, path = "/api/v1/x402/discovery/resources", tag = "x402",
    params(
        ("type" = Option<String>, Query, description = "`http`, or anything."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100, description = "At most so many."),
        ("offset" = Option<u64>, Query, description = "After so many."),
    ),
    responses(
        (status = 200, description = "`{x402Version, items, pagination}`.", body = Object),
        (status = 501, description = "This gateway settles for nobody."),
    ),
)]
pub(crate) async fn discovery(State(shared): State<Shared>, request: Request) -> Result<Response, GatewayError> {
    let query = request.uri().query().unwrap_or_default();
    if let Some((_, limit)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit")
        && !limit.parse().is_ok_and(|limit: u64| (1..=LISTED_MAX).contains(&limit))
    {
        return Err(malformed("limit", format!("is a number from 1 to {LISTED_MAX}")));
    }
    pass(&shared, "/discovery/resources", request).await
}

/// Hands a request to the facilitator's own routes.
async fn pass(shared: &Shared, path: &'static str, mut request: Request) -> Result<Response, GatewayError> {
    let facilitator = shared.x402.as_ref().and_then(|x402| x402.facilitator.clone());
    let Some(facilitator) = facilitator else {
        let what = "this gateway verifies and settles for nobody else: name another facilitator".into();
        return Err(GatewayError::NotHere { what });
    };
    let query = request.uri().query().map(|query| format!("{path}?{query}"));
    *request.uri_mut() = match query.map(PathAndQuery::try_from) {
        None => Uri::from_static(path),
        Some(Ok(whole)) => whole.into(),
        Some(Err(_)) => return Err(malformed("query", "cannot be read")),
    };
    let weak = Arc::downgrade(shared);
    let listed: Listed = Arc::new(move || weak.upgrade().map(|shared| resources(&shared)).unwrap_or_default());
    let is_read = request.method().is_safe();
    let answer = match routes(facilitator, listed).oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    // What cannot be read is told here as everywhere.
    match answer.status() {
        StatusCode::BAD_REQUEST if is_read => Err(malformed("query", "cannot be read; see GET /api/v1/openapi.json")),
        StatusCode::BAD_REQUEST => {
            Err(malformed("body", "is no {x402Version, paymentPayload, paymentRequirements} of version 1 or 2"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Err(GatewayError::TooLarge { limit: FACILITATOR_BODY_BYTES_MAX }),
        _ => Ok(answer),
    }
}

/// What can be bought here over x402: a job, whose price follows from what is asked for.
fn resources(shared: &Shared) -> Vec<DiscoveredResource> {
    let Some(url) = shared.public_url.as_ref().and_then(|url| url.join("api/v1/x402/jobs").ok()) else {
        return Vec::new();
    };
    super::jobs::discovered(shared, url.as_str()).into_iter().collect()
}
