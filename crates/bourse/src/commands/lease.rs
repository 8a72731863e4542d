//! `bourse lease …`: time bought by the tick.

mod attend;
mod run;
mod status;

use std::{path::PathBuf, process::ExitCode};

use chain::{Channels, Erc20, X402};
use clap::Subcommand;
use renter::{LeaseClient, OpenLease};

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// Time bought by the tick.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an image for as long as it is paid for, a few seconds at a time; Ctrl-C stops it and takes the rest back.
    Run(Box<run::Args>),
    /// Show a lease that was opened here.
    Status(status::Args),
    /// Stop a lease that was opened here and take the rest of its channel back.
    Stop(status::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(args) => run::run(*args, settings, ui).await,
            Self::Status(args) => status::status(&args, settings, ui).await,
            Self::Stop(args) => status::stop(&args, settings, ui).await,
        }
    }
}

/// A client that pays with the settings' wallet, out of the channels of the market's chain.
async fn client(settings: &Settings) -> Result<LeaseClient, Failure> {
    let (file, account) = settings.account().await?;
    let chain = account.market().chain().clone();
    let Some(contracts) = X402::on(&chain).await? else {
        return Err(Failure::Usage(format!(
            "chain {} has no payment channels: start one with `bourse up --x402`, or rent with `bourse run`",
            chain.id()
        )));
    };
    let token = Erc20::open(chain.clone(), account.market().token()).await?;
    let channels = Channels::open(chain, contracts.channels).await?;
    let wallet = account.wallet().clone();
    Ok(LeaseClient::new(Settings::gateway(&file)?, wallet, token, channels, contracts.erc3009_collector)?)
}

fn folder(settings: &Settings) -> PathBuf {
    settings.home().join("renter/leases")
}

/// Keeps a lease where only its owner reads it: whoever has its capability may stop it.
fn save(settings: &Settings, lease: &OpenLease) -> Result<(), Failure> {
    let (dir, bytes) = (folder(settings), serde_json::to_vec_pretty(lease).map_err(std::io::Error::other)?);
    std::fs::create_dir_all(&dir).map_err(Failure::file(&dir))?;
    let path = dir.join(format!("{}.json", lease.id));
    let write = || {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let fresh = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(&bytes).and_then(|()| file.sync_all())?;
        std::fs::rename(&fresh, &path)
    };
    write().map_err(Failure::file(&path))
}

/// The lease whose id begins like this.
fn load(settings: &Settings, name: &str) -> Result<OpenLease, Failure> {
    let dir = folder(settings);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(Failure::file(&dir))? {
        let path = entry.map_err(Failure::file(&dir))?.path();
        let is_named = path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with(name));
        if is_named && path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    let [path] = found.as_slice() else {
        return Err(Failure::Usage(format!("{} leases here begin with {name:?}; name one", found.len())));
    };
    let bytes = std::fs::read(path).map_err(Failure::file(path))?;
    serde_json::from_slice(&bytes).map_err(|err| Failure::Usage(format!("{}: {err}", path.display())))
}
