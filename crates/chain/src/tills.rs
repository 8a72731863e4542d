//! Providers' tills: where they are paid over HTTP, and how that is shared with the platform.

use alloy::{eips::BlockId, primitives::Address};
use market::{Amount, BasisPoints};

use crate::{
    Chain, ChainError,
    bindings::{around::Tills as contract, till::ProviderTill as till},
    convert,
    deposits::absent,
};

/// The contract that opens providers' tills. Cheap to clone.
#[derive(Clone)]
pub struct Tills {
    chain: Chain,
    address: Address,
}

impl std::fmt::Debug for Tills {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tills({} on {:?})", self.address, self.chain)
    }
}

/// What may be paid out of a till now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// To the provider.
    pub provider: Amount,
    /// To the platform.
    pub fee: Amount,
}

impl Tills {
    /// Finds the contract at `address`.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let payee = chain.call(address, &contract::feePayeeCall {}, BlockId::latest()).await;
        payee.map_err(|error| absent(error, &chain, address))?;
        Ok(Self { chain, address })
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// Where a provider is paid, whether its till is open yet or not.
    pub async fn till_of(&self, provider_id: u32) -> Result<Address, ChainError> {
        let call = contract::tillOfCall { providerId: provider_id };
        self.chain.call(self.address, &call, BlockId::latest()).await
    }

    /// Where the platform's part of every till goes.
    pub async fn fee_payee(&self) -> Result<Address, ChainError> {
        self.chain.call(self.address, &contract::feePayeeCall {}, BlockId::latest()).await
    }

    /// The fee that an open till keeps for good, `None` before it is opened.
    pub async fn fee(&self, till: Address) -> Result<Option<BasisPoints>, ChainError> {
        if self.chain.code(till).await?.is_empty() {
            return Ok(None);
        }
        let fee = self.chain.call(till, &till::feeBpsCall {}, BlockId::latest()).await?;
        Ok(Some(BasisPoints(fee)))
    }

    /// What may be paid out of an open till now.
    pub async fn shares(&self, till: Address, token: Address) -> Result<Shares, ChainError> {
        let found = self.chain.call(till, &till::shareCall { token }, BlockId::latest()).await?;
        Ok(Shares { provider: convert::amount(found.providerDue), fee: convert::amount(found.feeDue) })
    }

    /// All of a token that an open till ever received.
    pub async fn received(&self, till: Address, token: Address) -> Result<Amount, ChainError> {
        self.chain.call(till, &till::receivedCall { token }, BlockId::latest()).await.map(convert::amount)
    }
}
