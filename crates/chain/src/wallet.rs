//! A key that signs.

use std::fmt;

use alloy::{
    network::TxSignerSync,
    primitives::{Address, B256, Signature, address, eip191_hash_message},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::SolStruct,
};
use wire::{Domain, SignatureBytes};

use crate::ChainError;

/// A private key and its address. Nothing ever prints the key.
#[derive(Clone)]
pub struct Wallet(PrivateKeySigner);

impl Wallet {
    /// A new key from the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        Self(PrivateKeySigner::random())
    }

    /// Reads 64 hexadecimal digits, with or without `0x`, white space around them ignored.
    pub fn from_hex(text: &str) -> Result<Self, ChainError> {
        text.trim().parse().map(Self).map_err(|_| ChainError::BadKey)
    }

    /// Reads the 32 bytes of a key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ChainError> {
        PrivateKeySigner::from_slice(bytes).map(Self).map_err(|_| ChainError::BadKey)
    }

    /// The key's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.address()
    }

    /// Signs `statement` for one chain and market: low s, v 27 or 28.
    pub fn sign(&self, domain: &Domain, statement: &impl SolStruct) -> Result<SignatureBytes, ChainError> {
        self.sign_hash(domain.signing_hash(statement)).map(SignatureBytes::from)
    }

    /// Signs a text as wallets do (EIP-191 `personal_sign`): low s, v 27 or 28.
    pub fn sign_message(&self, text: &str) -> Result<SignatureBytes, ChainError> {
        self.sign_hash(eip191_hash_message(text)).map(SignatureBytes::from)
    }

    /// Signs a digest that the caller has made, such as that of a statement under a token's own domain: low s, v 27 or
    /// 28.
    pub fn sign_digest(&self, digest: B256) -> Result<SignatureBytes, ChainError> {
        self.sign_hash(digest).map(SignatureBytes::from)
    }

    pub(crate) fn sign_hash(&self, hash: B256) -> Result<Signature, ChainError> {
        // Signing with a valid key fails only when randomness does not come.
        self.0.sign_hash_sync(&hash).map_err(|_| ChainError::BadKey)
    }

    pub(crate) fn transactions(&self) -> &dyn TxSignerSync<Signature> {
        &self.0
    }

    pub(crate) fn secret(&self) -> B256 {
        self.0.to_bytes()
    }
}

/// The accounts of the mnemonic "test test test test test test test test test test test junk", which every development
/// chain gives money to and many manuals print.
const WELL_KNOWN: [Address; 10] = [
    address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

impl Wallet {
    /// Everybody has this key. [`Chain::admit`](crate::Chain::admit) refuses it where it could lose real money.
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        WELL_KNOWN.contains(&self.address())
    }
}

impl From<PrivateKeySigner> for Wallet {
    fn from(key: PrivateKeySigner) -> Self {
        Self(key)
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({})", self.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_never_shown() {
        let secret = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
        let wallet = Wallet::from_hex(secret).unwrap();
        assert_eq!(wallet.address().to_string(), "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
        assert!(!format!("{wallet:?}").to_lowercase().contains(&secret[..8]));
        for bad in ["", "0x12", &secret[1..], &"0".repeat(64), &format!("{secret}00")] {
            let error = Wallet::from_hex(bad).unwrap_err().to_string();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }

    #[test]
    fn a_statement_is_recovered_to_its_signer() {
        let wallet = Wallet::random();
        let domain = Domain { chain_id: 31337, market: Address::repeat_byte(7) };
        let ready = wire::signed::Watch { jobId: B256::repeat_byte(1), at: alloy::primitives::aliases::U40::from(5) };
        let signature = wallet.sign(&domain, &ready).unwrap();
        assert!(matches!(signature.0[64], 27 | 28));
        domain.verify(&ready, &signature, wallet.address()).unwrap();
        let other = Domain { chain_id: 1, ..domain };
        assert!(other.verify(&ready, &signature, wallet.address()).is_err());
    }
}
