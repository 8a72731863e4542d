//! Which keys may be used on which chain.

use super::{Chain, failure};
use crate::{ChainError, Wallet};

/// How a development chain of ours names itself.
const ANVIL: &str = "anvil/";

impl Chain {
    /// Whether it is a development chain on this machine. Asked for once.
    pub async fn is_development(&self) -> Result<bool, ChainError> {
        let asked = self.0.development.get_or_try_init(async || {
            if !failure::is_local(&self.0.config.rpc) {
                return Ok(false);
            }
            match self.request::<_, String>("web3_clientVersion", ()).await {
                Ok(version) => Ok(version.starts_with(ANVIL)),
                Err(error) if error.is_retryable() => Err(error),
                Err(_) => Ok(false),
            }
        });
        asked.await.copied()
    }

    /// Refuses a key that everybody has anywhere but on a development chain on this machine. Whatever sends asks this
    /// before it signs; programs that only sign statements ask it when they load their key.
    pub async fn admit(&self, wallet: &Wallet) -> Result<(), ChainError> {
        if wallet.is_well_known() && !self.is_development().await? {
            return Err(ChainError::WellKnownKey(wallet.address()));
        }
        Ok(())
    }
}
