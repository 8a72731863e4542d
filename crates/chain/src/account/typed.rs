//! The lock of a job as typed data, for wallets elsewhere to sign.

use std::borrow::Cow;

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
    sol_types::Eip712Domain,
};
use market::Timestamp;
use serde_json::{Value, json};
use wire::Terms;

use super::authorize::locked;
use crate::{ChainError, Market, bindings::token::GPUToken as token};

/// The version that a token without a word about it has: OpenZeppelin's.
const VERSION: &str = "1";

impl Market {
    /// What a wallet signs with `eth_signTypedData_v4` to pay the lock of a job with these terms, between the two
    /// times: EIP-3009 `ReceiveWithAuthorization`, under the token's own domain, with the job's id as its nonce. The
    /// signature becomes an [`Authorization`](crate::Authorization).
    pub async fn authorization_to_sign(
        &self,
        terms: &Terms,
        valid_after: Timestamp,
        valid_before: Timestamp,
    ) -> Result<Value, ChainError> {
        let domain = self.token_domain().await?;
        let field = |name: &str, kind: &str| json!({"name": name, "type": kind});
        Ok(json!({
            "types": {
                "EIP712Domain": [
                    field("name", "string"),
                    field("version", "string"),
                    field("chainId", "uint256"),
                    field("verifyingContract", "address"),
                ],
                "ReceiveWithAuthorization": [
                    field("from", "address"),
                    field("to", "address"),
                    field("value", "uint256"),
                    field("validAfter", "uint256"),
                    field("validBefore", "uint256"),
                    field("nonce", "bytes32"),
                ],
            },
            "primaryType": "ReceiveWithAuthorization",
            "domain": {
                "name": domain.name,
                "version": domain.version,
                "chainId": self.chain().id(),
                "verifyingContract": self.token(),
            },
            "message": {
                "from": terms.renter,
                "to": self.address(),
                // As text: wallets written in JavaScript lose digits of large numbers.
                "value": locked(terms).to_string(),
                "validAfter": valid_after.0.to_string(),
                "validBefore": valid_before.0.to_string(),
                "nonce": self.job_id(terms).to_string(),
            },
        }))
    }

    /// The domain that the token checks signatures under: as ERC-5267 tells it, or put together from name and version,
    /// and in either case compared with the separator that the token itself uses.
    async fn token_domain(&self) -> Result<Eip712Domain, ChainError> {
        let (chain, at, latest) = (self.chain(), self.token(), BlockId::latest());
        let told = match chain.call(at, &token::eip712DomainCall {}, latest).await {
            Ok(told) => Some((told.name, told.version)),
            Err(error) if error.is_retryable() => return Err(error),
            // Older tokens, dollar stablecoins among them, have no such function.
            Err(_) => None,
        };
        let (name, version) = match told {
            Some(told) => told,
            None => (chain.call(at, &token::nameCall {}, latest).await?, self.token_version().await?),
        };
        let domain = domain(name, version, chain.id(), at);
        let separator = chain.call(at, &token::DOMAIN_SEPARATORCall {}, latest).await?;
        if domain.separator() != separator {
            let message = "the token's name and version do not make its domain separator".into();
            return Err(ChainError::BadAnswer { what: "the token's EIP-712 domain", message });
        }
        Ok(domain)
    }

    async fn token_version(&self) -> Result<String, ChainError> {
        alloy::sol! {
            function version() external view returns (string);
        }
        match self.chain().call(self.token(), &versionCall {}, BlockId::latest()).await {
            Err(error) if error.is_retryable() => Err(error),
            told => Ok(told.unwrap_or_else(|_| VERSION.to_owned())),
        }
    }
}

fn domain(name: String, version: String, chain_id: u64, token: Address) -> Eip712Domain {
    let (name, version) = (Some(Cow::Owned(name)), Some(Cow::Owned(version)));
    Eip712Domain::new(name, version, Some(U256::from(chain_id)), Some(token), None)
}
