//! Proof of GPU: a chain of exact matrix products that an oracle asks for, times and checks; pure, without any card.
//!
//! Nothing here reads a clock, a disk or a socket: moments, randomness and signatures are arguments. The arithmetic, its
//! sources and its bounds stand in `README.md`.

mod config;
pub use config::{
    AUDIT_WITHIN, AuditConfig, COLUMNS, COLUMNS_MAX, LATE_FACTOR_PCT, OPENED_BYTES_MAX, REPORT_BYTES_MAX, ROUNDS_MAX,
    SIZE_MAX, Shape, TILE, VECTORS, VECTORS_MAX,
};

mod error;
pub use error::ProofError;

mod check;
pub use check::{Check, Claim, Line, Verdict};

mod challenge;
pub use challenge::{Answer, Challenge, SignedChallenge};

mod identity;
pub use identity::{CardFacts, identity};

mod matrix;
pub use matrix::Key;

mod reference;
pub use reference::{Layers, multiply};

mod tree;
pub use tree::{Hash, Tree, leaf};

mod audit;
pub use audit::{Audit, Plan};

mod opening;
pub use opening::{Columns, OpenedColumn, Openings};

mod freivalds;

mod examine;
pub use examine::examine;

mod prover;
pub use prover::Prover;

mod session;
pub use session::{Moment, Session};

mod group;
pub use group::Group;

pub mod report;
pub use report::Report;
