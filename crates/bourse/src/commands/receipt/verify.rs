//! `bourse receipt verify FILE|NID|JOB`: the chain's word against a receipt's, line by line.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use chain::{Market, Register};
use market::{JobId, Status};
use renter::GatewayClient;
use tokio::time::Instant;
use wire::{
    MarketFile,
    receipt::{Receipt, ReceiptKind, Trust, TrustedMarket, Verification},
};

use super::Named;
use crate::{
    answer,
    commands::login,
    failure::Failure,
    settings::Settings,
    ui::{Ui, tame},
};

/// The largest receipt and trust file that is read; real ones have a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How often is looked whether a receipt that is waited for has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A receipt's file, its NID, or a job: then its last receipt. Only a file needs no gateway.
    #[arg(value_name = "FILE|NID|JOB", value_parser = answer::typed)]
    what: String,
    /// Whom you believe: markets and recorders, in a file of your own [default: those of the market description].
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Wait so long for a receipt that is not there, or not committed for good, yet.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

/// Where a receipt comes from.
enum Source {
    Here(Box<Receipt>),
    Gateway(GatewayClient, Named),
}

/// What a receipt is held against.
struct Verifier {
    file: MarketFile,
    market: Market,
    trust: Trust,
}

pub(crate) async fn verify(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let path = Path::new(&args.what);
    let named = if path.is_file() { None } else { Some(Named::read(&args.what, settings)?) };
    let (file, market) = settings.market().await?;
    let source = match named {
        None => Source::Here(Box::new(read(path, "a receipt")?)),
        Some(named) => Source::Gateway(login::client(settings, &file)?, named),
    };
    let trust = match &args.trust {
        Some(path) => read(path, "a trust file")?,
        None => {
            ui.note(format_args!(
                "believing the market, register and recorders of {}; --trust names your own",
                settings.market_path().display()
            ));
            trusted(&file)?
        }
    };
    let verifier = Verifier { file, market, trust };
    let (_, verification) = verifier.patiently(&source, Duration::from_secs(args.wait)).await?;
    ui.answer(&verification, || text(&verification));
    Ok(if verification.verified { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A job's last receipt, held against the market of the description, once it is there or its time is over.
pub(super) async fn last_of(
    job: JobId,
    client: GatewayClient,
    (file, market): (MarketFile, Market),
    wait: Duration,
) -> Result<(Receipt, Verification), Failure> {
    let trust = trusted(&file)?;
    Verifier { file, market, trust }.patiently(&Source::Gateway(client, Named::Job(job)), wait).await
}

impl Verifier {
    /// Checks what is there, again and again while it could still come to be true.
    async fn patiently(&self, source: &Source, wait: Duration) -> Result<(Receipt, Verification), Failure> {
        let due = Instant::now() + wait;
        loop {
            let looked = self.once(source).await;
            let may_come = match &looked {
                Ok((_, found, is_last)) => !is_last || (!found.verified && failing(found) == Some("commit")),
                Err(Failure::Usage(_)) => true,
                Err(Failure::Renter(err)) => err.is_retryable(),
                Err(_) => false,
            };
            if !may_come || Instant::now() >= due {
                return looked.map(|(receipt, verification, _)| (receipt, verification));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Checks the receipt that is there now, and says whether no later one is to be expected.
    async fn once(&self, source: &Source) -> Result<(Receipt, Verification, bool), Failure> {
        match source {
            Source::Here(receipt) => Ok((Receipt::clone(receipt), self.check(receipt).await?, true)),
            Source::Gateway(client, named) => {
                let receipt = named.fetch(client).await?.ok_or_else(|| named.missing())?;
                let is_last = match named {
                    Named::Nid(_) => true,
                    Named::Job(job) => {
                        receipt.document.event_type != ReceiptKind::JobSubmitted || !self.will_complete(*job).await?
                    }
                };
                let verification = self.check(&receipt).await?;
                Ok((receipt, verification, is_last))
            }
        }
    }

    /// A job that ran gets a second receipt when everything is settled.
    async fn will_complete(&self, job: JobId) -> Result<bool, Failure> {
        Ok(!matches!(self.market.job(job).await?.status, Status::None | Status::Cancelled))
    }

    /// Asks the endpoint of the market description: about the market that is believed where the receipt names one that
    /// is, else about the described one, which shows what is wrong.
    async fn check(&self, receipt: &Receipt) -> Result<Verification, Failure> {
        let named = (receipt.document.chain_id, receipt.document.market);
        let believed = self.trust.markets.iter().find(|market| (market.chain_id, market.market) == named);
        let chain = self.market.chain();
        let register = believed.map(|market| market.register).or(self.file.register).ok_or_else(no_register)?;
        let register = Register::open(chain.clone(), register).await?;
        let (market, deployed_at) = match believed {
            Some(other) if other.market != self.file.market => (Market::open(chain.clone(), other.market).await?, 0),
            _ => (self.market.clone(), self.file.deployed_at),
        };
        Ok(oracle::receipts::verify(receipt, &market, &register, deployed_at, &self.trust).await?)
    }
}

/// Whom the market description names.
fn trusted(file: &MarketFile) -> Result<Trust, Failure> {
    let register = file.register.ok_or_else(no_register)?;
    let market = TrustedMarket { chain_id: file.chain_id, market: file.market, register };
    Ok(Trust { markets: vec![market], recorders: file.recorders.clone() })
}

fn no_register() -> Failure {
    Failure::Usage(
        "the market description names no register: add \"register\" and \"recorders\", or name a trust file with --trust"
            .into(),
    )
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let size = std::fs::metadata(path).map_err(Failure::file(path))?.len();
    if size > FILE_BYTES_MAX {
        return Err(Failure::Usage(format!("{} has {size} bytes, which is no {what}", path.display())));
    }
    let bytes = std::fs::read(path).map_err(Failure::file(path))?;
    serde_json::from_slice(&bytes).map_err(|err| Failure::Usage(format!("{} is not {what}: {err}", path.display())))
}

/// The first line that does not hold.
pub(super) fn failing(verification: &Verification) -> Option<&str> {
    verification.lines.iter().find(|line| !line.holds).map(|line| line.name.as_str())
}

fn text(verification: &Verification) -> String {
    let mut lines: Vec<String> = verification
        .lines
        .iter()
        .map(|line| format!("{} {:<9} {}", if line.holds { '✓' } else { '✗' }, tame(&line.name), tame(&line.detail)))
        .collect();
    lines.push(match failing(verification) {
        None if verification.verified => "verified".into(),
        None => "FAILED".into(),
        Some(name) => format!("FAILED at {}", tame(name)),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use wire::receipt::VerifiedLine;

    use super::*;

    #[test]
    fn the_last_line_is_the_verdict() {
        let line = |name: &str, holds| VerifiedLine { name: name.into(), holds, detail: "so\u{1b}[8m".into() };
        let check = |lines: Vec<VerifiedLine>| {
            let verified = lines.iter().all(|line| line.holds);
            text(&Verification { nid: "n".into(), verified, lines })
        };
        assert_eq!(check(vec![line("document", true)]), "✓ document  so\\u{1b}[8m\nverified");
        let failed = check(vec![line("document", true), line("cost", false), line("record", false)]);
        assert!(failed.ends_with("\n✗ record    so\\u{1b}[8m\nFAILED at cost"), "{failed}");
        assert_eq!(text(&Verification { nid: "n".into(), verified: false, lines: Vec::new() }), "FAILED");
    }

    #[test]
    fn a_market_without_a_register_trusts_nobody() {
        let text = r#"{"rpc":"http://127.0.0.1:1","chainId":1,"market":"0x0000000000000000000000000000000000000001",
            "token":"0x0000000000000000000000000000000000000002","deployedAt":0,"gateway":null}"#;
        let mut file: MarketFile = serde_json::from_str(text).unwrap();
        assert!(trusted(&file).unwrap_err().to_string().contains("--trust"));
        file.register = Some(file.token);
        assert_eq!(trusted(&file).unwrap().markets[0].register, file.token);
    }
}
