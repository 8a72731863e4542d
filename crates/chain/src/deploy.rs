//! Puts a market on a chain: roles, token, market and what stands beside it, first money.

use std::collections::HashMap;

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolConstructor,
};
use futures_util::future::try_join_all;

use crate::{
    Chain, ChainError, DeployConfig, SendConfig, Wallet,
    account::{Action, Flight, Sender},
    bindings::{
        access::AccessManager as access,
        around::{Reputation, Till, Tills, Versions},
        court::MarketCourt as court,
        deposits::JobDeposits,
        market::Market as market,
        register::CommitRegister as register,
        token::GPUToken as token,
    },
    canonical,
};

mod roles;

/// What was deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The Market contract.
    pub market: Address,
    /// The contract that the market hands its rarer verbs to.
    pub court: Address,
    /// The settlement token.
    pub token: Address,
    /// The contract that holds the roles of all of them.
    pub access_manager: Address,
    /// The register of receipts; nobody holds a role in it.
    pub register: Address,
    /// Providers' scores.
    pub reputation: Address,
    /// The list of markets that succeed each other; this one is its first.
    pub versions: Address,
    /// Addresses that buy a job.
    pub deposits: Address,
    /// Providers' tills.
    pub tills: Address,
    /// Deposits into the market's wallet, in the settlement token.
    pub till: Address,
    /// Payment channels, where the chain has them.
    pub x402: Option<X402>,
    /// The block of the Market: nothing of it is older.
    pub block: u64,
}

/// Contracts for payments over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct X402 {
    /// The channels.
    pub channels: Address,
    /// Fills them by EIP-3009 authorizations.
    pub erc3009_collector: Address,
    /// Fills them by Permit2; `None` where there is no Permit2.
    pub permit2_collector: Option<Address>,
}

impl X402 {
    /// What stands at the canonical addresses of a chain.
    pub async fn on(chain: &Chain) -> Result<Option<Self>, ChainError> {
        let at = [canonical::BATCH_SETTLEMENT, canonical::ERC3009_COLLECTOR, canonical::PERMIT2_COLLECTOR];
        let [channels, erc3009, permit2] = at;
        let (channels_code, erc3009_code, permit2_code, base_code) = tokio::try_join!(
            chain.code(channels),
            chain.code(erc3009),
            chain.code(permit2),
            chain.code(canonical::PERMIT2)
        )?;
        let permitted = !permit2_code.is_empty() && !base_code.is_empty();
        Ok((!channels_code.is_empty() && !erc3009_code.is_empty()).then_some(Self {
            channels,
            erc3009_collector: erc3009,
            permit2_collector: permitted.then_some(permit2),
        }))
    }
}

/// Deploys and sets up a market. The deployer administers its roles from then on.
pub async fn deploy(chain: &Chain, deployer: &Wallet, config: DeployConfig) -> Result<Deployment, ChainError> {
    roles::check(&config)?;
    let sender = Sender::new(chain.clone(), deployer.clone(), SendConfig::default());
    let (deployment, access_manager) = build(&sender, &config).await?;
    let market_at = deployment.market;
    let minted = config.mint.iter().map(|(to, amount)| {
        let call = token::mintCall { to: *to, amount: U256::from(amount.0) };
        Action::call(deployment.token, &call)
    });
    let heard = config.oracles.iter().map(|oracle| {
        let call = market::setOracleCall { oracle: *oracle, registered: true };
        Action::call(market_at, &call)
    });
    let near = config.watchers.iter().map(|watcher| {
        let call = market::setWatcherCall { watcher: *watcher, registered: true };
        Action::call(market_at, &call)
    });
    let published = Versions::publishCall { market: market_at, name: config.version.clone() };
    let published = std::iter::once(Action::call(deployment.versions, &published));
    // As administrator, without a delay; the roles come last and end that.
    let first = minted.chain(heard).chain(near).chain(published);
    let mut flights = try_join_all(first.map(|call| sender.begin(call))).await?;
    let data = roles::calls(&deployment, deployer.address(), &config);
    flights.push(sender.begin(Action::call(access_manager, &access::multicallCall { data })).await?);
    try_join_all(flights.into_iter().map(|flight| sender.finish(flight))).await?;
    Ok(deployment)
}

/// All contracts, in one block where the node allows it.
async fn build(sender: &Sender, config: &DeployConfig) -> Result<(Deployment, Address), ChainError> {
    let deployer = sender.wallet.address();
    let mut site = Site { sender, flights: Vec::new(), blocks: HashMap::new() };
    let authority = access::constructorCall { initialAdmin: deployer };
    let access_manager = site.create(&access::BYTECODE, &authority.abi_encode()).await?;
    let token_at = match config.token {
        Some(token) => token,
        None => {
            let authority = token::constructorCall { authority: access_manager };
            site.create(&token::BYTECODE, &authority.abi_encode()).await?
        }
    };
    let settles = court::constructorCall { token_: token_at };
    let court_at = site.create(&court::BYTECODE, &settles.abi_encode()).await?;
    let register_at = site.create(&register::BYTECODE, &[]).await?;
    let authority = Versions::constructorCall { authority: access_manager };
    let versions = site.create(&Versions::BYTECODE, &authority.abi_encode()).await?;
    let settings = market::constructorCall::from((token_at, access_manager, config.fee.0, court_at));
    let market_at = site.create(&market::BYTECODE, &settings.abi_encode()).await?;
    let scored = Reputation::constructorCall { market_: market_at, authority: access_manager };
    let reputation = site.create(&Reputation::BYTECODE, &scored.abi_encode()).await?;
    let bought = JobDeposits::constructorCall { market_: market_at };
    let deposits = site.create(&JobDeposits::BYTECODE, &bought.abi_encode()).await?;
    let payee = config.fee_payee.unwrap_or(deployer);
    let shared = Tills::constructorCall { market_: market_at, authority: access_manager, feePayee_: payee };
    let tills = site.create(&Tills::BYTECODE, &shared.abi_encode()).await?;
    let kept = Till::constructorCall { token_: token_at, treasury_: config.treasury.unwrap_or(deployer) };
    let till = site.create(&Till::BYTECODE, &kept.abi_encode()).await?;
    site.finish().await?;
    let missing = || {
        let message = "no block of the market".to_owned();
        ChainError::BadAnswer { what: "eth_getTransactionReceipt", message }
    };
    let block = *site.blocks.get(&market_at).ok_or_else(missing)?;
    let deployment = Deployment {
        market: market_at,
        court: court_at,
        token: token_at,
        access_manager,
        register: register_at,
        reputation,
        versions,
        deposits,
        tills,
        till,
        x402: X402::on(&sender.chain).await?,
        block,
    };
    Ok((deployment, access_manager))
}

/// Contracts on their way. An address follows from its nonce, so they need not wait for each other.
struct Site<'a> {
    sender: &'a Sender,
    flights: Vec<Flight>,
    /// Where those that stand were mined.
    blocks: HashMap<Address, u64>,
}

impl Site<'_> {
    /// Creates a contract and says where it will stand.
    async fn create(&mut self, bytecode: &Bytes, arguments: &[u8]) -> Result<Address, ChainError> {
        let action = Action::create([bytecode.as_ref(), arguments].concat().into());
        let flight = match self.sender.begin(action.clone()).await {
            // Constructors ask for code at the contracts before them. A node whose pending block is its latest sees none
            // before they are mined.
            Err(ChainError::Reverted(_)) if !self.flights.is_empty() => {
                self.finish().await?;
                self.sender.begin(action).await?
            }
            flight => flight?,
        };
        let address = self.sender.wallet.address().create(flight.nonce());
        self.flights.push(flight);
        Ok(address)
    }

    /// Waits until all stand.
    async fn finish(&mut self) -> Result<(), ChainError> {
        let flights = std::mem::take(&mut self.flights);
        let receipts = try_join_all(flights.into_iter().map(|flight| self.sender.finish(flight))).await?;
        let mined = receipts.iter().filter_map(|receipt| Some((receipt.contract_address?, receipt.block_number?)));
        self.blocks.extend(mined);
        Ok(())
    }
}
