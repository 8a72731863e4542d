//! Where a card is plugged in: what different drivers agree on.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A PCI address: domain, bus, device, function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    /// The domain.
    pub domain: u32,
    /// The bus.
    pub bus: u8,
    /// The slot.
    pub device: u8,
    /// The function.
    pub function: u8,
}

impl FromStr for PciAddress {
    type Err = String;

    /// Reads `0000:65:00.0`, with as many digits of the domain as a driver likes: NVIDIA's writes eight.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (rest, function) = text.trim().rsplit_once('.')?;
            let mut parts = rest.split(':');
            let (domain, bus, device) = (parts.next()?, parts.next()?, parts.next()?);
            let address = Self {
                domain: u32::from_str_radix(domain, 16).ok()?,
                bus: u8::from_str_radix(bus, 16).ok()?,
                device: u8::from_str_radix(device, 16).ok()?,
                function: u8::from_str_radix(function, 16).ok()?,
            };
            parts.next().is_none().then_some(address)
        };
        read().ok_or_else(|| format!("{text:?} is no PCI address"))
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device, self.function)
    }
}

impl Serialize for PciAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PciAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drivers_writing_is_one_address() {
        let address: PciAddress = "0000:65:00.0".parse().unwrap();
        for text in ["00000000:65:00.0", "0:65:0.0", " 0000:65:00.0\n"] {
            assert_eq!(text.parse(), Ok(address), "{text}");
        }
        assert_eq!("0001:C1:1F.7".parse::<PciAddress>().unwrap().to_string(), "0001:c1:1f.7");
        for text in ["", "65:00.0", "0000:65:00", "0000:165:00.0", "0:0:0:0.0", "0000:65:00.g"] {
            assert!(text.parse::<PciAddress>().is_err(), "{text}");
        }
    }
}
