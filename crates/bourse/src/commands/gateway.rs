//! `bourse gateway`: the operator's side of a market.

use std::{
    net::{IpAddr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use alloy_primitives::Address;
use serde_json::json;
use tokio::task::JoinSet;
use url::Url;

use crate::{
    failure::Failure,
    keys::{self, OperatorKeys},
    operator::{Database, MoneyArgs, Operator, OperatorConfig, ended_early},
    settings::Settings,
    signals,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4510", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The address by which others reach it, when a proxy with TLS stands before it.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// A proxy that stands before it: its X-Forwarded-For names the clients whose requests are counted. Repeatable.
    #[arg(long, value_name = "IP")]
    trusted_proxy: Vec<IpAddr>,
    /// A wallet that sees all disputes and prepares verdicts. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    operator: Vec<Address>,
    /// Let programs of this machine ask as often as they like.
    #[arg(long)]
    spare_loopback: bool,
    /// Commit no receipts.
    #[arg(long)]
    no_receipts: bool,
    #[command(flatten)]
    money: MoneyArgs,
    #[command(flatten)]
    database: Database,
}

pub(crate) async fn gateway(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let shutdown = signals::shutdown()?;
    let (file, market) = settings.market().await?;
    let home = settings.home();
    std::fs::create_dir_all(&home).map_err(Failure::file(&home))?;
    let keys = OperatorKeys::open(&home, &keys::home_password(settings)?)?;
    advise(&keys, !args.no_receipts, (&file, &market), ui).await?;
    let config = OperatorConfig {
        home: home.clone(),
        listen: args.listen,
        public_url: args.public_url.clone(),
        heartbeat: settings.heartbeat.map(Duration::from_secs),
        trusted_proxies: args.trusted_proxy.clone(),
        operators: args.operator.clone(),
        spare_loopback: args.spare_loopback,
        receipts: !args.no_receipts,
        money: args.money.clone(),
    };
    let store = args.database.open(&home).await?;
    let operator = Operator::bind(config, (&file, &market), store, keys).await?;
    let url = operator.url();
    let mut tasks = JoinSet::new();
    operator.start(&mut tasks, &shutdown);
    ui.step("gateway", format_args!("{url} indexes, relays and serves; {url}/api/v1/docs tells how to ask"));
    ui.answer(&json!({ "ready": true, "gateway": url }), || format!("serving at {url} until Ctrl-C"));
    let outcome = tokio::select! {
        () = shutdown.cancelled() => Ok(ExitCode::SUCCESS),
        ended = tasks.join_next() => ended_early(ended),
    };
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
    outcome
}

/// What somebody with other keys must do before everything works.
async fn advise(
    keys: &OperatorKeys,
    receipts: bool,
    (file, market): (&wire::MarketFile, &chain::Market),
    ui: &Ui,
) -> Result<(), Failure> {
    let watcher = keys.watcher.address();
    if !market.is_watcher(watcher).await? {
        ui.warn(format_args!(
            "{watcher} is no registered watcher of the market: jobs cannot be left to this gateway until the market's \
             registrar calls setWatcher with it"
        ));
    }
    let recorder = keys.recorder.address();
    let commits = receipts && file.register.is_some();
    if commits && !file.recorders.contains(&recorder) {
        ui.warn(format_args!(
            "{recorder} commits receipts, but is none of the market description's recorders: nobody believes them until \
             it is added there, or start with --no-receipts"
        ));
    }
    let gas = keys.gas.address();
    let pays = file.contracts.is_some();
    let spenders = [
        ("watcher", watcher, true),
        ("recorder", recorder, commits),
        ("gas wallet", gas, pays),
        ("treasury", keys.treasury.address(), pays),
    ];
    for (role, key, _) in spenders.into_iter().filter(|(.., acts)| *acts) {
        if market.chain().balance(key).await?.is_zero() {
            ui.warn(format_args!("the {role} {key} has nothing for gas: send it some of the chain's own coin"));
        }
    }
    if file.register.is_none() {
        ui.warn("the market description names no register: no receipts are committed");
    }
    Ok(())
}
