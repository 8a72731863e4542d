//! Puts a market on a chain: roles, token, market, first money.

use alloy::{
    primitives::{Address, Bytes, FixedBytes, U256},
    sol_types::{SolCall, SolConstructor},
};
use futures_util::future::try_join_all;

use crate::{
    Chain, ChainError, DeployConfig, SendConfig, Wallet,
    account::{Call, Sender},
    bindings::{
        access::AccessManager as access, market::Market as market, token::GPUToken as token,
    },
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
pub async fn deploy(
    chain: &Chain,
    deployer: &Wallet,
    config: DeployConfig,
) -> Result<Deployment, ChainError> {
    let sender = Sender::new(chain.clone(), deployer.clone(), SendConfig::default());
    let authority = access::constructorCall {
        initialAdmin: deployer.address(),
    };
    let (access_manager, _) = create(&sender, &access::BYTECODE, &authority.abi_encode()).await?;
    let authority = token::constructorCall {
        authority: access_manager,
    };
    let (token_at, _) = create(&sender, &token::BYTECODE, &authority.abi_encode()).await?;
    let settings = market::constructorCall::from((token_at, access_manager, config.fee.0));
    let (market_at, block) = create(&sender, &market::BYTECODE, &settings.abi_encode()).await?;

    let mut holders = vec![deployer.address()];
    holders.extend(
        config
            .operators
            .iter()
            .filter(|operator| **operator != deployer.address()),
    );
    let data = roles(token_at, market_at, &holders);
    run(&sender, access_manager, &access::multicallCall { data }).await?;
    let minted = config.mint.iter().map(|(to, amount)| {
        let call = token::mintCall {
            to: *to,
            amount: U256::from(amount.0),
        };
        let sender = &sender;
        async move { run(sender, token_at, &call).await }
    });
    let watched = config.watchers.iter().map(|watcher| {
        let call = market::setWatcherCall {
            watcher: *watcher,
            registered: true,
        };
        let sender = &sender;
        async move { run(sender, market_at, &call).await }
    });
    tokio::try_join!(try_join_all(minted), try_join_all(watched))?;
    Ok(Deployment {
        market: market_at,
        token: token_at,
        access_manager,
        block,
    })
}

/// Which role may call what, and who holds it.
fn roles(token_at: Address, market_at: Address, holders: &[Address]) -> Vec<Bytes> {
    let duties: [(u64, &str, Address, Vec<[u8; 4]>); 4] = [
        (FAUCET, "faucet", token_at, vec![token::mintCall::SELECTOR]),
        (
            GUARDIAN,
            "guardian",
            market_at,
            vec![market::pauseCall::SELECTOR, market::unpauseCall::SELECTOR],
        ),
        (
            TREASURER,
            "treasurer",
            market_at,
            vec![
                market::setFeeCall::SELECTOR,
                market::withdrawFeesCall::SELECTOR,
            ],
        ),
        (
            REGISTRAR,
            "registrar",
            market_at,
            vec![market::setWatcherCall::SELECTOR],
        ),
    ];
    let mut calls = Vec::new();
    for (role, label, target, selectors) in duties {
        let selectors = selectors.into_iter().map(FixedBytes).collect();
        calls.push(
            access::setTargetFunctionRoleCall {
                target,
                selectors,
                roleId: role,
            }
            .abi_encode()
            .into(),
        );
        calls.push(
            access::labelRoleCall {
                roleId: role,
                label: label.to_owned(),
            }
            .abi_encode()
            .into(),
        );
        for account in holders {
            let grant = access::grantRoleCall {
                roleId: role,
                account: *account,
                executionDelay: 0,
            };
            calls.push(grant.abi_encode().into());
        }
    }
    calls
}

async fn create(
    sender: &Sender,
    bytecode: &Bytes,
    arguments: &[u8],
) -> Result<(Address, u64), ChainError> {
    let input = [bytecode.as_ref(), arguments].concat().into();
    let receipt = sender.send(Call { to: None, input }).await?;
    let incomplete = || ChainError::BadAnswer {
        what: "eth_getTransactionReceipt",
        message: "no contract".into(),
    };
    let address = receipt.contract_address.ok_or_else(incomplete)?;
    Ok((address, receipt.block_number.ok_or_else(incomplete)?))
}

async fn run<C: SolCall>(sender: &Sender, to: Address, call: &C) -> Result<(), ChainError> {
    sender
        .send(Call {
            to: Some(to),
            input: call.abi_encode().into(),
        })
        .await
        .map(drop)
}
