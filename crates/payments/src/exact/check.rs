//! What can be said of a payment without asking anybody.

use alloy_primitives::B256;
use market::Timestamp;
use wire::SignatureBytes;
use wire::x402::{EXACT, ExactPayload, Payment, Requirements, SIGNATURE_BYTES_MAX, reason, typed};

use crate::PaymentRefusal;
use crate::channel::recover;

/// An authorization must outlast the block that it is mined in: two blocks of the slowest chain, in seconds.
pub const INCLUSION_S: u64 = 6;

/// Checks a payment against what was asked for. Tells whether the payer's key signed it; where it did not, only a payer
/// that is a contract may have.
pub fn check(
    payment: &Payment,
    offer: &Requirements,
    separator: &B256,
    now: Timestamp,
) -> Result<(ExactPayload, bool), PaymentRefusal> {
    if payment.scheme() != EXACT || offer.scheme != EXACT {
        return Err(PaymentRefusal::new(reason::EXACT_SCHEME, "the payment is by another scheme than exact"));
    }
    if payment.network() != Some(offer.network) {
        return Err(PaymentRefusal::new(reason::EXACT_NETWORK, format!("pay on {}", offer.network)));
    }
    if !payment.is_for(offer) {
        let message = "the payment accepts another offer than was made: ask for the offer again";
        return Err(PaymentRefusal::new(reason::INVALID_REQUIREMENTS, message));
    }
    let malformed = |message: String| PaymentRefusal::new(reason::INVALID_PAYLOAD, message);
    let payload = payment.exact().map_err(|error| malformed(error.to_string()))?;
    if payload.signature.len() > SIGNATURE_BYTES_MAX {
        return Err(malformed(format!("a signature has at most {SIGNATURE_BYTES_MAX} bytes")));
    }
    let told = &payload.authorization;
    let refuse = |code, message: String| Err(PaymentRefusal::new(code, message).by(told.from));
    let signature = <[u8; 65]>::try_from(payload.signature.as_ref()).ok().map(SignatureBytes);
    let signed = signature
        .and_then(|signature| recover(&typed::digest(separator, &told.typed()), &signature))
        .is_some_and(|(signer, _)| signer == told.from);
    // Version 1 calls the price a maximum, and its clients may sign more.
    let enough = if payment.version() == 1 { told.value >= offer.amount } else { told.value == offer.amount };
    if !enough {
        return refuse(reason::EXACT_VALUE, format!("{} was signed, {} is asked", told.value, offer.amount));
    }
    if told.to != offer.pay_to {
        return refuse(reason::EXACT_RECIPIENT, format!("pay to {}", offer.pay_to));
    }
    if told.valid_after >= u128::from(now.0) {
        return refuse(reason::EXACT_VALID_AFTER, format!("it is valid later than {}", told.valid_after));
    }
    if told.valid_before <= u128::from(now.0.saturating_add(INCLUSION_S)) {
        return refuse(
            reason::EXACT_VALID_BEFORE,
            format!("it is valid until {}, which is too soon", told.valid_before),
        );
    }
    Ok((payload, signed))
}
