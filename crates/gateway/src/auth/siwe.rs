//! Signing in with a wallet (EIP-4361): what a message must say. Knows no clock, store or socket.

use alloy_primitives::Address;
use market::Timestamp;
use siwe::Message;
use url::Url;
use wire::{SignatureBytes, http::VerifyBody};

use crate::{
    GatewayError,
    auth::authority,
    config::{NONCE_FOR, SIWE_MESSAGE_BYTES_MAX},
};

/// Clocks of wallets may be ahead of ours by this much.
const AHEAD_S: u64 = wire::signed::FRESH_S;

/// What a message to this gateway names.
pub(crate) struct Expected<'a> {
    /// The origins under which this gateway can have been dialled.
    pub(crate) origins: &'a [String],
    pub(crate) chain_id: u64,
    pub(crate) now: Timestamp,
}

/// A message that is right and signed; its nonce has still to be taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) address: Address,
    pub(crate) nonce: String,
}

/// The message that a wallet signs to open a session.
pub(crate) fn message(origin: &str, address: Address, chain_id: u64, nonce: &str, at: jiff::Timestamp) -> String {
    let domain = authority(origin);
    // Checksummed, as the standard wants it; whole seconds, as every parser reads it.
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "{domain} wants you to sign in with your Ethereum account:\n{address}\n\nSign in to Bourse. This costs \
         nothing and moves no money.\n\nURI: {origin}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: \
         {at}"
    )
}

/// Checks everything but whether the nonce was given and is unused.
pub(crate) fn check(body: &VerifyBody, expected: &Expected<'_>) -> Result<Signed, GatewayError> {
    if body.message.len() > SIWE_MESSAGE_BYTES_MAX {
        return Err(wrong("message", format!("it has more than {SIWE_MESSAGE_BYTES_MAX} bytes")));
    }
    let message: Message = body.message.parse().map_err(|error| wrong("message", format!("{error}")))?;
    // What the signer was shown must be what is read here, to the byte.
    if message.to_string() != body.message {
        return Err(wrong("message", "write it as EIP-4361 does, without anything more".into()));
    }
    let domain = message.domain.as_str();
    let Some(origin) = expected.origins.iter().find(|origin| authority(origin).eq_ignore_ascii_case(domain)) else {
        let own = expected.origins.iter().map(|origin| authority(origin)).collect::<Vec<_>>().join(" or ");
        return Err(wrong("message", format!("it is for the domain {domain}, this gateway is {own}")));
    };
    let uri = Url::parse(message.uri.as_str()).map(|uri| uri.origin().ascii_serialization()).unwrap_or_default();
    if !expected.origins.contains(&uri) {
        return Err(wrong("message", format!("its URI is {}, this gateway is {origin}", message.uri)));
    }
    if message.chain_id != expected.chain_id {
        let (found, own) = (message.chain_id, expected.chain_id);
        return Err(wrong("message", format!("it is for chain {found}, this gateway serves chain {own}")));
    }
    // No nonce of ours has other characters, and none may stand for one that is bound to an address.
    if !message.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(wrong("message", "its nonce has characters other than letters and digits".into()));
    }
    in_time(&message, expected.now)?;
    let signature: SignatureBytes = body
        .signature
        .parse()
        .map_err(|_| wrong("signature", "it is 65 bytes in hex, EIP-191 personal_sign".into()))?;
    let address = Address::from(message.address);
    match signature.signer_of_message(&body.message) {
        Some(signer) if signer == address => Ok(Signed { address, nonce: message.nonce }),
        Some(signer) => {
            Err(GatewayError::SignIn { reason: format!("the message names {address}, {signer} signed it") })
        }
        None => Err(GatewayError::SignIn {
            reason: "the signature is malformed: r, s in the lower half of the curve's order, v 27 or 28".into(),
        }),
    }
}

fn in_time(message: &Message, now: Timestamp) -> Result<(), GatewayError> {
    let seconds = |stamp: &siwe::TimeStamp| u64::try_from(stamp.as_ref().unix_timestamp()).unwrap_or(0);
    let late = |reason: &str| Err(GatewayError::SignIn { reason: reason.into() });
    let issued = seconds(&message.issued_at);
    if issued > now.0 + AHEAD_S {
        return late("the message was issued in the future; check this machine's clock");
    }
    if issued + NONCE_FOR.as_secs() + AHEAD_S < now.0 {
        return late("the message was issued too long ago; ask for a new nonce");
    }
    if message.expiration_time.as_ref().is_some_and(|until| seconds(until) <= now.0) {
        return late("the message has expired; ask for a new nonce");
    }
    if message.not_before.as_ref().is_some_and(|from| seconds(from) > now.0) {
        return late("the message is not good yet");
    }
    Ok(())
}

fn wrong(field: &str, reason: String) -> GatewayError {
    GatewayError::Malformed { field: field.into(), reason }
}
