//! `GET /api/v1/docs`: the contract of the API for people.

use alloy_primitives::hex;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use crate::GatewayError;

/// One page with its own style and script; it reads the contract that this gateway serves.
const PAGE: &str = include_str!("docs/page.html");
/// Stands in the page where what may run is named; different in each answer, so that nothing else can name it.
const NONCE: &str = "{{nonce}}";
const NONCE_BYTES: usize = 16;

/// This description for people
///
/// One HTML page: operations, parameters, schemas, and a form to try what reads.
#[utoipa::path(
    get,
    path = "/api/v1/docs",
    tag = "contract",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String))
)]
pub(crate) async fn page() -> Result<Response, GatewayError> {
    let mut nonce = [0; NONCE_BYTES];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| GatewayError::Busy { what: "no randomness now" })?;
    let nonce = hex::encode(nonce);
    // Nothing but the page itself and what this gateway answers.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, PAGE.replace(NONCE, &nonce)).into_response())
}
