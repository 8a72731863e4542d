//! Under which address this gateway was dialled: its public one, or else the host that the request names.

use axum::http::{HeaderMap, header};
use url::Url;

/// The origins that a caller of this gateway can have dialled: its public address, or else the host of the request, with
/// or without TLS in front. The plain one is last.
pub(crate) fn origins(public: Option<&Url>, headers: &HeaderMap) -> Vec<String> {
    let of = |url: Url| url.origin().ascii_serialization();
    match public {
        Some(public) => vec![of(public.clone())],
        None => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            let urls = host.map(|host| ["https", "http"].map(|scheme| Url::parse(&format!("{scheme}://{host}"))));
            urls.into_iter().flatten().flatten().map(of).collect()
        }
    }
}

/// Host and port of an origin, as EIP-4361 writes a domain.
pub(crate) fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origins_are_the_configured_one_or_follow_the_host_header() {
        let check = |public: Option<&str>, host: Option<&'static str>, expected: &[&str]| {
            let public = public.map(|url| Url::parse(url).unwrap());
            let headers = host.map(|host| (header::HOST, host.parse().unwrap())).into_iter().collect();
            assert_eq!(origins(public.as_ref(), &headers), expected);
        };
        check(None, Some("127.0.0.1:4510"), &["https://127.0.0.1:4510", "http://127.0.0.1:4510"]);
        check(None, Some("Gate.Example:443"), &["https://gate.example", "http://gate.example:443"]);
        check(None, Some("[::1]:80"), &["https://[::1]:80", "http://[::1]"]);
        check(Some("https://gate.example:443/x"), Some("evil.example"), &["https://gate.example"]);
        check(None, Some("not a host"), &[]);
        check(None, None, &[]);
        assert_eq!(authority("https://gate.example:8443"), "gate.example:8443");
    }
}
