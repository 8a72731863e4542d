//! What an oracle looks at, drawn when the root is there: before that nobody can know it.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use aws_lc_rs::digest;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};
use serde::{Deserialize, Serialize};

use crate::{AuditConfig, COLUMNS_MAX, ProofError, Shape, TILE, VECTORS_MAX};

/// Separates an audit's draws from every other use of a digest.
const AUDIT: &[u8] = b"bourse proof of GPU v1: audit";
/// Nonce of the stream that draws columns and tiles; vectors of round `k` have nonce `k`.
const PLACES: u32 = 0;

/// What is asked for. The places follow from the nonce, the challenge and the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Audit {
    /// Random, drawn after the root came.
    pub nonce: B256,
    /// Columns that are opened, in every round.
    pub columns: u32,
    /// Random vectors of each Freivalds check.
    pub vectors: u32,
}

/// The places of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Different columns, in rising order; each is opened in every round.
    pub columns: Vec<u32>,
    /// First row of the tile that is recomputed: a list for each column, an entry for each round.
    pub tiles: Vec<Vec<u32>>,
}

impl Audit {
    /// An audit with this nonce.
    #[must_use]
    pub fn new(nonce: B256, config: AuditConfig) -> Self {
        Self { nonce, columns: config.columns, vectors: config.vectors }
    }

    /// The places, for the answer with this root.
    pub fn plan(&self, shape: Shape, challenge: B256, root: B256) -> Result<Plan, ProofError> {
        let columns_max = COLUMNS_MAX.min(shape.size());
        if !(1..=columns_max).contains(&self.columns) || !(1..=VECTORS_MAX).contains(&self.vectors) {
            return Err(ProofError::Audit);
        }
        let mut draws = self.draws(challenge, root, PLACES);
        let mut columns = BTreeSet::new();
        while columns.len() < self.columns as usize {
            columns.insert(draws.below(shape.size()));
        }
        let tiles = columns.iter().map(|_| {
            let tile = |_| draws.below(shape.size() / TILE) * TILE;
            (0..shape.rounds()).map(tile).collect()
        });
        let tiles = tiles.collect();
        Ok(Plan { columns: columns.into_iter().collect(), tiles })
    }

    /// The vectors of a round: bit `v` of word `i` is the entry `i` of vector `v`.
    pub(crate) fn vectors(&self, shape: Shape, challenge: B256, root: B256, round: u32) -> Vec<u64> {
        let mut draws = self.draws(challenge, root, round);
        let kept = u64::MAX >> (64 - self.vectors.clamp(1, VECTORS_MAX));
        (0..shape.size()).map(|_| (u64::from(draws.word()) << 32 | u64::from(draws.word())) & kept).collect()
    }

    fn draws(&self, challenge: B256, root: B256, stream: u32) -> Draws {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [AUDIT, self.nonce.as_slice(), challenge.as_slice(), root.as_slice()] {
            context.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&stream.to_le_bytes());
        Draws(ChaCha20::new(&key.into(), &nonce.into()))
    }
}

/// Words of a key stream.
struct Draws(ChaCha20);

impl Draws {
    fn word(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.apply_keystream(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// A number below `end`, each as likely as every other: words of the last, incomplete stretch are thrown away.
    fn below(&mut self, end: u32) -> u32 {
        let usable = u32::MAX - u32::MAX % end;
        loop {
            let word = self.word();
            if word < usable {
                return word % end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_from_nonce_challenge_and_root() {
        let shape = Shape::new(256, 3).unwrap();
        let plan = |nonce, challenge, root| {
            let audit = Audit::new(B256::repeat_byte(nonce), AuditConfig { columns: 20, vectors: 8 });
            audit.plan(shape, B256::repeat_byte(challenge), B256::repeat_byte(root)).unwrap()
        };
        let found = plan(1, 2, 3);
        assert_eq!(found, plan(1, 2, 3));
        assert!(found.columns.is_sorted() && found.columns.len() == 20 && found.columns.iter().all(|it| *it < 256));
        assert!(found.tiles.len() == 20 && found.tiles.iter().all(|tiles| tiles.len() == 3));
        assert!(found.tiles.concat().iter().all(|row| row % TILE == 0 && *row < 256));
        assert!(found.tiles.concat().iter().collect::<BTreeSet<_>>().len() > 1, "tiles are drawn, not fixed");
        for other in [plan(9, 2, 3), plan(1, 9, 3), plan(1, 2, 9)] {
            assert_ne!(found, other);
        }
    }

    #[test]
    fn vectors_have_as_many_bits_as_were_asked_for() {
        let shape = Shape::new(64, 2).unwrap();
        let audit = Audit::new(B256::ZERO, AuditConfig { columns: 1, vectors: 40 });
        let one = audit.vectors(shape, B256::ZERO, B256::ZERO, 1);
        assert_eq!(one.iter().fold(0, |all, word| all | word), (1 << 40) - 1);
        assert_ne!(one, audit.vectors(shape, B256::ZERO, B256::ZERO, 2));
    }

    #[test]
    fn an_audit_has_limits() {
        let shape = Shape::new(64, 1).unwrap();
        for (columns, vectors) in [(0, 1), (65, 1), (1, 0), (1, 65)] {
            let audit = Audit::new(B256::ZERO, AuditConfig { columns, vectors });
            assert!(audit.plan(shape, B256::ZERO, B256::ZERO).is_err(), "{columns} {vectors}");
        }
    }
}
