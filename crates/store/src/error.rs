//! What can go wrong with the database, sorted by what the caller does next.

use alloy_primitives::Address;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nobody answers, or the line broke. What was being written may have been written.
    #[error("the database cannot be reached: {reason}")]
    Unreachable {
        /// What happened.
        reason: String,
    },
    /// Others hold what this call needs. Nothing was written.
    #[error("the database is busy: {reason}; try again")]
    Busy {
        /// Who holds what, as far as it is known.
        reason: String,
    },
    /// The disk under the database is full. Nothing was written.
    #[error("the disk of the database is full: {reason}; free some space and try again")]
    Full {
        /// What the engine said.
        reason: String,
    },
    /// An address that names no database of a supported kind.
    #[error(
        "not the address of a database that can be used here: {reason}; use sqlite:///path or postgres://host/name"
    )]
    BadUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// A newer program wrote this database.
    #[error("the database has the schema {version}, which this version does not know; run a newer version of bourse")]
    NewerSchema {
        /// The first migration that is unknown.
        version: String,
    },
    /// The database indexes another market.
    #[error(
        "the database indexes market {held} on chain {held_chain}, not {wanted} on chain {wanted_chain}; \
         give each market a database of its own, or empty the index of this one first"
    )]
    OtherMarket {
        /// The chain that it indexes.
        held_chain: u64,
        /// The market that it indexes.
        held: Address,
        /// The chain that was asked for.
        wanted_chain: u64,
        /// The market that was asked for.
        wanted: Address,
    },
    /// Nothing is indexed yet: [`Store::begin_index`](crate::Store::begin_index) comes first.
    #[error("nothing is indexed in this database yet")]
    NotBegun,
    /// The batch does not follow what is indexed: somebody else writes, or the caller's place is old. Nothing was
    /// written; read the cursor again.
    #[error("block {block} does not follow the indexed block {head}; is another indexer at work?")]
    NotNext {
        /// The newest block that is indexed, or the block before in the batch.
        head: u64,
        /// The block that does not follow.
        block: u64,
    },
    /// Something is larger than its named limit.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit that it passed.
        limit: usize,
    },
    /// No receipt has this NID.
    #[error("there is no receipt {nid}")]
    NoReceipt {
        /// The NID.
        nid: String,
    },
    /// A row holds what this program never writes.
    #[error("the database holds something unexpected: {reason}; rebuild the index, or restore a backup")]
    Corrupt {
        /// Where and what.
        reason: String,
    },
    /// The engine refused a statement: a mistake in this program or in the rights of its user.
    #[error("the database refused: {reason}")]
    Refused {
        /// What the engine said.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later, with nothing changed on this side.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. } | Self::Full { .. })
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let reason = error.to_string();
        match &error {
            DbErr::ConnectionAcquire(_) => Self::Busy { reason },
            DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => Self::Corrupt { reason },
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => of_engine(inner, reason),
            _ => Self::Refused { reason },
        }
    }
}

fn of_engine(error: &sqlx::Error, reason: String) -> StoreError {
    use sqlx::Error as E;
    match error {
        E::PoolTimedOut => StoreError::Busy { reason },
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolClosed | E::WorkerCrashed => StoreError::Unreachable { reason },
        E::ColumnDecode { .. } | E::Decode(_) | E::ColumnNotFound(_) => StoreError::Corrupt { reason },
        E::Database(said) => of_code(said.code().as_deref().unwrap_or_default(), reason),
        _ => StoreError::Refused { reason },
    }
}

/// Codes of PostgreSQL have five characters (its manual, appendix A), those of SQLite are numbers whose low byte is the
/// kind (`sqlite.org/rescode.html`).
fn of_code(code: &str, reason: String) -> StoreError {
    let kind = if code.len() == 5 { None } else { code.parse::<u32>().ok().map(|number| number & 0xff) };
    match (kind, code) {
        // SQLITE_BUSY, SQLITE_LOCKED; serialization failure, deadlock, lock not available, too many connections.
        (Some(5 | 6), _) | (None, "40001" | "40P01" | "55P03" | "53300") => StoreError::Busy { reason },
        // SQLITE_FULL; disk full.
        (Some(13), _) | (None, "53100") => StoreError::Full { reason },
        // SQLITE_IOERR, SQLITE_CANTOPEN; shutting down, starting up, connection failures.
        (Some(10 | 14), _) | (None, "57P01" | "57P02" | "57P03") => StoreError::Unreachable { reason },
        (None, code) if code.starts_with("08") => StoreError::Unreachable { reason },
        // SQLITE_CORRUPT, SQLITE_NOTADB; data corrupted.
        (Some(11 | 26), _) | (None, "XX001" | "XX002") => StoreError::Corrupt { reason },
        _ => StoreError::Refused { reason },
    }
}
