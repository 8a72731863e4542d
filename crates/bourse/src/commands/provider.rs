//! `bourse provider …`.

mod check;
mod run;

use std::{path::Path, process::ExitCode, time::Duration};

use agent::{AgentConfig, Offered, Simulated};
use chain::Market;
use clap::Subcommand;
use market::Mebibytes;
use url::Url;
use wire::MarketFile;

use super::up;
use crate::{failure::Failure, keys, settings::Settings, ui::Ui};

/// The provider's side.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look whether this machine can provide; every finding with what to do.
    Check(check::Args),
    /// List this machine and run jobs until Ctrl-C.
    Run(run::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Check(args) => check::check(&args, settings, ui).await,
            Self::Run(args) => run::run(&args, settings, ui).await,
        }
    }
}

/// What a machine offers, and for how much.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Offer {
    /// Price of an hour, in whole tokens.
    #[arg(long, default_value = "0.36", value_name = "TOKENS")]
    pub(crate) price: String,
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
    /// Let jobs that ask for it reach the network of this machine.
    #[arg(long)]
    allow_network: bool,
    /// Socket of the container engine.
    #[arg(long, value_name = "FILE")]
    docker: Option<std::path::PathBuf>,
    /// Where else content is fetched from, besides the gateway: addresses of trustless gateways. Repeatable.
    #[arg(long, value_name = "URL")]
    source: Vec<Url>,
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
    let state_dir = home.join("agent");
    let defaults = AgentConfig::new(state_dir, market.chain().config().clone(), market.address(), key("agent")?, price);
    Ok(AgentConfig {
        deployed_at: file.deployed_at,
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
        allow_network: offer.allow_network,
        docker: offer.docker.clone().unwrap_or(defaults.docker.clone()),
        ..defaults
    })
}
