//! The number by which each object says which version it is of.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The number `N`, and no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version<const N: u8>;

impl<const N: u8> Serialize for Version<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(N)
    }
}

impl<'de, const N: u8> Deserialize<'de> for Version<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u64::deserialize(from)? {
            found if found == u64::from(N) => Ok(Self),
            found => Err(de::Error::custom(format!("x402Version is {found}, not {N}"))),
        }
    }
}
