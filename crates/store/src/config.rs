//! Settings, as plain values: whoever composes the program fills them in.

use std::{fmt, path::Path, time::Duration};

use url::Url;

use crate::error::StoreError;

/// Readers beside each other. A gateway answers most questions from memory; PostgreSQL allows a hundred in all.
pub const CONNECTIONS_MAX: u32 = 8;
/// A connection that is not free within this time is reported as a busy database, not waited for.
pub const ACQUIRE_WITHIN: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process that writes. Longer than the largest batch takes.
pub const BUSY_WITHIN: Duration = Duration::from_secs(10);

/// Where the database is, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:///path/bourse.sqlite`, made where it is missing, or `postgres://user:password@host/database`.
    pub url: Url,
    /// Most connections at once; SQLite has one more, for writing.
    pub connections_max: u32,
    /// See [`ACQUIRE_WITHIN`].
    pub acquire_within: Duration,
    /// See [`BUSY_WITHIN`].
    pub busy_within: Duration,
}

impl StoreConfig {
    /// The database at `url`, with the usual limits.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self { url, connections_max: CONNECTIONS_MAX, acquire_within: ACQUIRE_WITHIN, busy_within: BUSY_WITHIN }
    }

    /// The SQLite database in this file.
    pub fn sqlite(path: &Path) -> Result<Self, StoreError> {
        let bad = |reason: &str| StoreError::BadUrl { reason: format!("{}: {reason}", path.display()) };
        let whole = std::path::absolute(path).map_err(|error| bad(&error.to_string()))?;
        let file = Url::from_file_path(whole).map_err(|()| bad("no path of a file"))?;
        let url = file.as_str().replacen("file", "sqlite", 1).parse().map_err(|_| bad("no path of a file"))?;
        Ok(Self::new(url))
    }
}

/// The address without its password and its parameters, which may hold one.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for addresses that have no place for a password.
    shown.set_password(None).unwrap_or_default();
    shown.set_query(None);
    shown.to_string()
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("url", &shown(&self.url))
            .field("connections_max", &self.connections_max)
            .field("acquire_within", &self.acquire_within)
            .field("busy_within", &self.busy_within)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let config = StoreConfig::new("postgres://me:secret@db.example/bourse?password=secret".parse().unwrap());
        assert!(!format!("{config:?}").contains("secret"), "{config:?}");
        assert!(format!("{config:?}").contains("db.example/bourse"));
    }

    #[test]
    fn a_file_becomes_an_address() {
        let config = StoreConfig::sqlite(Path::new("/var/lib/a b.sqlite")).unwrap();
        assert_eq!(config.url.as_str(), "sqlite:///var/lib/a%20b.sqlite");
    }
}
