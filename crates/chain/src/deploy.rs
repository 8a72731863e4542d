//! Puts a market on a chain: roles, token, market, first money.

use alloy::{
    primitives::{Address, Bytes, FixedBytes, U256},
    sol_types::{SolCall, SolConstructor},
};
use futures_util::future::try_join_all;

use crate::{
    Chain, ChainError, DeployConfig, SendConfig, Wallet,
    account::{Call, Flight, Sender},
    bindings::{access::AccessManager as access, market::Market as market, token::GPUToken as token},
};

/// Creates tokens.
const FAUCET: u64 = 1;
/// Pauses and resumes creating and registering.
const GUARDIAN: u64 = 2;
/// Sets the fee and takes what was booked.
const TREASURER: u64 = 3;
/// Registers the watchers that may report silence.
const REGISTRAR: u64 = 4;

/// What was deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The Market contract.
    pub market: Address,
    /// The settlement token.
    pub token: Address,
    /// The contract that holds the roles of both.
    pub access_manager: Address,
    /// The block of the Market: nothing of it is older.
    pub block: u64,
}

/// Deploys and sets up a market. The deployer administers its roles from then on.
pub async fn deploy(chain: &Chain, deployer: &Wallet, config: DeployConfig) -> Result<Deployment, ChainError> {
    let sender = Sender::new(chain.clone(), deployer.clone(), SendConfig::default());
    // A contract's address follows from its nonce, so the three need not wait for each other.
    let authority = access::constructorCall { initialAdmin: deployer.address() };
    let (access_manager, first) = begin(&sender, &access::BYTECODE, &authority.abi_encode()).await?;
    let authority = token::constructorCall { authority: access_manager };
    let (token_at, second) = begin(&sender, &token::BYTECODE, &authority.abi_encode()).await?;
    let settings = market::constructorCall::from((token_at, access_manager, config.fee.0));
    let (market_at, third) = begin(&sender, &market::BYTECODE, &settings.abi_encode()).await?;
    let (_, _, mined) = tokio::try_join!(sender.finish(first), sender.finish(second), sender.finish(third))?;
    let block = mined.block_number.ok_or_else(|| {
        let message = "no block of the market".to_owned();
        ChainError::BadAnswer { what: "eth_getTransactionReceipt", message }
    })?;

    let mut holders = vec![deployer.address()];
    holders.extend(config.operators.iter().filter(|operator| **operator != deployer.address()));
    let data = roles(token_at, market_at, &holders);
    let multicall = access::multicallCall { data };
    let settled = run(&sender, access_manager, &multicall);
    let minted = config.mint.iter().map(|(to, amount)| {
        let call = token::mintCall { to: *to, amount: U256::from(amount.0) };
        let sender = &sender;
        async move { run(sender, token_at, &call).await }
    });
    let watched = config.watchers.iter().map(|watcher| {
        let call = market::setWatcherCall { watcher: *watcher, registered: true };
        let sender = &sender;
        async move { run(sender, market_at, &call).await }
    });
    // The deployer may do all of this as administrator before the roles are set and as their holder after.
    tokio::try_join!(settled, try_join_all(minted), try_join_all(watched))?;
    Ok(Deployment { market: market_at, token: token_at, access_manager, block })
}

/// Which role may call what, and who holds it.
fn roles(token_at: Address, market_at: Address, holders: &[Address]) -> Vec<Bytes> {
    let duties: [(u64, &str, Address, Vec<[u8; 4]>); 4] = [
        (FAUCET, "faucet", token_at, vec![token::mintCall::SELECTOR]),
        (GUARDIAN, "guardian", market_at, vec![market::pauseCall::SELECTOR, market::unpauseCall::SELECTOR]),
        (TREASURER, "treasurer", market_at, vec![market::setFeeCall::SELECTOR, market::withdrawFeesCall::SELECTOR]),
        (REGISTRAR, "registrar", market_at, vec![market::setWatcherCall::SELECTOR]),
    ];
    let mut calls = Vec::new();
    for (role, label, target, selectors) in duties {
        let selectors = selectors.into_iter().map(FixedBytes).collect();
        calls.push(access::setTargetFunctionRoleCall { target, selectors, roleId: role }.abi_encode().into());
        calls.push(access::labelRoleCall { roleId: role, label: label.to_owned() }.abi_encode().into());
        for account in holders {
            let grant = access::grantRoleCall { roleId: role, account: *account, executionDelay: 0 };
            calls.push(grant.abi_encode().into());
        }
    }
    calls
}

async fn begin(sender: &Sender, bytecode: &Bytes, arguments: &[u8]) -> Result<(Address, Flight), ChainError> {
    let input = [bytecode.as_ref(), arguments].concat().into();
    let flight = sender.begin(Call { to: None, input }).await?;
    Ok((sender.wallet.address().create(flight.nonce()), flight))
}

async fn run<C: SolCall>(sender: &Sender, to: Address, call: &C) -> Result<(), ChainError> {
    sender.send(Call { to: Some(to), input: call.abi_encode().into() }).await.map(drop)
}
