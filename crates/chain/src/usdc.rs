//! Circle's dollar (USDC) where this program knows it. Signatures name the token's domain, and the domain's name is not
//! the same everywhere; who signs for the wrong one has signed nothing.
//!
//! Source: Circle's list of contract addresses; each separator is computed again in a test and asked of the token when
//! it is opened. The bridged dollar of Polygon (USDC.e) is another token with another kind of domain and is not here.

use std::borrow::Cow;

use alloy::{
    primitives::{Address, B256, U256, address, b256},
    sol_types::Eip712Domain,
};

/// Decimal places of every dollar here.
pub const DECIMALS: u8 = 6;
/// The EIP-712 version of every dollar here.
pub const VERSION: &str = "2";
/// Base Sepolia, the network that x402 clients are tried on.
pub const BASE_SEPOLIA: u64 = 84_532;

/// The dollar of one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usdc {
    /// The chain's id.
    pub chain_id: u64,
    /// What people call the chain.
    pub network: &'static str,
    /// The contract.
    pub address: Address,
    /// The name that signatures are made for.
    pub name: &'static str,
    /// What the contract's `DOMAIN_SEPARATOR` answers.
    pub domain_separator: B256,
    /// It is worth nothing.
    pub testnet: bool,
}

/// Every dollar known here.
pub const TABLE: [Usdc; 6] = [
    Usdc {
        chain_id: 1,
        network: "Ethereum",
        address: address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        name: "USD Coin",
        domain_separator: b256!("06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335"),
        testnet: false,
    },
    Usdc {
        chain_id: 137,
        network: "Polygon",
        address: address!("3c499c542cEF5E3811e1192ce70d8cC03d5c3359"),
        name: "USD Coin",
        domain_separator: b256!("caa2ce1a5703ccbe253a34eb3166df60a705c561b44b192061e28f2a985be2ca"),
        testnet: false,
    },
    Usdc {
        chain_id: 8453,
        network: "Base",
        address: address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        name: "USD Coin",
        domain_separator: b256!("02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"),
        testnet: false,
    },
    Usdc {
        chain_id: 11_155_111,
        network: "Sepolia",
        address: address!("1c7D4B196Cb0C7B01d743Fbc6116a902379C7238"),
        name: "USDC",
        domain_separator: b256!("b90e5057db141a932946e64d09ccb7ffc9b00bd79fec26f698d29af0c83320a6"),
        testnet: true,
    },
    Usdc {
        chain_id: 80_002,
        network: "Polygon Amoy",
        address: address!("41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582"),
        name: "USDC",
        domain_separator: b256!("5cddc98319864e897e4469bd1d13c2288c677047b54b8cca12bd342adb6be9eb"),
        testnet: true,
    },
    Usdc {
        chain_id: BASE_SEPOLIA,
        network: "Base Sepolia",
        address: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        name: "USDC",
        domain_separator: b256!("71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818"),
        testnet: true,
    },
];

impl Usdc {
    /// What signatures for it are bound to.
    #[must_use]
    pub fn domain(&self) -> Eip712Domain {
        domain(self.name.to_owned(), VERSION.to_owned(), self.chain_id, self.address)
    }
}

/// The dollar of this chain.
#[must_use]
pub fn on(chain_id: u64) -> Option<&'static Usdc> {
    TABLE.iter().find(|usdc| usdc.chain_id == chain_id)
}

/// The dollar at this address of this chain.
#[must_use]
pub fn at(chain_id: u64, address: Address) -> Option<&'static Usdc> {
    on(chain_id).filter(|usdc| usdc.address == address)
}

/// A domain of the common four fields.
pub(crate) fn domain(name: String, version: String, chain_id: u64, token: Address) -> Eip712Domain {
    let (name, version) = (Some(Cow::Owned(name)), Some(Cow::Owned(version)));
    Eip712Domain::new(name, version, Some(U256::from(chain_id)), Some(token), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_separator_follows_from_its_row() {
        for usdc in TABLE {
            assert_eq!(usdc.domain().separator(), usdc.domain_separator, "{}", usdc.network);
            assert_eq!(on(usdc.chain_id), Some(&usdc), "one dollar a chain");
            // Testnets and mainnets differ in the name: it is the mistake that others make.
            assert_eq!(usdc.name == "USDC", usdc.testnet, "{}", usdc.network);
        }
        assert_eq!(at(1, TABLE[1].address), None, "the right address on another chain");
    }
}
