//! Signing in, with a wallet or with a password, and out.

pub(crate) mod link;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod nonce;
pub(crate) mod refresh;
pub(crate) mod signup;
pub(crate) mod verify;

use alloy_primitives::Address;
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use url::Url;
use wire::http::AccountSessionJson;

use crate::{
    GatewayError,
    auth::{COOKIE, is_foreign_page, origins, siwe::Signed, token_hash, tokens::REFRESH_COOKIE},
    config::{ACCOUNT_SESSION_FOR, REFRESH_FOR},
    state::Shared,
};

/// The cookie that carries `token` for `for_s` seconds; 0 takes it away. No script reads it, no other site sends it, and
/// where the gateway is dialled over TLS nobody on the way sees it.
fn cookie(public: Option<&Url>, token: &str, for_s: u64) -> Option<HeaderValue> {
    let secure = if public.is_some_and(|url| url.scheme() == "https") { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={for_s}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).ok()
}

/// The cookie that makes the next session; only this gateway's sign-in gets it.
fn refresh_cookie(public: Option<&Url>, token: &str, for_s: u64) -> Option<HeaderValue> {
    let secure = if public.is_some_and(|url| url.scheme() == "https") { "; Secure" } else { "" };
    let path = "/api/v1/auth";
    let text = format!("{REFRESH_COOKIE}={token}; Path={path}; Max-Age={for_s}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).ok()
}

/// The answer to who signed in with a password: tokens for programs, and cookies for our own pages. Another's page, which
/// can make a browser post here, must not put its visitor into a session of its own choice.
fn opened(shared: &Shared, headers: &HeaderMap, status: StatusCode, session: AccountSessionJson) -> Response {
    let public = shared.public_url.as_ref();
    let cookies = [
        cookie(public, &session.token, ACCOUNT_SESSION_FOR.as_secs()),
        refresh_cookie(public, &session.refresh_token, REFRESH_FOR.as_secs()),
    ];
    let is_ours = !is_foreign_page(headers, &origins(public, headers));
    let mut response = (status, Json(session)).into_response();
    for cookie in cookies.into_iter().flatten().filter(|_| is_ours) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Uses up the nonce of a message that is right.
async fn use_up(shared: &Shared, signed: &Signed, at: market::Timestamp) -> Result<(), GatewayError> {
    let bound = stored(&signed.nonce, Some(signed.address));
    if shared.store.take_nonce(&bound, at).await? || shared.store.take_nonce(&signed.nonce, at).await? {
        return Ok(());
    }
    let reason = "its nonce was not given out, is used or has expired; ask for a new one".into();
    Err(GatewayError::SignIn { reason })
}

/// Under which name a nonce is stored: one that was asked for with an address is good for that address only. Its name has
/// a sign that no message's nonce may have, so that it cannot be given as one for everybody.
fn stored(nonce: &str, address: Option<Address>) -> String {
    address.map_or_else(|| nonce.to_owned(), |address| format!("@{:x}", token_hash(&format!("{nonce}:{address}"))))
}

/// Nobody can sign in where the name that he would sign for is not known.
fn no_address() -> GatewayError {
    GatewayError::NotHere {
        what: "this gateway was not told its public address, so nobody from elsewhere can sign in; start it with \
               --public-url, or dial it as localhost on its own machine"
            .into(),
    }
}

/// Unix seconds as a time of the interface.
pub(crate) fn time(unix_s: u64) -> Timestamp {
    i64::try_from(unix_s).ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_secure_where_the_address_is() {
        let check = |public: Option<&str>, expected: &str| {
            let public = public.map(|url| Url::parse(url).unwrap());
            assert_eq!(cookie(public.as_ref(), "t", 9).unwrap(), expected);
        };
        check(None, "bourse_session=t; Path=/; Max-Age=9; HttpOnly; SameSite=Strict");
        check(Some("http://gate"), "bourse_session=t; Path=/; Max-Age=9; HttpOnly; SameSite=Strict");
        check(Some("https://gate"), "bourse_session=t; Path=/; Max-Age=9; HttpOnly; SameSite=Strict; Secure");
    }
}
