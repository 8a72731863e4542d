//! What two documents are compared by: sets of shingles, and a MinHash signature of each set.
//!
//! A shingle is five words in a row. The share of equal entries in two signatures estimates the
//! Jaccard similarity of the two sets (Broder, 1997); with 128 entries the standard error is at
//! most 4.5 percentage points.
use std::sync::LazyLock;

use crate::hash::{fnv, mix};

/// Words in a shingle: long enough that common phrases of a language do not count as copies.
const SHINGLE_WORDS: usize = 5;
/// Entries of a signature.
pub(crate) const PERMUTATIONS: usize = 128;
/// Documents with fewer shingles are too short for similarity to mean copying.
const SHINGLES_MIN: usize = 24;

/// What is kept of a document for comparing it.
pub(crate) struct Fingerprint {
    /// FNV-1a of the whole text.
    pub(crate) content: u64,
    /// Distinct shingles, sorted; empty where the document is too short.
    pub(crate) shingles: Vec<u64>,
    /// For each permutation the smallest image of a shingle.
    pub(crate) signature: [u32; PERMUTATIONS],
}

/// Fingerprints a document, given the hashes of its words.
pub(crate) fn of(text: &str, words: &[u64]) -> Fingerprint {
    let mut shingles: Vec<u64> =
        words.windows(SHINGLE_WORDS).map(|window| window.iter().fold(0, |hash, &word| mix(hash ^ word))).collect();
    shingles.sort_unstable();
    shingles.dedup();
    if shingles.len() < SHINGLES_MIN {
        shingles.clear();
    }
    Fingerprint { content: fnv(text.as_bytes()), signature: sign(&shingles), shingles }
}

/// Multiply-shift hashing, one odd multiplier and one addend for each permutation.
static COEFFICIENTS: LazyLock<[(u64, u64); PERMUTATIONS]> =
    LazyLock::new(|| std::array::from_fn(|n| (mix(2 * n as u64) | 1, mix(2 * n as u64 + 1))));

fn sign(shingles: &[u64]) -> [u32; PERMUTATIONS] {
    let mut signature = [u32::MAX; PERMUTATIONS];
    for &shingle in shingles {
        for (least, (multiplier, addend)) in signature.iter_mut().zip(COEFFICIENTS.iter()) {
            let image = shingle.wrapping_mul(*multiplier).wrapping_add(*addend) >> 32;
            *least = (*least).min(image as u32);
        }
    }
    signature
}

/// Entries in which two signatures agree.
pub(crate) fn agreement(a: &Fingerprint, b: &Fingerprint) -> usize {
    a.signature.iter().zip(&b.signature).filter(|(a, b)| a == b).count()
}

/// The exact Jaccard similarity of two shingle sets, from 0 to 1.
pub(crate) fn similarity(a: &Fingerprint, b: &Fingerprint) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0usize);
    while let (Some(x), Some(y)) = (a.shingles.get(i), b.shingles.get(j)) {
        i += usize::from(x <= y);
        j += usize::from(y <= x);
        shared += usize::from(x == y);
    }
    let united = a.shingles.len() + b.shingles.len() - shared;
    if united == 0 { 0.0 } else { shared as f64 / united as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(words: impl Iterator<Item = u64>) -> Fingerprint {
        of("", &words.map(mix).collect::<Vec<_>>())
    }

    #[test]
    fn the_estimate_is_near_the_truth() {
        let a = fingerprint(0..1000);
        for shared in [0, 250, 500, 750, 900, 1000] {
            let b = fingerprint(1000 - shared..2000 - shared);
            let truth = similarity(&a, &b);
            let estimate = agreement(&a, &b) as f64 / PERMUTATIONS as f64;
            assert!((truth - estimate).abs() < 0.15, "{shared}: {truth} {estimate}");
        }
        assert_eq!(similarity(&a, &fingerprint(0..1000)), 1.0);
    }

    #[test]
    fn short_documents_are_like_nothing() {
        let short = fingerprint(0..20);
        assert!(short.shingles.is_empty());
        assert_eq!(similarity(&short, &short), 0.0);
    }
}
