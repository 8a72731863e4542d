//! `bourse provider …`.

mod check;
mod earnings;
mod run;
mod stake;

use std::{path::Path, process::ExitCode, time::Duration};

use agent::{AgentConfig, LeaseConfig, NetworkPolicy, Offered, Simulated};
use chain::{Market, X402};
use clap::Subcommand;
use market::Mebibytes;
use url::Url;
use wire::MarketFile;

use super::{run::prepare::tokens, up};
use crate::{answer::Token, failure::Failure, keys, settings::Settings, ui::Ui};

/// The provider's side.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look whether this machine can provide; every finding with what to do.
    Check(check::Args),
    /// List this machine and run jobs until Ctrl-C.
    Run(run::Args),
    /// Show what clients paid this provider over HTTP, and pay it out.
    Earnings(earnings::Args),
    /// Put down stake for this machine: as many seconds of pay as it is worth come at once.
    Stake(stake::StakeArgs),
    /// Ask stake back, or take what was asked back two weeks ago.
    Unstake(stake::UnstakeArgs),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Check(args) => check::check(&args, settings, ui).await,
            Self::Run(args) => run::run(&args, settings, ui).await,
            Self::Earnings(args) => earnings::earnings(&args, settings, ui).await,
            Self::Stake(args) => stake::stake(&args, settings, ui).await,
            Self::Unstake(args) => stake::unstake(&args, settings, ui).await,
        }
    }
}

/// What a machine offers, and for how much.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Offer {
    /// Price of an hour, in whole tokens.
    #[arg(long, default_value = "0.36", value_name = "TOKENS")]
    pub(crate) price: String,
    /// Stake to have at least, in whole tokens: with the price of an hour all pay comes at once, without stake it comes
    /// an hour late [default: what is there; with `bourse up` the price of an hour].
    #[arg(long, value_name = "TOKENS")]
    pub(crate) stake: Option<String>,
    /// Offer a pretended card, marked as such everywhere: rtx4090, h100, a100, mi300x or tpu-v5e.
    #[arg(long, value_name = "CARD", value_parser = card)]
    simulate: Option<Simulated>,
    /// Where the machine stands, such as eu-west. It is written into the listing for good.
    #[arg(long, value_name = "REGION", value_parser = region)]
    region: Option<String>,
    /// Processor threads to offer [default: all].
    #[arg(long, value_name = "N")]
    offer_cpus: Option<u16>,
    /// MiB of memory to offer [default: most of what is there].
    #[arg(long, value_name = "MIB")]
    offer_memory: Option<u64>,
    /// MiB of disk to offer [default: most of what is free].
    #[arg(long, value_name = "MIB")]
    offer_disk: Option<u64>,
    /// MiB of content to keep at most [default: 256 GiB].
    #[arg(long, value_name = "MIB")]
    store_limit: Option<u64>,
    /// What jobs may reach that ask for it: "listed" lets them reach the public hosts that they name, through a proxy of
    /// this program (it must run as root); "full", the default where nothing is said, whatever this machine reaches.
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "full")]
    allow_network: Option<Reach>,
    /// Answers a host's name with an address of yours, such as a mirror of packages in your own network, for jobs that
    /// list it. Repeatable.
    #[arg(long, value_name = "NAME=ADDRESS:PORT", value_parser = mirror)]
    mirror: Vec<(String, std::net::SocketAddr)>,
    /// Refuses images that hold one of these files: a list of SHA-256 digests, one a line; what follows a digest on its line
    /// is for people.
    #[arg(long, value_name = "FILE")]
    known_bad: Option<std::path::PathBuf>,
    /// Socket of the container engine.
    #[arg(long, value_name = "FILE")]
    docker: Option<std::path::PathBuf>,
    /// Leases by the tick at once, each with its share of the machine; 0 sells none. Only where the chain has payment
    /// channels.
    #[arg(long, value_name = "N", default_value_t = 1)]
    leases: usize,
    /// Seconds of a tick: who pays by the tick is stopped when two are unpaid.
    #[arg(long, value_name = "SECONDS", default_value_t = wire::http::TICK_S,
        value_parser = clap::value_parser!(u32).range(i64::from(wire::http::TICK_MIN_S)..=i64::from(wire::http::TICK_MAX_S)))]
    tick: u32,
    /// Where else content is fetched from, besides the gateway: addresses of trustless gateways. Repeatable.
    #[arg(long, value_name = "URL")]
    source: Vec<Url>,
}

/// What jobs may reach.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Reach {
    Listed,
    Full,
}

/// The digests of a list.
fn known_bad(path: &std::path::Path) -> Result<std::collections::HashSet<[u8; 32]>, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    let words = (1..).zip(text.lines()).filter_map(|(number, line)| Some((number, line.split_whitespace().next()?)));
    let digest = |(number, word): (u32, &str)| {
        let digest: Result<alloy_primitives::B256, _> = word.parse();
        let wrong = || format!("{}, line {number}: {word:?} is no SHA-256 digest in hex", path.display());
        digest.map(|digest| digest.0).map_err(|_| Failure::Usage(wrong()))
    };
    words.filter(|(_, word)| !word.starts_with('#')).map(digest).collect()
}

fn mirror(text: &str) -> Result<(String, std::net::SocketAddr), String> {
    let parts = text.split_once('=').and_then(|(name, address)| Some((name.to_owned(), address.parse().ok()?)));
    parts.ok_or_else(|| format!("{text:?} is not NAME=ADDRESS:PORT, such as pypi.example.org=10.0.0.5:3141"))
}

fn card(name: &str) -> Result<Simulated, String> {
    Simulated::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Simulated::ALL.iter().map(|card| card.name()).collect();
        format!("known are {}", known.join(", "))
    })
}

fn region(text: &str) -> Result<String, String> {
    wire::details::check_region(text).map(|()| text.to_owned()).map_err(|err| err.to_string())
}

/// The agent's settings; its keys lie below `home`.
pub(crate) fn config(
    offer: &Offer,
    home: &Path,
    settings: &Settings,
    (file, market): (&MarketFile, &Market),
    gateway: Option<Url>,
) -> Result<AgentConfig, Failure> {
    let password = match settings.password_file {
        Some(_) => settings.password()?,
        None => keys::password(home)?,
    };
    let key = |name: &str| keys::one(home, name, &password);
    let price = up::price(&offer.price, market)?;
    let stake = offer.stake.as_deref().map(|stake| tokens(stake, &Token::of(market))).transpose()?;
    let state_dir = home.join("agent");
    let defaults = AgentConfig::new(state_dir, market.chain().config().clone(), market.address(), key("agent")?, price);
    Ok(AgentConfig {
        deployed_at: file.deployed_at,
        stake,
        owner: Some(key("owner")?),
        gateway,
        content_sources: offer.source.clone(),
        heartbeat: settings.heartbeat.map_or(defaults.heartbeat, Duration::from_secs),
        offered: Offered {
            cpus: offer.offer_cpus,
            memory: offer.offer_memory.map(Mebibytes),
            disk: offer.offer_disk.map(Mebibytes),
        },
        region: offer.region.clone(),
        simulate: offer.simulate,
        store_bytes_max: offer.store_limit.map_or(defaults.store_bytes_max, |limit| Mebibytes(limit).bytes()),
        network: match offer.allow_network {
            None => NetworkPolicy::None,
            Some(Reach::Listed) => NetworkPolicy::Listed,
            Some(Reach::Full) => NetworkPolicy::Full,
        },
        mirrors: offer.mirror.iter().cloned().collect(),
        known_bad: offer.known_bad.as_deref().map(known_bad).transpose()?.unwrap_or_default(),
        docker: offer.docker.clone().unwrap_or(defaults.docker.clone()),
        ..defaults
    })
}

/// How time is sold by the tick; not at all where the chain has no payment channels.
pub(crate) async fn leases(offer: &Offer, file: &MarketFile, market: &Market) -> Result<Option<LeaseConfig>, Failure> {
    let (Some(contracts), Some(around)) = (X402::on(market.chain()).await?, file.contracts) else { return Ok(None) };
    let config = LeaseConfig::new(contracts.channels, around.tills);
    // The public deployment neither passes over bad rows nor closes in one call; ours stands on development chains.
    let extended = market.chain().id() == chain::usdc::BASE_SEPOLIA;
    let wanted = LeaseConfig { leases_max: offer.leases, tick_s: offer.tick, extended, ..config };
    Ok((offer.leases > 0).then_some(wanted))
}
