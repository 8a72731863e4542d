//! Turns what a market logged into rows: the events one by one, and what they come to.
//!
//! The middle is [`apply`], pure: rows before, one event, rows after. Round it stands a loop that reads the chain's
//! events, writes them through `store` and takes back what a reorganisation undid. Everything here can be deleted and
//! made again from the chain.

mod config;
pub use config::IndexerConfig;

mod error;
pub use error::{Contradiction, IndexError};

mod rows;
pub use rows::Rows;

mod apply;
pub use apply::{Changes, apply, behind, touched};

mod writer;
pub use writer::Writer;

mod state;

mod source;

mod lease;

mod indexer;
pub use indexer::{Indexer, Progress};

mod rebuild;
pub use rebuild::{Rebuilt, rebuild};
