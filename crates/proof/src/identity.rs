//! Who a card is: a keyed hash of what its driver says, so that one card cannot be listed twice and no serial is published.

use alloy_primitives::B256;
use aws_lc_rs::hmac;

/// What names one card. All of it is the driver's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFacts {
    /// PCI vendor.
    pub vendor: u32,
    /// PCI device.
    pub device: u32,
    /// UUID or serial number; the PCI address of a card that has neither.
    pub unique: String,
    /// The board's part number; empty where the driver tells none.
    pub board: String,
}

/// A card's name under a market's key. Without the key nobody can try serials against it.
#[must_use]
pub fn identity(key: &[u8; 32], card: &CardFacts) -> B256 {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(b"bourse card v1");
    context.update(&card.vendor.to_be_bytes());
    context.update(&card.device.to_be_bytes());
    for text in [&card.unique, &card.board] {
        context.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(text.as_bytes());
    }
    B256::from_slice(context.sign().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_card_or_another_key_is_another_name() {
        let card = |unique: &str, board: &str| CardFacts {
            vendor: 0x10de,
            device: 0x2335,
            unique: unique.into(),
            board: board.into(),
        };
        let name = identity(&[1; 32], &card("GPU-a", "b"));
        assert_eq!(name, identity(&[1; 32], &card("GPU-a", "b")));
        assert_ne!(name, identity(&[2; 32], &card("GPU-a", "b")));
        assert_ne!(name, identity(&[1; 32], &card("GPU-", "ab")));
        assert_ne!(name, identity(&[1; 32], &CardFacts { device: 1, ..card("GPU-a", "b") }));
    }
}
