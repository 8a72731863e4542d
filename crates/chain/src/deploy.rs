//! Puts a market on a chain: roles, token, market, register of receipts, first money.

use alloy::{
    primitives::{Address, Bytes, FixedBytes, U256},
    sol_types::{SolCall, SolConstructor},
};
use futures_util::future::try_join_all;

use crate::{
    Chain, ChainError, DeployConfig, SendConfig, Wallet,
    account::{Action, Flight, Sender},
    bindings::{
        access::AccessManager as access, court::MarketCourt as court, market::Market as market,
        register::CommitRegister as register, token::GPUToken as token,
    },
};

/// Administers the roles; the AccessManager's own number.
const ADMIN: u64 = 0;
/// Creates tokens.
const FAUCET: u64 = 1;
/// Pauses creating and registering.
const GUARDIAN: u64 = 2;
/// Sets the fee and takes what was booked.
const TREASURER: u64 = 3;
/// Registers who may report silence.
const REGISTRAR: u64 = 4;
/// Lets creating and registering go on.
const OPERATOR: u64 = 5;

/// What was deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The Market contract.
    pub market: Address,
    /// The contract that the market hands its rarer verbs to.
    pub court: Address,
    /// The settlement token.
    pub token: Address,
    /// The contract that holds the roles of both.
    pub access_manager: Address,
    /// The register of receipts; nobody holds a role in it.
    pub register: Address,
    /// The block of the Market: nothing of it is older.
    pub block: u64,
}

/// Deploys and sets up a market. The deployer administers its roles from then on.
pub async fn deploy(chain: &Chain, deployer: &Wallet, config: DeployConfig) -> Result<Deployment, ChainError> {
    let sender = Sender::new(chain.clone(), deployer.clone(), SendConfig::default());
    let mut site = Site { sender: &sender, flights: Vec::new() };
    let authority = access::constructorCall { initialAdmin: deployer.address() };
    let access_manager = site.create(&access::BYTECODE, &authority.abi_encode()).await?;
    let authority = token::constructorCall { authority: access_manager };
    let token_at = site.create(&token::BYTECODE, &authority.abi_encode()).await?;
    let token = court::constructorCall { token_: token_at };
    let court_at = site.create(&court::BYTECODE, &token.abi_encode()).await?;
    let register_at = site.create(&register::BYTECODE, &[]).await?;
    let settings = market::constructorCall::from((token_at, access_manager, config.fee.0, court_at));
    let market_at = site.create(&market::BYTECODE, &settings.abi_encode()).await?;
    let block = site.finish().await?;

    let minted = config.mint.iter().map(|(to, amount)| {
        let call = token::mintCall { to: *to, amount: U256::from(amount.0) };
        Action::call(token_at, &call)
    });
    let heard = config.oracles.iter().map(|oracle| {
        let call = market::setOracleCall { oracle: *oracle, registered: true };
        Action::call(market_at, &call)
    });
    let near = config.watchers.iter().map(|watcher| {
        let call = market::setWatcherCall { watcher: *watcher, registered: true };
        Action::call(market_at, &call)
    });
    // As administrator, without a delay; the roles come last and end that.
    let mut flights = try_join_all(minted.chain(heard).chain(near).map(|call| sender.begin(call))).await?;
    let data = roles(token_at, market_at, deployer.address(), &config);
    flights.push(sender.begin(Action::call(access_manager, &access::multicallCall { data })).await?);
    try_join_all(flights.into_iter().map(|flight| sender.finish(flight))).await?;
    Ok(Deployment { market: market_at, court: court_at, token: token_at, access_manager, register: register_at, block })
}

/// Contracts on their way. An address follows from its nonce, so they need not wait for each other.
struct Site<'a> {
    sender: &'a Sender,
    flights: Vec<Flight>,
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

    /// Waits until all stand, and gives the block of the last one.
    async fn finish(&mut self) -> Result<u64, ChainError> {
        let flights = std::mem::take(&mut self.flights);
        let receipts = try_join_all(flights.into_iter().map(|flight| self.sender.finish(flight))).await?;
        let what = "eth_getTransactionReceipt";
        receipts.last().and_then(|receipt| receipt.block_number).ok_or_else(|| {
            let message = "no block of the market".to_owned();
            ChainError::BadAnswer { what, message }
        })
    }
}

/// Which role may call what, who holds it, and how long before.
fn roles(token_at: Address, market_at: Address, deployer: Address, config: &DeployConfig) -> Vec<Bytes> {
    let delay = u32::try_from(config.admin_delay.0).unwrap_or(u32::MAX);
    let (guardians, operators) = (config.guardians.as_slice(), config.operators.as_slice());
    let treasury = vec![market::setFeeCall::SELECTOR, market::withdrawFeesCall::SELECTOR];
    let register = vec![market::setWatcherCall::SELECTOR, market::setOracleCall::SELECTOR];
    let duties = [
        (FAUCET, "faucet", token_at, vec![token::mintCall::SELECTOR], operators, 0),
        (GUARDIAN, "guardian", market_at, vec![market::pauseCall::SELECTOR], guardians, 0),
        (TREASURER, "treasurer", market_at, treasury, operators, delay),
        (REGISTRAR, "registrar", market_at, register, operators, delay),
        (OPERATOR, "operator", market_at, vec![market::unpauseCall::SELECTOR], operators, delay),
    ];
    let grant = |role: u64, account: Address, delay: u32| {
        access::grantRoleCall { roleId: role, account, executionDelay: delay }.abi_encode().into()
    };
    let mut calls = Vec::new();
    for (role, label, target, selectors, others, delay) in duties {
        let selectors = selectors.into_iter().map(FixedBytes).collect();
        calls.push(access::setTargetFunctionRoleCall { target, selectors, roleId: role }.abi_encode().into());
        calls.push(access::labelRoleCall { roleId: role, label: label.to_owned() }.abi_encode().into());
        calls.push(grant(role, deployer, delay));
        calls.extend(others.iter().filter(|other| **other != deployer).map(|other| grant(role, *other, delay)));
    }
    if delay != 0 {
        // Who could give roles at once could give itself one without a delay.
        calls.push(grant(ADMIN, deployer, delay));
    }
    calls
}
