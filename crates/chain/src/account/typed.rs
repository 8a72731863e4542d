//! The lock of a job as typed data, for wallets elsewhere to sign.

use market::Timestamp;
use serde_json::{Value, json};
use wire::Terms;

use super::authorize::locked;
use crate::{ChainError, Market};

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
        let token = self.settlement_token().await?;
        let Some(domain) = token.domain() else {
            let message = "the market's token takes no signatures".to_owned();
            return Err(ChainError::BadAnswer { what: "the token's EIP-712 domain", message });
        };
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
                "verifyingContract": token.address(),
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
}
