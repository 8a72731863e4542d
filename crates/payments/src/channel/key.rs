//! Who signed a voucher: libsecp256k1, and for a key that signs again and again a check that is quicker than recovery.

use alloy_primitives::{Address, B256, keccak256};
use secp256k1::{
    Message, PublicKey, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId, Signature},
};
use wire::SignatureBytes;

/// Who signed these 32 bytes, and with which key. Nobody when the signature is malformed or its s is high.
#[must_use]
pub fn recover(digest: &B256, signature: &SignatureBytes) -> Option<(Address, PublicKey)> {
    let id = match signature.0[64] {
        27 => RecoveryId::Zero,
        28 => RecoveryId::One,
        _ => return None,
    };
    let found = RecoverableSignature::from_compact(&signature.0[..64], id).ok()?;
    let plain = found.to_standard();
    let mut low = plain;
    low.normalize_s();
    if low != plain {
        return None;
    }
    let key = SECP256K1.recover_ecdsa(Message::from_digest(digest.0), &found).ok()?;
    Some((Address::from_word(keccak256(&key.serialize_uncompressed()[1..])), key))
}

/// Whether the owner of `key` made the signature, whatever its v: [`repaired`] finds the one that contracts need. A
/// signature with a high s is nobody's.
#[must_use]
pub fn made_by(key: &PublicKey, digest: &B256, signature: &SignatureBytes) -> bool {
    Signature::from_compact(&signature.0[..64])
        .is_ok_and(|found| SECP256K1.verify_ecdsa(Message::from_digest(digest.0), &found, key).is_ok())
}

/// The same signature with the v under which contracts recover `signer` from it.
#[must_use]
pub fn repaired(digest: &B256, signature: &SignatureBytes, signer: Address) -> Option<SignatureBytes> {
    [27, 28].into_iter().find_map(|v| {
        let mut other = *signature;
        other.0[64] = v;
        recover(digest, &other).is_some_and(|(found, _)| found == signer).then_some(other)
    })
}
