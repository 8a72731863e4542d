//! Flags and environment become settings here, and nowhere else.

use std::path::{Path, PathBuf};

use chain::{Account, Chain, ChainConfig, Market, SendConfig, Wallet};
use clap::Args;
use url::Url;
use wire::MarketFile;

use crate::failure::Failure;

/// Flags that every verb understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Settings {
    /// Folder of keys, jobs and content [default: the market file's, else .bourse in your own].
    #[arg(long, global = true, env = "BOURSE_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Description of the market to use; written by `bourse up` and `bourse deploy`.
    #[arg(long, global = true, env = "BOURSE_MARKET", value_name = "FILE")]
    pub(crate) market_file: Option<PathBuf>,
    /// Keystore file of the wallet to use [default: keys/renter.json in the home folder]. A private key in hex in the
    /// variable BOURSE_KEY wins over it.
    #[arg(long, global = true, env = "BOURSE_KEYSTORE", value_name = "FILE")]
    pub(crate) keystore: Option<PathBuf>,
    /// File with the keystore's password [default: password in the home folder].
    #[arg(long, global = true, env = "BOURSE_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Seconds between a running provider's signs of life [default: 60]; for markets that beat faster.
    #[arg(long, global = true, hide = true, env = "BOURSE_HEARTBEAT", value_name = "SECONDS")]
    pub(crate) heartbeat: Option<u64>,
    /// The answer as one JSON line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// More about what goes on; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Environment variable with a private key in hex, for machines without a person. It wins over keystores.
const KEY_VARIABLE: &str = "BOURSE_KEY";

impl Settings {
    /// The home folder: given, beside the market file, or `.bourse` in the person's home.
    pub(crate) fn home(&self) -> PathBuf {
        let beside = || self.market_file.as_ref().and_then(|file| file.parent()).map(Path::to_owned);
        let own = || std::env::home_dir().map(|home| home.join(".bourse"));
        self.home.clone().or_else(beside).or_else(own).unwrap_or_else(|| PathBuf::from(".bourse"))
    }

    /// Where the market's description lies.
    pub(crate) fn market_path(&self) -> PathBuf {
        self.market_file.clone().unwrap_or_else(|| self.home().join("market.json"))
    }

    /// The market's description.
    pub(crate) fn market_file(&self) -> Result<MarketFile, Failure> {
        let path = self.market_path();
        let bytes = std::fs::read(&path).map_err(|err| {
            let advice = "start a market with `bourse up`, or name its description with --market-file";
            Failure::Usage(format!("no market is known ({}: {err}): {advice}", path.display()))
        })?;
        serde_json::from_slice(&bytes)
            .map_err(|err| Failure::Usage(format!("{} is no market description: {err}", path.display())))
    }

    /// The market itself, checked to be the one described.
    pub(crate) async fn market(&self) -> Result<(MarketFile, Market), Failure> {
        let file = self.market_file()?;
        let market = open(&file).await?;
        Ok((file, market))
    }

    /// The gateway to use.
    pub(crate) fn gateway(file: &MarketFile) -> Result<Url, Failure> {
        let text = file.gateway.as_deref().ok_or_else(|| {
            Failure::Usage("the market description names no gateway: add \"gateway\": \"http://…\"".into())
        })?;
        text.parse().map_err(|err| Failure::Usage(format!("the gateway {text:?} is no address: {err}")))
    }

    /// The wallet that pays.
    pub(crate) fn wallet(&self) -> Result<Wallet, Failure> {
        if let Ok(hex) = std::env::var(KEY_VARIABLE) {
            return Ok(Wallet::from_hex(&hex)?);
        }
        let path = self.keystore_path();
        if !path.exists() {
            return Err(Failure::Usage(format!(
                "no wallet at {}: make one with `bourse wallet new`, or set --keystore or {KEY_VARIABLE}",
                path.display()
            )));
        }
        Ok(chain::keystore::load(&path, &self.password()?)?)
    }

    /// The password of keystore files.
    pub(crate) fn password(&self) -> Result<String, Failure> {
        let path = self.password_file.clone().unwrap_or_else(|| self.home().join("password"));
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        Ok(crate::keys::trimmed(&text))
    }

    /// Market and paying wallet together.
    pub(crate) async fn account(&self) -> Result<(MarketFile, Account), Failure> {
        // The market first: without one no wallet helps.
        let file = self.market_file()?;
        let wallet = self.wallet()?;
        let market = open(&file).await?;
        market.chain().admit(&wallet).await?;
        Ok((file, Account::new(market, wallet, SendConfig::default())))
    }

    /// Market and wallet for reading: anybody may, so a wallet that is not there is nobody's.
    pub(crate) async fn reader(&self) -> Result<(MarketFile, Account), Failure> {
        let file = self.market_file()?;
        let is_named = self.keystore.is_some() || std::env::var_os(KEY_VARIABLE).is_some();
        let wallet = if is_named || self.keystore_path().exists() { self.wallet()? } else { Wallet::random() };
        Ok((file.clone(), Account::new(open(&file).await?, wallet, SendConfig::default())))
    }

    fn keystore_path(&self) -> PathBuf {
        self.keystore.clone().unwrap_or_else(|| self.home().join("keys/renter.json"))
    }
}

/// Opens the market that a description names.
pub(crate) async fn open(file: &MarketFile) -> Result<Market, Failure> {
    let chain = connect(&file.rpc).await?;
    if chain.id() != file.chain_id {
        return Err(Failure::Usage(format!(
            "{} serves chain {}, but the market lives on chain {}: correct the market description",
            file.rpc,
            chain.id(),
            file.chain_id
        )));
    }
    Ok(Market::open(chain, file.market).await?)
}

/// Connects to an endpoint.
pub(crate) async fn connect(rpc: &str) -> Result<Chain, Failure> {
    let url: Url = rpc.parse().map_err(|err| Failure::Usage(format!("{rpc:?} is no RPC address: {err}")))?;
    let config = if is_here(rpc) { ChainConfig::local(url) } else { ChainConfig::new(url) };
    Ok(Chain::connect(config).await?)
}

/// Whether an endpoint is on this machine.
pub(crate) fn is_here(rpc: &str) -> bool {
    let url: Option<Url> = rpc.parse().ok();
    url.is_some_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")))
}
