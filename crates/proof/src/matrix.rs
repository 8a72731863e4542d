//! The matrices of a challenge: words of a ChaCha20 key stream, so that nothing about them can be exploited.
//!
//! Round `k` multiplies with `A_k`, the stream under nonce `k`, row after row. The first matrix `C_0` is the stream under
//! nonce 0, column after column. Streams can be entered anywhere, so a verifier makes only the rows that it needs.

use std::fmt;

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher, StreamCipherSeek},
};

/// What a challenge's matrices are made from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key as ChaCha20 takes it: eight little-endian words.
    #[must_use]
    pub fn words(&self) -> [u32; 8] {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(self.0.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        words
    }

    /// Words of the stream under nonce `round`, from the first word of `line` on: whole rows of `A_round`, or whole
    /// columns of `C_0`.
    pub fn lines(&self, round: u32, size: u32, line: u32, words: &mut [u32]) {
        self.stream(round, u64::from(line) * u64::from(size) * 4, words);
    }

    fn stream(&self, round: u32, first_byte: u64, words: &mut [u32]) {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&round.to_le_bytes());
        let mut cipher = ChaCha20::new(&self.0.into(), &nonce.into());
        cipher.seek(first_byte);
        let mut bytes = [0; 4096];
        for piece in words.chunks_mut(bytes.len() / 4) {
            let bytes = &mut bytes[..piece.len() * 4];
            bytes.fill(0);
            cipher.apply_keystream(bytes);
            for (word, bytes) in piece.iter_mut().zip(bytes.chunks_exact(4)) {
                *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_chacha20_and_can_be_entered_anywhere() {
        // RFC 8439, A.1, test vector 1: key, nonce and counter zero.
        let mut words = [0; 16];
        Key::new([0; 32]).lines(0, 16, 0, &mut words);
        assert_eq!(words[..4], [0xade0_b876, 0x903d_f1a0, 0xe56a_5d40, 0x28bd_8653]);
        // Vector 2: counter 1.
        Key::new([0; 32]).lines(0, 16, 1, &mut words);
        assert_eq!(words[..2], [0xbee7_079f, 0x7a38_5155]);
        let (mut whole, mut part) = (vec![0; 64 * 64], vec![0; 128]);
        Key::new([7; 32]).lines(3, 64, 0, &mut whole);
        Key::new([7; 32]).lines(3, 64, 21, &mut part);
        assert_eq!(whole[21 * 64..23 * 64], part);
        Key::new([7; 32]).lines(2, 64, 21, &mut part);
        assert_ne!(whole[21 * 64..23 * 64], part);
    }
}
