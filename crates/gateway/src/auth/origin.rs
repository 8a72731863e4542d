//! Under which address this gateway was dialled: its public one, or else the host that the request names.

use axum::http::{HeaderMap, header};
use url::{Host, Url};

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

/// The origins that a sign-in message may name. Without a public address whoever asks writes the `Host` himself: a page
/// that had a message signed for its own name could bring it here under that name. So only what leads to this machine
/// is believed then; nobody else's page has such an address.
pub(crate) fn sign_in_origins(public: Option<&Url>, headers: &HeaderMap) -> Vec<String> {
    let is_here = |origin: &String| Url::parse(origin).is_ok_and(|url| is_loopback(&url));
    origins(public, headers).into_iter().filter(|origin| public.is_some() || is_here(origin)).collect()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
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
    fn without_a_public_address_a_sign_in_names_only_this_machine() {
        let check = |public: Option<&str>, host: &'static str, expected: usize| {
            let public = public.map(|url| Url::parse(url).unwrap());
            let headers = [(header::HOST, host.parse().unwrap())].into_iter().collect();
            assert_eq!(sign_in_origins(public.as_ref(), &headers).len(), expected, "{public:?} {host}");
        };
        for here in ["localhost:4510", "127.0.0.1:4510", "127.1.2.3", "[::1]:4510"] {
            check(None, here, 2);
        }
        for elsewhere in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.9", "0.0.0.0"]
        {
            check(None, elsewhere, 0);
        }
        check(Some("https://gate.example"), "evil.example", 1);
    }

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
