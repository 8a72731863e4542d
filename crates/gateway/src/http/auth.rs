//! Signing in with a wallet, and out.

pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod nonce;
pub(crate) mod verify;

use alloy_primitives::Address;
use axum::http::HeaderValue;
use jiff::Timestamp;
use url::Url;

use crate::{
    GatewayError,
    auth::{COOKIE, token_hash},
};

/// The cookie that carries `token` for `for_s` seconds; 0 takes it away. No script reads it, no other site sends it, and
/// where the gateway is dialled over TLS nobody on the way sees it.
fn cookie(public: Option<&Url>, token: &str, for_s: u64) -> Option<HeaderValue> {
    let secure = if public.is_some_and(|url| url.scheme() == "https") { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={for_s}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).ok()
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
fn time(unix_s: u64) -> Timestamp {
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
