//! The chain of a market on one machine, and the market on it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use alloy_primitives::U256;
use chain::{Chain, ChainConfig, DeployConfig, DevChain, DevChainConfig, Market, X402, usdc};
use market::{Amount, Seconds};
use wire::MarketFile;

use super::Args;
use crate::{commands::deploy, failure::Failure, keys::Keys, settings, ui::Ui};

/// Coins for gas that each key gets, in wei: a hundred, which last for some hundred thousand transactions.
const GAS_WEI: u128 = 100_000_000_000_000_000_000;
/// Tokens that the renter of a new market gets, in smallest units of six decimals: a thousand.
const RENTER_TOKENS: Amount = Amount(1_000_000_000);
/// Tokens that the owner of the provider gets, to stake: a thousand.
const OWNER_TOKENS: Amount = RENTER_TOKENS;
/// A token's unit for the other keys, so that their first payment is no dearer than the following.
const DUST: Amount = Amount(1);
/// The chain's state is written this often, so that a killed process loses little.
const STATE_EVERY: Seconds = Seconds(5);
/// Where npm installs the program, seen from the project's root.
const NPM_ANVIL: &str = "contracts/node_modules/.bin/anvil";

/// What stands where clients of x402 look for it can be signed for by mistake.
const X402_WARNING: &str = "this chain has the id of Base Sepolia and the addresses that stand there: whatever is signed \
                            for it is valid on the real network too, so use no key that holds anything there";

/// Starts the chain where it stood, or anew. With `x402` it has the id of the network that clients of x402 are tried on,
/// with payment channels and a dollar at the addresses that they know, and a folder of its own.
pub(super) async fn start(args: &Args, x402: bool, home: &Path, ui: &Ui) -> Result<(DevChain, Chain), Failure> {
    let dir = home.join(if x402 { "chain-x402" } else { "chain" });
    std::fs::create_dir_all(&dir).map_err(Failure::file(&dir))?;
    let config = DevChainConfig {
        port: args.rpc_port,
        block_time: Some(Duration::from_secs(args.block_time)),
        state: Some(dir.join("state.json")),
        state_every: Some(STATE_EVERY),
        log: Some(dir.join("anvil.log")),
        ..DevChainConfig::new(anvil(args))
    };
    let config = if x402 { DevChainConfig { chain_id: usdc::BASE_SEPOLIA, ..config } } else { config };
    let dev_chain = DevChain::start(config).await?;
    let chain = Chain::connect(ChainConfig::local(dev_chain.rpc())).await?;
    ui.step(
        "chain",
        format_args!("{} (anvil, chain id {}, blocks every {} s)", dev_chain.rpc(), chain.id(), args.block_time),
    );
    if x402 {
        dev_chain.place_x402().await?;
        ui.warn(X402_WARNING);
    }
    Ok((dev_chain, chain))
}

fn anvil(args: &Args) -> PathBuf {
    let beside = || Some(PathBuf::from(NPM_ANVIL)).filter(|path| path.exists());
    args.anvil.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("anvil"))
}

/// The market that stands on the chain already, or a new one.
pub(super) async fn market(
    dev_chain: &DevChain,
    chain: &Chain,
    keys: &Keys,
    path: &Path,
    ui: &Ui,
) -> Result<(MarketFile, Market), Failure> {
    let operator = &keys.operator;
    let people = [&keys.deployer, &keys.owner, &keys.agent, &keys.renter];
    for key in people.into_iter().chain([&operator.watcher, &operator.recorder, &operator.gas, &operator.treasury]) {
        dev_chain.fund(key.address(), U256::from(GAS_WEI)).await?;
    }
    let rpc = dev_chain.rpc().to_string();
    if let Some(before) = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<MarketFile>(&bytes).ok()) {
        let file = MarketFile { rpc: rpc.clone(), ..before };
        if file.contracts.is_some()
            && file.chain_id == chain.id()
            && let Ok(market) = settings::open(&file).await
        {
            ui.step("market", format_args!("{} as before", file.market));
            return Ok((file, market));
        }
    }
    let (renter, owner, agent) = (keys.renter.address(), keys.owner.address(), keys.agent.address());
    let mint = vec![(renter, RENTER_TOKENS), (owner, OWNER_TOKENS), (agent, DUST)];
    let watcher = operator.watcher.address();
    let config = DeployConfig {
        // Where channels stand, the dollar stands too.
        token: X402::on(chain).await?.and(usdc::on(chain.id())).map(|usdc| usdc.address),
        mint,
        watchers: vec![watcher],
        judges: vec![keys.deployer.address()],
        prosecutors: vec![watcher],
        reporters: vec![watcher],
        treasury: Some(operator.treasury.address()),
        ..DeployConfig::default()
    };
    let deployment = chain::deploy(chain, &keys.deployer, config).await?;
    let file = deploy::describe(chain, rpc, &deployment, vec![operator.recorder.address()]);
    ui.step("market", format_args!("{} deployed, settles in {}", file.market, file.token));
    let market = Market::open(chain.clone(), file.market).await?;
    Ok((file, market))
}
