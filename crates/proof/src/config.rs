//! Sizes and limits, with the relations between them.

use std::time::Duration;

use crate::ProofError;

/// Rows of a tile that is recomputed, and the edge of the tiles in which cards multiply. Sizes are multiples of it.
pub const TILE: u32 = 64;
/// The largest matrix: 1 GiB, which the drivers of large cards still bind as one buffer.
pub const SIZE_MAX: u32 = 16_384;
/// The longest chain.
pub const ROUNDS_MAX: u32 = 8;
/// Columns that an audit opens.
pub const COLUMNS: u32 = 32;
/// The most that it opens.
pub const COLUMNS_MAX: u32 = 128;
/// Random vectors of each Freivalds check; each halves the chance that a wrong column passes.
pub const VECTORS: u32 = 32;
/// The most of them: they are the bits of a word.
pub const VECTORS_MAX: u32 = 64;
/// The largest audit, in bytes of opened columns.
pub const OPENED_BYTES_MAX: u64 = 64 << 20;
/// The largest report file: opened columns in base64, and some kilobytes of names.
pub const REPORT_BYTES_MAX: u64 = 96 << 20;
/// Openings travel after the deadline and are not timed; a prover that sends none for so long has none.
pub const AUDIT_WITHIN: Duration = Duration::from_secs(120);
/// A card may take so much of the time that its peers take, in percent. Under 200: a card that computes for two is late.
pub const LATE_FACTOR_PCT: u64 = 150;
/// Below this, the network's jitter is as long as the computation.
const COMPUTE_MIN: Duration = Duration::from_millis(250);
/// The computation takes at least so many round trips, so that a relay's detour is not what is measured.
const ROUND_TRIPS_MIN: u32 = 10;
/// What a card may be asked to hold: the rest is the driver's and the display's.
const MEMORY_PCT: u64 = 80;

const _: () = assert!(
    COLUMNS_MAX as u64 * ROUNDS_MAX as u64 * SIZE_MAX as u64 * 4 <= OPENED_BYTES_MAX,
    "every audit that may be asked for may be answered"
);
const _: () = assert!(OPENED_BYTES_MAX / 3 * 4 < REPORT_BYTES_MAX, "base64 makes four bytes of three");
const _: () = assert!(LATE_FACTOR_PCT < 200, "one card must be too slow for two");
const _: () = assert!(SIZE_MAX.is_multiple_of(TILE) && COLUMNS <= COLUMNS_MAX && VECTORS <= VECTORS_MAX);

/// How much is computed: `rounds` products of square matrices with `size` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    size: u32,
    rounds: u32,
}

impl Shape {
    /// A shape within the limits.
    pub fn new(size: u32, rounds: u32) -> Result<Self, ProofError> {
        let fits = (TILE..=SIZE_MAX).contains(&size) && size.is_multiple_of(TILE);
        if fits && (1..=ROUNDS_MAX).contains(&rounds) {
            return Ok(Self { size, rounds });
        }
        Err(ProofError::Shape { size, rounds })
    }

    /// The least that takes a card with this speed and memory long enough to be timed over this round trip; the most
    /// that it can hold where even that is over sooner.
    #[must_use]
    pub fn fitted(products_per_s: u64, memory_bytes: u64, round_trip: Duration) -> Self {
        let least = COMPUTE_MIN.max(round_trip * ROUND_TRIPS_MIN);
        let all = (0..).map(|step| 256_u32 << step).take_while(|size| *size <= SIZE_MAX);
        let shapes = all.flat_map(|size| [2, 4, ROUNDS_MAX].map(|rounds| Self { size, rounds }));
        let holds = |shape: &Self| shape.memory_bytes() <= memory_bytes / 100 * MEMORY_PCT;
        let mut best = Self { size: TILE, rounds: 1 };
        for shape in shapes.filter(holds) {
            best = shape;
            if shape.takes(products_per_s) >= least {
                break;
            }
        }
        best
    }

    /// Rows and columns of each matrix.
    #[must_use]
    pub fn size(self) -> u32 {
        self.size
    }

    /// Products in the chain.
    #[must_use]
    pub fn rounds(self) -> u32 {
        self.rounds
    }

    /// Multiplications of two words in the whole chain.
    #[must_use]
    pub fn products(self) -> u64 {
        u64::from(self.size).pow(3) * u64::from(self.rounds)
    }

    /// What a prover holds: the factor of the round, the first matrix and every result.
    #[must_use]
    pub fn memory_bytes(self) -> u64 {
        u64::from(self.size).pow(2) * 4 * (u64::from(self.rounds) + 2)
    }

    /// How long the chain takes at this speed.
    #[must_use]
    pub fn takes(self, products_per_s: u64) -> Duration {
        let micros = u128::from(self.products()) * 1_000_000 / u128::from(products_per_s.max(1));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// When the root must be there, for a card of this speed behind this round trip: peers' time and half of it again.
    #[must_use]
    pub fn deadline(self, products_per_s: u64, round_trip: Duration) -> Duration {
        let micros = self.takes(products_per_s).as_micros() * u128::from(LATE_FACTOR_PCT) / 100;
        round_trip.saturating_add(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }

    /// Matrices are held as vectors of so many words.
    pub(crate) fn words(self) -> usize {
        self.size as usize * self.size as usize
    }
}

/// How closely an answer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// Columns that are opened, in every round. Who left out a part δ of the work passes with (1−δ)^columns.
    pub columns: u32,
    /// Random vectors: a wrong column passes with 2^−vectors.
    pub vectors: u32,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { columns: COLUMNS, vectors: VECTORS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_keep_to_the_limits() {
        for (size, rounds, good) in
            [(64, 1, true), (16_384, 8, true), (0, 1, false), (65, 1, false), (32, 1, false), (16_448, 1, false)]
        {
            assert_eq!(Shape::new(size, rounds).is_ok(), good, "{size} × {rounds}");
        }
        assert!(Shape::new(64, 0).is_err() && Shape::new(64, 9).is_err());
    }

    #[test]
    fn a_challenge_is_as_large_as_the_card() {
        let lan = Duration::from_millis(1);
        let fast = Shape::fitted(8_000_000_000_000, 80 << 30, lan);
        let slow = Shape::fitted(2_000_000_000, 2 << 30, lan);
        assert!(fast.size() >= 8192 && slow.size() <= 1024, "{fast:?} {slow:?}");
        // Farther away, it takes longer, so that the way is not what is measured.
        let far = Shape::fitted(8_000_000_000_000, 80 << 30, Duration::from_millis(200));
        assert!(far.takes(8_000_000_000_000) >= Duration::from_secs(2), "{far:?}");
        // A card with little memory is asked for what it can hold.
        assert!(Shape::fitted(u64::MAX, 64 << 20, lan).memory_bytes() <= 64 << 20);
        let due = fast.deadline(8_000_000_000_000, lan);
        let alone = fast.takes(8_000_000_000_000);
        assert!(alone < due && due < alone * 2, "{alone:?} {due:?}");
    }
}
