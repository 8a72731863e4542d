//! The rows that events are applied to, held in memory.

use std::collections::HashMap;

use market::{JobId, ResourceId};
use store::{CreditRow, DisputeRow, JobRow, Key, MarketRow, ProviderRow, ResourceRow, Row, SlashRow};

use crate::Contradiction;

/// Rows by name; also which ones are known not to exist.
#[derive(Clone, Debug, Default)]
pub struct Rows(HashMap<Key, Option<Row>>);

impl Rows {
    /// Whether it is known what the row is, or that there is none.
    #[must_use]
    pub fn knows(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// The row, if there is one.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Row> {
        self.0.get(key)?.as_ref()
    }

    /// Puts a row in its place.
    pub fn put(&mut self, row: Row) {
        self.0.insert(row.key(), Some(row));
    }

    /// Notes that there is no such row.
    pub fn put_absent(&mut self, key: Key) {
        self.0.insert(key, None);
    }

    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn job(&self, id: JobId) -> Result<&JobRow, Contradiction> {
        match self.get(&Key::Job(id)) {
            Some(Row::Job(row)) => Ok(row),
            _ => Err(Contradiction::UnknownJob(id)),
        }
    }

    pub(crate) fn resource(&self, id: ResourceId) -> Result<&ResourceRow, Contradiction> {
        match self.get(&Key::Resource(id)) {
            Some(Row::Resource(row)) => Ok(row),
            _ => Err(Contradiction::UnknownResource(id)),
        }
    }

    pub(crate) fn provider(&self, id: u32) -> Result<&ProviderRow, Contradiction> {
        match self.get(&Key::Provider(id)) {
            Some(Row::Provider(row)) => Ok(row),
            _ => Err(Contradiction::UnknownProvider(id)),
        }
    }

    pub(crate) fn dispute(&self, job: JobId) -> Option<&DisputeRow> {
        match self.get(&Key::Dispute(job)) {
            Some(Row::Dispute(row)) => Some(row),
            _ => None,
        }
    }

    pub(crate) fn slash(&self, id: u64) -> Result<&SlashRow, Contradiction> {
        match self.get(&Key::Slash(id)) {
            Some(Row::Slash(row)) => Ok(row),
            _ => Err(Contradiction::UnknownProposal(id)),
        }
    }

    pub(crate) fn credit(&self, account: alloy_primitives::Address) -> Option<&CreditRow> {
        match self.get(&Key::Credit(account)) {
            Some(Row::Credit(row)) => Some(row),
            _ => None,
        }
    }

    pub(crate) fn market(&self) -> MarketRow {
        match self.get(&Key::Market) {
            Some(Row::Market(row)) => row.clone(),
            _ => MarketRow::default(),
        }
    }
}
