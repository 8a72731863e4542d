//! What can be bought, for those who look: `GET /discovery/resources`.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Network, Requirements, Version};

/// Resources in one answer.
pub const LISTED_MAX: u64 = 100;

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryQuery {
    /// `http`, or anything.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// After so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Paid to this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<Address>,
    /// Paid by this scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// Paid on this chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

/// Something that can be bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredResource {
    /// Its address.
    pub resource: String,
    /// `http`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 2.
    pub x402_version: Version<2>,
    /// Ways to pay.
    pub accepts: Vec<Requirements>,
    /// When it was last seen, Unix seconds.
    pub last_updated: u64,
    /// What it is.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// A page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryPage {
    /// 2.
    pub x402_version: Version<2>,
    /// The entries.
    pub items: Vec<DiscoveredResource>,
    /// Which of how many.
    pub pagination: Pagination,
}

/// Which of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// At most so many.
    pub limit: u64,
    /// After so many.
    pub offset: u64,
    /// In all.
    pub total: u64,
}

impl DiscoveryPage {
    /// The page of `all` that `query` asks for.
    #[must_use]
    pub fn of(all: impl Iterator<Item = DiscoveredResource>, query: &DiscoveryQuery) -> Self {
        let fits = |one: &Requirements| {
            query.pay_to.is_none_or(|wanted| wanted == one.pay_to)
                && query.scheme.as_ref().is_none_or(|wanted| *wanted == one.scheme)
                && query.network.is_none_or(|wanted| wanted == one.network)
        };
        let kind = |one: &DiscoveredResource| query.kind.as_ref().is_none_or(|wanted| *wanted == one.kind);
        let found: Vec<_> = all.filter(|one| kind(one) && one.accepts.iter().any(fits)).collect();
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let limit = query.limit.unwrap_or(LISTED_MAX).min(LISTED_MAX);
        let offset = query.offset.unwrap_or(0);
        let at = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let items = found.into_iter().skip(at(offset)).take(at(limit)).collect();
        Self { x402_version: Version, items, pagination: Pagination { limit, offset, total } }
    }
}
