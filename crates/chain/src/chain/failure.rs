//! A transport's failure as an error that says what to do, without the endpoint's path or credentials.

use std::error::Error;

use alloy::{rpc::json_rpc::RpcError, transports::TransportError};
use url::{Host, Url};

use crate::{ChainError, MarketRevert};

/// Host and port; what follows may be an access key.
pub(crate) fn host(rpc: &Url) -> String {
    let host = rpc.host_str().unwrap_or("?");
    rpc.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The endpoint is on this machine.
pub(crate) fn is_local(rpc: &Url) -> bool {
    match rpc.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Nobody answered.
pub(crate) fn unreachable(rpc: &Url, error: &(dyn Error + 'static)) -> ChainError {
    // An HTTP client's own message repeats the whole address; the deepest cause does not.
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let cause = deepest.to_string();
    let cause = if cause.contains(rpc.as_str()) { "no answer".to_owned() } else { cause };
    ChainError::Unreachable { host: host(rpc), cause }
}

/// A request failed.
pub(crate) fn read(rpc: &Url, what: &'static str, error: TransportError) -> ChainError {
    match error {
        RpcError::ErrorResp(payload) => {
            if let Some(data) = payload.as_revert_data() {
                return ChainError::Reverted(MarketRevert::decode(&data));
            }
            if payload.is_retry_err() {
                return ChainError::Unreachable { host: host(rpc), cause: payload.message.into_owned() };
            }
            if payload.message.contains("revert") {
                return ChainError::Reverted(MarketRevert::Message(payload.message.into_owned()));
            }
            ChainError::Refused { what, message: payload.message.into_owned() }
        }
        RpcError::DeserError { err, .. } => ChainError::BadAnswer { what, message: err.to_string() },
        RpcError::NullResp => ChainError::BadAnswer { what, message: "nothing".into() },
        other => unreachable(rpc, &other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_in_the_address_is_not_repeated() {
        let rpc: Url = "https://user:pw@rpc.example/v2/s3cret?key=s3cret".parse().unwrap();
        assert_eq!(host(&rpc), "rpc.example:443");
        let error = std::io::Error::other(format!("error sending request for url ({rpc})"));
        assert!(!unreachable(&rpc, &error).to_string().contains("s3cret"));
    }
}
