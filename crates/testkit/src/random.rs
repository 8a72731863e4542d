//! Random choices that can be made again.

pub use rand::{Rng, SeedableRng, rngs::StdRng};

/// The seed of tests that are not told another.
const SEED: u64 = 0x00b0_0053;

/// The seed of this run: `BOURSE_SEED`, or always the same one.
#[must_use]
pub fn seed() -> u64 {
    std::env::var("BOURSE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED)
}

/// Randomness that depends only on the run's seed and on `stream`, so that two tests do not share theirs.
#[must_use]
pub fn rng(stream: u64) -> StdRng {
    StdRng::seed_from_u64(seed() ^ stream.rotate_left(32))
}
