//! Pages of others may buy over x402: such a request is paid for by what it carries and by nothing that a browser adds
//! by itself. No other route answers them, and no cookie counts there.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What a page may send. The official client sends `Access-Control-Expose-Headers` with its requests.
const ALLOWED: &str = "content-type, accept, authorization, idempotency-key, payment-signature, x-payment, \
                       sign-in-with-x, access-control-expose-headers, cache-control";
/// What a page may read of the answer.
const EXPOSED: &str =
    "payment-required, payment-response, x-payment-response, retry-after, location, idempotent-replayed";
/// Browsers ask again after this many seconds; longer than most sessions with one page.
const ASK_AGAIN_S: &str = "7200";

/// Whether pages of others may ask for it.
fn is_open(path: &str) -> bool {
    path.starts_with("/api/v1/x402/") || path.starts_with("/api/v1/discovery/")
}

/// Answers the browsers' question before a request, and lets their pages read the answer.
pub(crate) async fn share(mut request: Request, next: Next) -> Response {
    if !is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let is_page = request.headers().contains_key(header::ORIGIN);
    if is_page && request.method() == Method::OPTIONS {
        let mut answer = StatusCode::NO_CONTENT.into_response();
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(ASK_AGAIN_S));
        open(headers);
        return answer;
    }
    // Nothing here is anybody's by a cookie.
    request.headers_mut().remove(header::COOKIE);
    let mut answer = next.run(request).await;
    if is_page {
        open(answer.headers_mut());
    }
    answer
}

fn open(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_paid_for_by_itself_is_open() {
        for open in ["/api/v1/x402/jobs", "/api/v1/x402/leases/0x1/tick", "/api/v1/discovery/resources"] {
            assert!(is_open(open), "{open}");
        }
        for closed in ["/api/v1/jobs", "/api/v1/wallets/withdraw", "/api/v1/auth/login", "/api/v1/x402"] {
            assert!(!is_open(closed), "{closed}");
        }
    }
}
