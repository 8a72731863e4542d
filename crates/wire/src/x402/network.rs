//! Chains as payments name them: CAIP-2 in version 2, fixed words in version 1.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::WireError;

/// An EVM chain by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(pub u64);

/// The words of version 1. Its clients refuse every other.
const V1_NAMES: [(&str, u64); 20] = [
    ("base", 8453),
    ("base-sepolia", 84_532),
    ("ethereum", 1),
    ("sepolia", 11_155_111),
    ("polygon", 137),
    ("polygon-amoy", 80_002),
    ("avalanche", 43_114),
    ("avalanche-fuji", 43_113),
    ("celo", 42_220),
    ("monad", 143),
    ("megaeth", 4326),
    ("sei", 1329),
    ("sei-testnet", 1328),
    ("iotex", 4689),
    ("peaq", 3338),
    ("story", 1514),
    ("educhain", 41_923),
    ("abstract", 2741),
    ("flare", 14),
    ("stable", 988),
];

impl Network {
    /// The word that version 1 has for this chain, if it has one.
    #[must_use]
    pub fn v1_name(self) -> Option<&'static str> {
        V1_NAMES.iter().find(|(_, id)| *id == self.0).map(|(name, _)| *name)
    }

    /// The chain that version 1 calls `name`.
    #[must_use]
    pub fn of_v1(name: &str) -> Option<Self> {
        V1_NAMES.iter().find(|(known, _)| *known == name).map(|(_, id)| Self(*id))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eip155:{}", self.0)
    }
}

impl FromStr for Network {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.strip_prefix("eip155:").filter(|id| !id.starts_with('+')).and_then(|id| id.parse().ok());
        id.map(Self)
            .ok_or_else(|| WireError::field("network", format!("{text:?} is no EVM chain: write eip155 and its id")))
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
