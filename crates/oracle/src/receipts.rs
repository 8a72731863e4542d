//! Receipts: documents that follow from final events, kept, then committed on chain, then checked by anybody.

mod life;
pub use life::{Dated, End, Life, Ruling};

pub mod document;

mod state;
pub use state::{Mined, Seen, Step, next};

mod envelope;
pub use envelope::{Committer, commit_body, envelope};

mod verify;
pub use verify::{Found, FoundCommit, judge, verify};

mod run;
pub use run::{Line, run};
