//! Any ERC-20 token: what it is, what anybody has of it, what came in.

use std::sync::Arc;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    sol_types::{Eip712Domain, SolCall, SolEvent, SolStruct},
};
use market::Amount;

use crate::{Block, BlockHeader, Chain, ChainError, bindings::erc20 as token, convert, usdc};

/// The version that a token without a word about it has: OpenZeppelin's.
const VERSION: &str = "1";

/// A token on one chain. Cheap to clone.
#[derive(Clone)]
pub struct Erc20 {
    chain: Chain,
    address: Address,
    facts: Arc<Facts>,
}

/// What never changes.
struct Facts {
    name: String,
    symbol: String,
    decimals: u8,
    /// `None` for tokens that take no signatures.
    domain: Option<Eip712Domain>,
}

impl std::fmt::Debug for Erc20 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Erc20({} {} on {:?})", self.facts.symbol, self.address, self.chain)
    }
}

/// Tokens that went from one address to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whose they were.
    pub from: Address,
    /// Whose they are.
    pub to: Address,
    /// How many of the smallest unit.
    pub amount: Amount,
    /// The block that it stands in.
    pub block: BlockHeader,
    /// The transaction.
    pub tx: B256,
    /// Its place in the block.
    pub log_index: u64,
}

impl Erc20 {
    /// Finds the token at `address` and asks what it is. Where it takes signatures, the domain that they are made for is
    /// compared with the one that the token itself uses, and for dollars with [the table](usdc).
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let nothing = |error| match error {
            // An address without code answers a call with nothing at all.
            ChainError::BadAnswer { .. } | ChainError::Reverted(_) => {
                ChainError::NoToken { address, chain_id: chain.id() }
            }
            other => other,
        };
        let latest = BlockId::latest();
        let decimals = chain.call(address, &token::decimalsCall {}, latest).await.map_err(nothing)?;
        let symbol = chain.call(address, &token::symbolCall {}, latest).await.map_err(nothing)?;
        let name = chain.call(address, &token::nameCall {}, latest).await.map_err(nothing)?;
        let domain = signed_domain(&chain, address, &name).await?;
        let token = Self { chain, address, facts: Arc::new(Facts { name, symbol, decimals, domain }) };
        token.check_domain()?;
        Ok(token)
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The chain it is on.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its name. What signatures are made for may have another one: [`domain`](Self::domain).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// Its short name.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.facts.symbol
    }

    /// Its decimal places.
    #[must_use]
    pub fn decimals(&self) -> u8 {
        self.facts.decimals
    }

    /// What signatures for it are bound to (EIP-712); `None` for a token that takes none.
    #[must_use]
    pub fn domain(&self) -> Option<&Eip712Domain> {
        self.facts.domain.as_ref()
    }

    /// The version in that domain.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.domain().and_then(|domain| domain.version.as_deref())
    }

    /// The separator of that domain.
    #[must_use]
    pub fn domain_separator(&self) -> Option<B256> {
        self.domain().map(Eip712Domain::separator)
    }

    /// The 32 bytes that are signed for `statement` to this token.
    #[must_use]
    pub fn signing_hash(&self, statement: &impl SolStruct) -> Option<B256> {
        Some(statement.eip712_signing_hash(self.domain()?))
    }

    /// Compares what the token says of itself with what is known of the dollar at this place. Signatures for a domain
    /// that is not the token's are worth nothing, and nobody would notice before they are used.
    pub fn check_domain(&self) -> Result<(), ChainError> {
        let Some(known) = usdc::at(self.chain.id(), self.address) else { return Ok(()) };
        if self.domain_separator() == Some(known.domain_separator) {
            return Ok(());
        }
        Err(bad_domain("the token at the dollar's address has another domain than the dollar"))
    }

    /// What `account` has.
    pub async fn balance_of(&self, account: Address) -> Result<Amount, ChainError> {
        self.read(&token::balanceOfCall { account }, BlockId::latest()).await.map(convert::amount)
    }

    /// What `account` had when `block` was the newest.
    pub async fn balance_in(&self, account: Address, block: &Block) -> Result<Amount, ChainError> {
        self.read(&token::balanceOfCall { account }, BlockId::from(block.hash)).await.map(convert::amount)
    }

    /// What `spender` may take from `owner`.
    pub async fn allowance(&self, owner: Address, spender: Address) -> Result<Amount, ChainError> {
        self.read(&token::allowanceCall { owner, spender }, BlockId::latest()).await.map(convert::amount)
    }

    /// Whether an authorization (EIP-3009) was used or cancelled.
    pub async fn authorization_used(&self, from: Address, nonce: B256) -> Result<bool, ChainError> {
        self.read(&token::authorizationStateCall { authorizer: from, nonce }, BlockId::latest()).await
    }

    /// The nonce of the owner's next permit (ERC-2612).
    pub async fn permit_nonce(&self, owner: Address) -> Result<U256, ChainError> {
        self.read(&token::noncesCall { owner }, BlockId::latest()).await
    }

    /// What came to `to` in the blocks from `from` to `until` or the newest, in order. The newest blocks may still be
    /// replaced: compare with [`Chain::finalized`], or the blocks' hashes later.
    pub async fn transfers_to(&self, to: Address, from: u64, until: Option<u64>) -> Result<Vec<Transfer>, ChainError> {
        let topics = [Some(token::Transfer::SIGNATURE_HASH), None, Some(to.into_word())];
        let logs = self.chain.logs(self.address, &topics, from, until).await?;
        Ok(logs.iter().filter_map(Transfer::read).collect())
    }

    /// The transaction in which an authorization of `from` was used, and what it moved: what stands between the two
    /// entries of its log. `None` when it was not used since block `since`, or was cancelled.
    pub async fn authorized_transfer(
        &self,
        from: Address,
        nonce: B256,
        since: u64,
    ) -> Result<Option<Transfer>, ChainError> {
        let topics = [Some(token::AuthorizationUsed::SIGNATURE_HASH), Some(from.into_word()), Some(nonce)];
        let used = self.chain.logs(self.address, &topics, since, None).await?;
        let Some(used) = used.last() else { return Ok(None) };
        let Some(receipt) = self.chain.look_up(used.tx).await? else { return Ok(None) };
        // The token logs the use, then the transfer; between the two comes nothing of the same token.
        let moved = receipt.logs.iter().filter(|log| log.address == self.address && log.log_index > used.log_index);
        Ok(moved.filter_map(Transfer::read).next().filter(|transfer| transfer.from == from))
    }

    async fn read<C: SolCall>(&self, call: &C, at: BlockId) -> Result<C::Return, ChainError> {
        self.chain.call(self.address, call, at).await
    }
}

impl Transfer {
    /// Reads a log entry; `None` when it is no transfer of an ERC-20 token. Whose token says the entry's address.
    #[must_use]
    pub fn read(log: &crate::RawLog) -> Option<Self> {
        let token::Transfer { from, to, value } = log.decode()?;
        let amount = convert::amount(value);
        Some(Self { from, to, amount, block: log.block, tx: log.tx, log_index: log.log_index })
    }
}

/// The domain that a token checks signatures under: as ERC-5267 tells it, or put together from name and version, and in
/// either case compared with the separator that the token itself uses.
async fn signed_domain(chain: &Chain, at: Address, name: &str) -> Result<Option<Eip712Domain>, ChainError> {
    let Some(separator) = asked(chain, at, &token::DOMAIN_SEPARATORCall {}).await? else { return Ok(None) };
    let (name, version) = match asked(chain, at, &token::eip712DomainCall {}).await? {
        Some(told) => (told.name, told.version),
        // Older tokens, dollar stablecoins among them, have no such function.
        None => {
            let version = asked(chain, at, &token::versionCall {}).await?;
            (name.to_owned(), version.unwrap_or_else(|| VERSION.to_owned()))
        }
    };
    let domain = usdc::domain(name, version, chain.id(), at);
    if domain.separator() != separator {
        return Err(bad_domain("the token's name and version do not make its domain separator"));
    }
    Ok(Some(domain))
}

/// What the token says; `None` when it has no such function.
async fn asked<C: SolCall>(chain: &Chain, at: Address, call: &C) -> Result<Option<C::Return>, ChainError> {
    match chain.call(at, call, BlockId::latest()).await {
        Ok(said) => Ok(Some(said)),
        Err(error) if error.is_retryable() => Err(error),
        Err(_) => Ok(None),
    }
}

fn bad_domain(message: &str) -> ChainError {
    ChainError::BadAnswer { what: "the token's EIP-712 domain", message: message.to_owned() }
}
