//! Money by signature: ERC-2612 permits and EIP-3009 authorizations, bound to the token's own domain.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256, keccak256},
    sol,
    sol_types::SolStruct,
};
use market::Timestamp;
use wire::{SignatureBytes, Terms};

use super::{Account, Mined};
use crate::{
    ChainError, Market, Wallet,
    bindings::{market::Market as contract, token::GPUToken as token},
    convert,
};

/// A permit that travels in the same transaction is good for this long; a stuck transaction must not outlive it.
const PERMIT_VALID_S: u64 = 3600;

sol! {
    /// ERC-2612.
    struct Permit { address owner; address spender; uint256 value; uint256 nonce; uint256 deadline; }
    /// EIP-3009; only the receiver may submit it, so that nobody can use it without creating the job.
    struct ReceiveWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }
}

/// A renter's signed order to move the lock of one job into the market. Anyone may submit it; it pays nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Valid later than this.
    pub valid_after: Timestamp,
    /// Valid earlier than this.
    pub valid_before: Timestamp,
    /// The renter's signature.
    pub signature: SignatureBytes,
}

impl Market {
    /// Signs, as the renter of `terms`, an authorization of the job's lock that is valid until `valid_before`.
    pub async fn authorize(
        &self,
        renter: &Wallet,
        terms: &Terms,
        valid_before: Timestamp,
    ) -> Result<Authorization, ChainError> {
        let valid_after = Timestamp(0);
        let statement = self.lock_statement(renter.address(), terms, valid_after, valid_before);
        let signature = self.sign_for_token(renter, &statement).await?;
        Ok(Authorization { valid_after, valid_before, signature })
    }

    /// Who signed `authorization` over the lock of a job with these terms. Whatever was signed over something else is by
    /// nobody that anyone knows.
    pub async fn authorizer(
        &self,
        terms: &Terms,
        authorization: &Authorization,
    ) -> Result<Option<Address>, ChainError> {
        let Authorization { valid_after, valid_before, signature } = *authorization;
        let statement = self.lock_statement(terms.renter, terms, valid_after, valid_before);
        Ok(signature.signer_of_hash(self.token_digest(&statement).await?))
    }

    fn lock_statement(
        &self,
        from: Address,
        terms: &Terms,
        valid_after: Timestamp,
        valid_before: Timestamp,
    ) -> ReceiveWithAuthorization {
        ReceiveWithAuthorization {
            from,
            to: self.address(),
            value: locked(terms),
            validAfter: U256::from(valid_after.0),
            validBefore: U256::from(valid_before.0),
            nonce: B256::from(self.job_id(terms).0),
        }
    }

    async fn sign_for_token(&self, wallet: &Wallet, statement: &impl SolStruct) -> Result<SignatureBytes, ChainError> {
        wallet.sign_hash(self.token_digest(statement).await?).map(SignatureBytes::from)
    }

    /// What is signed for `statement` under the domain that the token itself names.
    async fn token_digest(&self, statement: &impl SolStruct) -> Result<B256, ChainError> {
        let domain = self.chain().call(self.token(), &token::DOMAIN_SEPARATORCall {}, BlockId::latest()).await?;
        Ok(keccak256([&[0x19, 0x01], domain.as_slice(), statement.eip712_hash_struct().as_slice()].concat()))
    }

    async fn permit_nonce(&self, owner: Address) -> Result<U256, ChainError> {
        self.chain().call(self.token(), &token::noncesCall { owner }, BlockId::latest()).await
    }
}

impl Account {
    /// Creates a job without an approval before it: this key signs a permit for the lock, which travels along.
    pub async fn create_job_with_permit(&self, terms: &Terms) -> Result<Mined, ChainError> {
        let market = self.market();
        let (nonce, head) = tokio::try_join!(market.permit_nonce(self.address()), market.chain().head())?;
        let deadline = U256::from(head.timestamp.0.saturating_add(PERMIT_VALID_S));
        let value = locked(terms);
        let permit = Permit { owner: self.address(), spender: market.address(), value, nonce, deadline };
        let SignatureBytes(signature) = market.sign_for_token(self.wallet(), &permit).await?;
        let call = contract::createJobWithPermitCall {
            terms: convert::to_terms(terms),
            value,
            deadline,
            v: signature[64],
            r: B256::from_slice(&signature[..32]),
            s: B256::from_slice(&signature[32..64]),
        };
        self.send(&call).await
    }

    /// Creates a job with the renter's money and signature; this key pays only the gas.
    pub async fn create_job_with_authorization(
        &self,
        terms: &Terms,
        authorization: &Authorization,
    ) -> Result<Mined, ChainError> {
        let call = contract::createJobWithAuthorizationCall {
            terms: convert::to_terms(terms),
            validAfter: U256::from(authorization.valid_after.0),
            validBefore: U256::from(authorization.valid_before.0),
            signature: authorization.signature.0.into(),
        };
        self.send(&call).await
    }
}

/// The lock of a new job. Fee and extensions do not enter it.
pub(super) fn locked(terms: &Terms) -> U256 {
    U256::from(terms.stream(market::Seconds(0), market::BasisPoints(0)).locked().0)
}
