//! Addresses that buy a job, and deposits into the market's wallet.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
    sol_types::SolEvent,
};
use market::Amount;
use wire::Terms;

use crate::{
    BlockHeader, Chain, ChainError, RawLog,
    bindings::{around::Till as till, deposits::JobDeposits as contract},
    calls, convert,
};

/// The contract that gives every agreement an address of its own. Cheap to clone.
#[derive(Clone)]
pub struct Deposits {
    chain: Chain,
    address: Address,
    market: Address,
}

impl std::fmt::Debug for Deposits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deposits({} on {:?})", self.address, self.chain)
    }
}

/// What became of money at a job's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after what the contract documents")]
pub enum DepositEvent {
    /// It bought the job; what was too much went to the renter.
    Swept { job: B256, account: Address, locked: Amount, excess: Amount },
    /// All of it went to the renter.
    Returned { job: B256, account: Address, token: Address, amount: Amount },
}

impl Deposits {
    /// Finds the contract at `address`.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let market = chain.call(address, &contract::marketCall {}, BlockId::latest()).await;
        let market = market.map_err(|error| absent(error, &chain, address))?;
        Ok(Self { chain, address, market })
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The market that it buys from.
    #[must_use]
    pub fn market(&self) -> Address {
        self.market
    }

    /// Where to pay for a job with these terms: its price, in the settlement token.
    pub async fn account(&self, terms: &Terms) -> Result<Address, ChainError> {
        let call = contract::depositAddressCall { terms: calls::deposits::agreed(terms) };
        self.chain.call(self.address, &call, BlockId::latest()).await
    }

    /// What an entry of a log says about these deposits.
    #[must_use]
    pub fn event(&self, log: &RawLog) -> Option<DepositEvent> {
        if log.address != self.address {
            return None;
        }
        if let Some(e) = log.decode::<contract::DepositSwept>() {
            let (locked, excess) = (convert::amount(e.locked), convert::amount(e.excess));
            return Some(DepositEvent::Swept { job: e.jobId, account: e.account, locked, excess });
        }
        let e = log.decode::<contract::DepositReturned>()?;
        let amount = convert::amount(e.amount);
        Some(DepositEvent::Returned { job: e.jobId, account: e.account, token: e.token, amount })
    }
}

/// Where people pay into the market's wallet in one token. Cheap to clone.
#[derive(Clone)]
pub struct WalletTill {
    chain: Chain,
    address: Address,
    token: Address,
    treasury: Address,
}

impl std::fmt::Debug for WalletTill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WalletTill({} on {:?})", self.address, self.chain)
    }
}

/// Money that came into the market's wallet, with the account that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TillDeposit {
    /// As the payer wrote it; nobody has checked it.
    pub account: B256,
    /// Who paid.
    pub from: Address,
    /// What arrived at the treasury.
    pub amount: Amount,
    /// The block that it stands in.
    pub block: BlockHeader,
    /// The transaction.
    pub tx: B256,
    /// The place of the till's entry in the block; the token's own stands before it.
    pub log_index: u64,
}

impl WalletTill {
    /// Finds the till at `address`.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        let token = chain.call(address, &till::tokenCall {}, BlockId::latest()).await;
        let token = token.map_err(|error| absent(error, &chain, address))?;
        let treasury = chain.call(address, &till::treasuryCall {}, BlockId::latest()).await;
        let treasury = treasury.map_err(|error| absent(error, &chain, address))?;
        Ok(Self { chain, address, token, treasury })
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// What is paid in.
    #[must_use]
    pub fn token(&self) -> Address {
        self.token
    }

    /// Where it goes.
    #[must_use]
    pub fn treasury(&self) -> Address {
        self.treasury
    }

    /// What came in during the blocks from `from` to `to` or the newest, in order. The newest blocks may still be
    /// replaced.
    pub async fn deposits(&self, from: u64, to: Option<u64>) -> Result<Vec<TillDeposit>, ChainError> {
        let topics = [Some(till::Deposited::SIGNATURE_HASH)];
        let logs = self.chain.logs(self.address, &topics, from, to).await?;
        Ok(logs
            .iter()
            .filter_map(|log| {
                let e = log.decode::<till::Deposited>()?;
                Some(TillDeposit {
                    account: e.account,
                    from: e.from,
                    amount: convert::amount(e.amount),
                    block: log.block,
                    tx: log.tx,
                    log_index: log.log_index,
                })
            })
            .collect())
    }
}

/// An address without code answers a call with nothing at all.
pub(crate) fn absent(error: ChainError, chain: &Chain, address: Address) -> ChainError {
    match error {
        ChainError::BadAnswer { .. } | ChainError::Reverted(_) => {
            ChainError::NoContract { address, chain_id: chain.id() }
        }
        other => other,
    }
}
