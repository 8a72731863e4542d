//! `GET /api/v1/docs`: the contract of the API for people.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// One page with its own style and script; it reads the contract that this gateway serves.
const PAGE: &str = include_str!("docs/page.html");
/// Nothing but the page itself and what this gateway answers.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// This description for people
///
/// One HTML page: operations, parameters, schemas, and a form to try what reads.
#[utoipa::path(
    get,
    path = "/api/v1/docs",
    tag = "contract",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String))
)]
pub(crate) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE).into_response()
}
