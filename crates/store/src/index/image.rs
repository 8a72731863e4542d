//! Keys and rows as text: what before-images keep.

use alloy_primitives::{Address, B256};
use market::{JobId, ResourceId};
use serde::de::DeserializeOwned;

use crate::entity::{credit, dispute, job, market_row, provider, reporter, resource, slash};
use crate::error::StoreError;
use crate::rows::{Key, Row};

/// A key as text, which [`read_key`] reads.
pub(super) fn key(key: &Key) -> String {
    match key {
        Key::Provider(id) => format!("provider {id}"),
        Key::Resource(id) => format!("resource {id}"),
        Key::Job(id) => format!("job {id}"),
        Key::Credit(account) => format!("credit {account:#x}"),
        Key::Reporter(address, true) => format!("oracle {address:#x}"),
        Key::Reporter(address, false) => format!("controller {address:#x}"),
        Key::Market => "market 1".to_owned(),
        Key::Dispute(job) => format!("dispute {job}"),
        Key::Slash(id) => format!("slash {id}"),
    }
}

/// The key that [`key`] wrote.
pub(super) fn read_key(text: &str) -> Result<Key, StoreError> {
    let bad = || StoreError::Corrupt { reason: format!("{text:?} names no row") };
    let (table, id) = text.split_once(' ').ok_or_else(bad)?;
    let hash = || id.parse::<B256>().map_err(|_| bad());
    let address = || id.parse::<Address>().map_err(|_| bad());
    Ok(match table {
        "provider" => Key::Provider(id.parse().map_err(|_| bad())?),
        "resource" => Key::Resource(ResourceId(hash()?.0)),
        "job" => Key::Job(JobId(hash()?.0)),
        "credit" => Key::Credit(address()?),
        "oracle" => Key::Reporter(address()?, true),
        "controller" => Key::Reporter(address()?, false),
        "market" => Key::Market,
        "dispute" => Key::Dispute(JobId(hash()?.0)),
        "slash" => Key::Slash(id.parse().map_err(|_| bad())?),
        _ => return Err(bad()),
    })
}

/// A row as the JSON of its columns, which [`read`] reads.
pub(super) fn row(row: &Row) -> Result<String, StoreError> {
    match row {
        Row::Provider(row) => serde_json::to_string(&provider::Model::from(row)),
        Row::Resource(row) => serde_json::to_string(&resource::Model::from(row)),
        Row::Job(row) => serde_json::to_string(&job::Model::from(row)),
        Row::Credit(row) => serde_json::to_string(&credit::Model::from(row)),
        Row::Reporter(row) => serde_json::to_string(&reporter::Model::from(row)),
        Row::Market(row) => serde_json::to_string(&market_row::Model::from(row)),
        Row::Dispute(row) => serde_json::to_string(&dispute::Model::from(row)),
        Row::Slash(row) => serde_json::to_string(&slash::Model::from(row)),
    }
    .map_err(|error| StoreError::Corrupt { reason: error.to_string() })
}

/// The row of this key that [`row`] wrote.
pub(super) fn read(key: &Key, text: &str) -> Result<Row, StoreError> {
    fn parse<M: DeserializeOwned>(text: &str) -> Result<M, StoreError> {
        serde_json::from_str(text).map_err(|error| StoreError::Corrupt { reason: format!("a kept row: {error}") })
    }
    Ok(match key {
        Key::Provider(_) => Row::Provider(parse::<provider::Model>(text)?.into()),
        Key::Resource(_) => Row::Resource(parse::<resource::Model>(text)?.into()),
        Key::Job(_) => Row::Job(parse::<job::Model>(text)?.into()),
        Key::Credit(_) => Row::Credit(parse::<credit::Model>(text)?.into()),
        Key::Reporter(..) => Row::Reporter(parse::<reporter::Model>(text)?.into()),
        Key::Market => Row::Market(parse::<market_row::Model>(text)?.into()),
        Key::Dispute(_) => Row::Dispute(parse::<dispute::Model>(text)?.into()),
        Key::Slash(_) => Row::Slash(parse::<slash::Model>(text)?.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back() {
        let address = Address::repeat_byte(0xab);
        for it in [
            Key::Provider(u32::MAX),
            Key::Resource(ResourceId([1; 32])),
            Key::Job(JobId([0xfe; 32])),
            Key::Credit(address),
            Key::Reporter(address, true),
            Key::Reporter(address, false),
            Key::Market,
            Key::Dispute(JobId([0xab; 32])),
            Key::Slash(u64::MAX),
        ] {
            assert_eq!(read_key(&key(&it)).unwrap(), it);
        }
        for bad in ["", "job", "job 0x12", "provider -1", "cat 1"] {
            assert!(read_key(bad).is_err(), "{bad}");
        }
    }
}
