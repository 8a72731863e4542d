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
        access::AccessManager as access, market::Market as market, register::CommitRegister as register,
        token::GPUToken as token,
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
    // A contract's address follows from its nonce, so the four need not wait for each other.
    let authority = access::constructorCall { initialAdmin: deployer.address() };
    let (access_manager, first) = begin(&sender, &access::BYTECODE, &authority.abi_encode()).await?;
    let authority = token::constructorCall { authority: access_manager };
    let (token_at, second) = begin(&sender, &token::BYTECODE, &authority.abi_encode()).await?;
    let settings = market::constructorCall::from((token_at, access_manager, config.fee.0)).abi_encode();
    let early = begin(&sender, &market::BYTECODE, &settings).await;
    let (register_at, fourth) = begin(&sender, &register::BYTECODE, &[]).await?;
    // The market asks for code at both. A node whose pending block is its latest sees none before they are mined.
    let alone = matches!(early, Err(ChainError::Reverted(_)));
    tokio::try_join!(sender.finish(first), sender.finish(second), sender.finish(fourth))?;
    let (market_at, third) = if alone { begin(&sender, &market::BYTECODE, &settings).await? } else { early? };
    let block = sender.finish(third).await?.block_number.ok_or_else(|| {
        let message = "no block of the market".to_owned();
        ChainError::BadAnswer { what: "eth_getTransactionReceipt", message }
    })?;

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
    Ok(Deployment { market: market_at, token: token_at, access_manager, register: register_at, block })
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

async fn begin(sender: &Sender, bytecode: &Bytes, arguments: &[u8]) -> Result<(Address, Flight), ChainError> {
    let input = [bytecode.as_ref(), arguments].concat().into();
    let flight = sender.begin(Action::create(input)).await?;
    Ok((sender.wallet.address().create(flight.nonce()), flight))
}
