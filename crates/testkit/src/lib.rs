//! What tests of several crates share: a running market, waiting without sleeping, loud skips, seeds, paths.
//!
//! A helper that cannot do its work fails the test that called it, in words.
#![expect(clippy::panic, reason = "everything here runs inside a test, and a failed test is a panic")]

mod market;
pub use market::{TestMarket, TestMarketConfig};

mod emitter;
pub use emitter::{EMITTED_MARKET, Emitter, open_emitted};

mod wait;
pub use wait::eventually;

mod skip;
pub use skip::{Need, docker_available, skipped};

mod peer;
pub use peer::Peer;

mod database;
pub use database::{Engine, TestDatabase};

mod random;
pub use random::{Rng, SeedableRng, StdRng, rng, seed};

mod path;
pub use path::{anvil_path, temp_dir, workspace};
