//! `bourse deploy`: a new market's contracts on a chain.

use std::process::ExitCode;

use alloy_primitives::Address;
use chain::{Chain, DeployConfig, Deployment};
use market::{BasisPoints, Seconds};
use wire::{MarketContracts, MarketFile};

use crate::{
    failure::Failure,
    keys::{self, OperatorKeys},
    settings::{self, Settings},
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// JSON-RPC endpoint of the chain.
    #[arg(long)]
    rpc: String,
    /// The platform's share, in hundredths of a percent.
    #[arg(long, default_value_t = market::rules::FEE_DEFAULT.0)]
    fee_bps: u16,
    /// A key that may report silence in jobs that name it: a gateway's watcher. Repeatable [default: the home folder's,
    /// made when it is missing].
    #[arg(long, value_name = "ADDRESS")]
    watcher: Vec<Address>,
    /// A key that may report silence in any job. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    oracle: Vec<Address>,
    /// A key whose commits are this market's receipts. Repeatable [default: the home folder's, made when it is missing].
    #[arg(long, value_name = "ADDRESS")]
    recorder: Vec<Address>,
    /// A key that decides disputes and contested slashes; no prosecutor, oracle or reporter. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    judge: Vec<Address>,
    /// A key that proposes to take a provider's stake. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    prosecutor: Vec<Address>,
    /// A key that reports what providers' scores are reckoned from. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    reporter: Vec<Address>,
    /// The token that the market settles in [default: a development token that is created].
    #[arg(long, value_name = "ADDRESS")]
    token: Option<Address>,
    /// Where deposits into the market's wallet go [default: the home folder's treasury, made when it is missing].
    #[arg(long, value_name = "ADDRESS")]
    treasury: Option<Address>,
    /// Where the platform's part of payments over HTTP goes [default: the deployer].
    #[arg(long, value_name = "ADDRESS")]
    fee_payee: Option<Address>,
    /// A key that may pause creating and registering at once, beside the deployer. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    guardian: Vec<Address>,
    /// Seconds that every other act of operators is announced before it takes effect.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    admin_delay: u64,
    /// Address of the gateway that will serve the market.
    #[arg(long)]
    gateway: Option<String>,
    /// Do not ask before spending gas.
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn deploy(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let path = settings.market_path();
    if path.exists() {
        return Err(Failure::Usage(format!("{} describes a market already: name another file", path.display())));
    }
    let wallet = settings.wallet()?;
    let chain = settings::connect(&args.rpc).await?;
    ui.note(format_args!("{} pays the gas of eleven contracts on chain {}", wallet.address(), chain.id()));
    if !args.yes && !ui.confirm("Deploy?")? {
        return Err(Failure::Usage("nothing was deployed".into()));
    }
    let (watchers, recorders) = operators(args, settings)?;
    let home = settings.home();
    let treasury = match args.treasury {
        Some(treasury) => treasury,
        None => OperatorKeys::open(&home, &keys::home_password(settings)?)?.treasury.address(),
    };
    let config = DeployConfig {
        fee: BasisPoints(args.fee_bps),
        token: args.token,
        oracles: args.oracle.clone(),
        watchers: watchers.clone(),
        guardians: args.guardian.clone(),
        judges: args.judge.clone(),
        prosecutors: args.prosecutor.clone(),
        reporters: args.reporter.clone(),
        treasury: Some(treasury),
        fee_payee: args.fee_payee,
        admin_delay: Seconds(args.admin_delay),
        ..DeployConfig::default()
    };
    if let Some(token) = args.token {
        // A token whose signatures would be worth nothing is found out before it costs anything.
        chain::Erc20::open(chain.clone(), token).await?;
    }
    let deployment = chain::deploy(&chain, &wallet, config).await?;
    let file = MarketFile {
        gateway: args.gateway.clone(),
        ..describe(&chain, args.rpc.clone(), &deployment, recorders.clone())
    };
    write(&path, &file)?;
    for key in watchers.iter().chain(&recorders) {
        ui.note(format_args!("{key} acts for the market's gateway: send it some of the chain's own coin for gas"));
    }
    ui.answer(&file, || format!("market {} with token {}, described in {}", file.market, file.token, path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Watchers and recorders: those that are named, else those of the gateway that will run from the same home folder.
fn operators(args: &Args, settings: &Settings) -> Result<(Vec<Address>, Vec<Address>), Failure> {
    let (mut watchers, mut recorders) = (args.watcher.clone(), args.recorder.clone());
    if watchers.is_empty() || recorders.is_empty() {
        let home = settings.home();
        let own = OperatorKeys::open(&home, &keys::home_password(settings)?)?;
        if watchers.is_empty() {
            watchers.push(own.watcher.address());
        }
        if recorders.is_empty() {
            recorders.push(own.recorder.address());
        }
    }
    Ok((watchers, recorders))
}

/// A market as it was deployed, without a gateway.
pub(crate) fn describe(chain: &Chain, rpc: String, deployed: &Deployment, recorders: Vec<Address>) -> MarketFile {
    MarketFile {
        rpc,
        chain_id: chain.id(),
        market: deployed.market,
        token: deployed.token,
        deployed_at: deployed.block,
        register: Some(deployed.register),
        recorders,
        contracts: Some(MarketContracts {
            reputation: deployed.reputation,
            versions: deployed.versions,
            deposits: deployed.deposits,
            tills: deployed.tills,
            till: deployed.till,
        }),
        gateway: None,
    }
}

/// Writes a market's description.
pub(crate) fn write(path: &std::path::Path, file: &MarketFile) -> Result<(), Failure> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(Failure::file(dir))?;
    }
    let text = serde_json::to_string_pretty(file).map_err(|err| Failure::Usage(err.to_string()))?;
    std::fs::write(path, text).map_err(Failure::file(path))
}
