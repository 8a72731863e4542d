//! `bourse up`: a whole market in one process tree: chain, contracts, gateway, one provider.

mod chain_here;

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use chain::Market;
use market::{PerHour, Seconds};
use renter::GatewayClient;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::MarketFile;

use super::{deploy, provider};
use crate::{
    answer::Token,
    failure::Failure,
    keys::Keys,
    operator::{Database, MoneyArgs, Operator, OperatorConfig, ended_early},
    settings::Settings,
    signals,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Port of the gateway; 0 takes a free one.
    #[arg(long, default_value_t = 4510)]
    port: u16,
    /// Port of the chain; 0 takes a free one.
    #[arg(long, default_value_t = 4511)]
    rpc_port: u16,
    /// Seconds between blocks.
    #[arg(long, default_value_t = 1)]
    block_time: u64,
    /// Settle in a test dollar and sell time by the tick, so that clients of x402 can pay as they are: the chain gets the
    /// id of Base Sepolia (84532), where signatures made here are valid too.
    #[arg(long)]
    x402: bool,
    /// The `anvil` program [default: the one that npm installed beside the contracts, else the one on the PATH].
    #[arg(long, value_name = "FILE")]
    anvil: Option<PathBuf>,
    #[command(flatten)]
    money: MoneyArgs,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    offer: provider::Offer,
}

/// The provider must be listed and heard within this time, probing and two transactions included.
const LISTED_WITHIN: Duration = Duration::from_secs(90);
/// What is running may take this long to end politely.
const STOP_WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn up(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let shutdown = signals::shutdown()?;
    let home = settings.home();
    let market_path = home.join("market.json");
    std::fs::create_dir_all(&home).map_err(Failure::file(&home))?;
    let _only_one = lock(&home)?;
    let keys = Keys::open(&home)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    free(listen)?;
    let (dev_chain, chain) = chain_here::start(args, args.x402, &home, ui).await?;
    let (mut file, market) = chain_here::market(&dev_chain, &chain, &keys, &market_path, ui).await?;

    let config = OperatorConfig {
        home: home.clone(),
        listen,
        public_url: None,
        heartbeat: settings.heartbeat.map(Duration::from_secs),
        trusted_proxies: Vec::new(),
        operators: vec![keys.deployer.address()],
        spare_loopback: true,
        receipts: true,
        money: args.money.clone(),
    };
    let rows = args.database.open(&home).await?;
    let operator = Operator::bind(config, (&file, &market), rows, keys.operator.clone()).await?;
    let gateway_url = operator.url();
    file.gateway = Some(gateway_url.clone());
    deploy::write(&market_path, &file)?;
    ui.step("gateway", format_args!("{gateway_url} relays, serves, indexes; {gateway_url}/api/v1/docs"));

    let mut tasks = JoinSet::new();
    operator.start(&mut tasks, &shutdown);
    let gateway = Some(Settings::gateway(&file)?);
    let config = provider::config(&args.offer, &home, settings, (&file, &market), gateway)?;
    let leases = provider::leases(&args.offer, &file, &market).await?;
    let config = agent::AgentConfig { leases, ..config };
    // An hour's price: this machine's pay comes at once.
    let stake = config.stake.or(Some(config.price_per_hour.cost(Seconds(3600))));
    let config = agent::AgentConfig { stake, ..config };
    let stop = shutdown.clone();
    tasks.spawn(async move { agent::run(config, stop).await.map_err(Failure::from) });

    let listed = listed(&file, &market, &shutdown);
    tokio::select! {
        ended = tasks.join_next() => return ended_early(ended),
        listed = listed => if !listed? { return Ok(ExitCode::SUCCESS) },
    }
    ui.step("provider", format_args!("this machine is offered at {} {} an hour", args.offer.price, market.symbol()));
    ready(&market_path, &file, &keys, ui);
    let outcome = tokio::select! {
        () = shutdown.cancelled() => Ok(ExitCode::SUCCESS),
        ended = tasks.join_next() => ended_early(ended),
    };
    shutdown.cancel();
    let rest = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, rest).await.is_err() {
        ui.warn("gateway or provider did not end in time and are cut off; a restart goes on where they stood");
    }
    dev_chain.stop().await?;
    ui.note("stopped; jobs that run go on in their containers, and `bourse up` with the same --home takes them over");
    outcome
}

/// Held as long as a market runs from this folder.
fn lock(home: &Path) -> Result<File, Failure> {
    let path = home.join("up.lock");
    let file = File::create(&path).map_err(Failure::file(&path))?;
    file.try_lock().map_err(|_| {
        Failure::Usage(format!("a market runs from {} already: stop that one, or name another --home", home.display()))
    })?;
    Ok(file)
}

/// Waits until the provider stands in the gateway's list; false when told to stop before.
async fn listed(file: &MarketFile, market: &Market, shutdown: &CancellationToken) -> Result<bool, Failure> {
    let client = GatewayClient::new(Settings::gateway(file)?)?;
    let waiting = async {
        while !client.offers().await.is_ok_and(|offers| offers.iter().any(|offer| offer.available)) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => Ok(false),
        waited = tokio::time::timeout(LISTED_WITHIN, waiting) => match waited {
            Ok(()) => Ok(true),
            Err(_) => Err(Failure::Usage(format!(
                "the provider was not listed on market {} within {} s; `bourse provider check` tells why",
                market.address(),
                LISTED_WITHIN.as_secs()
            ))),
        },
    }
}

/// Contracts are not deployed for a market that nobody could reach.
fn free(listen: SocketAddr) -> Result<(), Failure> {
    std::net::TcpListener::bind(listen).map(drop).map_err(|err| {
        Failure::Usage(format!(
            "nothing can serve at {listen} ({err}): name another port with --port, or stop what is there"
        ))
    })
}

fn ready(path: &Path, file: &MarketFile, keys: &Keys, ui: &Ui) {
    let answer = json!({
        "ready": true,
        "market": path.display().to_string(),
        "gateway": file.gateway,
        "rpc": file.rpc,
        "renter": keys.renter.address().to_string(),
    });
    ui.answer(&answer, || {
        format!(
            "the market is open; run something on it with\n  bourse --market-file {} run IMAGE -- COMMAND",
            path.display()
        )
    });
}

/// The price that a provider asks when nothing is said, in whole tokens an hour.
pub(crate) fn price(text: &str, market: &Market) -> Result<PerHour, Failure> {
    Ok(PerHour(super::run::prepare::tokens(text, &Token::of(market))?.0))
}
