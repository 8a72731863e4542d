//! Settings, as plain values: whoever composes the program fills them in.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

/// A card that computes for so long without an end hangs: the longest chain takes a slow card minutes.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(600);
/// Cards that are read of one machine. Real ones have sixteen at the most; virtual functions make more.
pub const CARDS_MAX: usize = 64;

/// How cards are looked for and used.
#[derive(Clone, Debug)]
pub struct GpuConfig {
    /// Where the kernel shows its devices; a folder of a test's own in tests.
    pub sysfs: PathBuf,
    /// Whether processors that pretend to be cards count: for development, never for an offer.
    pub software: bool,
    /// Vendor and device numbers of the models that verified peers have been measured on. All others are unrated.
    pub rated: BTreeSet<(u32, u32)>,
    /// See [`ANSWER_WITHIN`].
    pub answer_within: Duration,
}

impl Default for GpuConfig {
    fn default() -> Self {
        Self { sysfs: "/sys".into(), software: false, rated: BTreeSet::new(), answer_within: ANSWER_WITHIN }
    }
}
