//! `bourse deploy`: a new market's contracts on a chain.

use std::process::ExitCode;

use chain::DeployConfig;
use market::BasisPoints;
use wire::MarketFile;

use crate::{
    failure::Failure,
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
    ui.note(format_args!("{} pays the gas of three contracts on chain {}", wallet.address(), chain.id()));
    if !args.yes && !ui.confirm("Deploy?")? {
        return Err(Failure::Usage("nothing was deployed".into()));
    }
    let config = DeployConfig { fee: BasisPoints(args.fee_bps), ..DeployConfig::default() };
    let deployment = chain::deploy(&chain, &wallet, config).await?;
    let file = MarketFile {
        rpc: args.rpc.clone(),
        chain_id: chain.id(),
        market: deployment.market,
        token: deployment.token,
        deployed_at: deployment.block,
        gateway: args.gateway.clone(),
    };
    write(&path, &file)?;
    ui.answer(&file, || format!("market {} with token {}, described in {}", file.market, file.token, path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a market's description.
pub(crate) fn write(path: &std::path::Path, file: &MarketFile) -> Result<(), Failure> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(Failure::file(dir))?;
    }
    let text = serde_json::to_string_pretty(file).map_err(|err| Failure::Usage(err.to_string()))?;
    std::fs::write(path, text).map_err(Failure::file(path))
}
