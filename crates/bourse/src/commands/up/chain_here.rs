//! The chain of a market on one machine, and the market on it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use alloy_primitives::U256;
use chain::{Chain, ChainConfig, DeployConfig, DevChain, DevChainConfig, Market};
use market::{Amount, Seconds};
use wire::MarketFile;

use super::Args;
use crate::{failure::Failure, keys::Keys, settings, ui::Ui};

/// Coins for gas that each key gets, in wei: a hundred, which last for some hundred thousand transactions.
const GAS_WEI: u128 = 100_000_000_000_000_000_000;
/// Tokens that the renter of a new market gets, in smallest units of six decimals: a thousand.
const RENTER_TOKENS: Amount = Amount(1_000_000_000);
/// A token's unit for the other keys, so that their first payment is no dearer than the following.
const DUST: Amount = Amount(1);
/// The chain's state is written this often, so that a killed process loses little.
const STATE_EVERY: Seconds = Seconds(5);
/// Where npm installs the program, seen from the project's root.
const NPM_ANVIL: &str = "contracts/node_modules/.bin/anvil";

/// Starts the chain where it stood, or anew.
pub(super) async fn start(args: &Args, home: &Path, ui: &Ui) -> Result<(DevChain, Chain), Failure> {
    let dir = home.join("chain");
    std::fs::create_dir_all(&dir).map_err(Failure::file(&dir))?;
    let config = DevChainConfig {
        port: args.rpc_port,
        block_time: Some(Duration::from_secs(args.block_time)),
        state: Some(dir.join("state.json")),
        state_every: Some(STATE_EVERY),
        log: Some(dir.join("anvil.log")),
        ..DevChainConfig::new(anvil(args))
    };
    let dev_chain = DevChain::start(config).await?;
    let chain = Chain::connect(ChainConfig::local(dev_chain.rpc())).await?;
    ui.step(
        "chain",
        format_args!("{} (anvil, chain id {}, blocks every {} s)", dev_chain.rpc(), chain.id(), args.block_time),
    );
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
    for key in [&keys.deployer, &keys.owner, &keys.agent, &keys.renter, &operator.watcher, &operator.recorder] {
        dev_chain.fund(key.address(), U256::from(GAS_WEI)).await?;
    }
    let rpc = dev_chain.rpc().to_string();
    if let Some(before) = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<MarketFile>(&bytes).ok()) {
        let file = MarketFile { rpc: rpc.clone(), ..before };
        if file.register.is_some()
            && let Ok(market) = settings::open(&file).await
        {
            ui.step("market", format_args!("{} as before", file.market));
            return Ok((file, market));
        }
    }
    let mint = vec![(keys.renter.address(), RENTER_TOKENS), (keys.owner.address(), DUST), (keys.agent.address(), DUST)];
    let config = DeployConfig { mint, watchers: vec![operator.watcher.address()], ..DeployConfig::default() };
    let deployment = chain::deploy(chain, &keys.deployer, config).await?;
    let file = MarketFile {
        rpc,
        chain_id: chain.id(),
        market: deployment.market,
        token: deployment.token,
        deployed_at: deployment.block,
        register: Some(deployment.register),
        recorders: vec![operator.recorder.address()],
        gateway: None,
    };
    ui.step("market", format_args!("{} deployed, settles in {}", file.market, file.token));
    let market = Market::open(chain.clone(), file.market).await?;
    Ok((file, market))
}
