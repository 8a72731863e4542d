//! `bourse dispute resolve`: a judge's verdict, with its report.

use std::process::ExitCode;

use chain::{Account, SendConfig};
use market::{Status, Verdict};
use oracle::disputes::{self, Report};
use serde_json::json;

use super::{Job, agreed};
use crate::{
    answer::{self, Token},
    commands::status,
    failure::Failure,
    keys,
    settings::Settings,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    job: Job,
    /// Decide otherwise than the published table: renter, split or provider.
    #[arg(long, value_name = "WHO", value_parser = verdict)]
    verdict: Option<Verdict>,
    /// Why, for everybody to read; needed with a verdict of your own.
    #[arg(long, value_name = "WORDS", default_value = "")]
    because: String,
    /// Show the report and the verdict, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

fn verdict(text: &str) -> Result<Verdict, String> {
    match text {
        "renter" => Ok(Verdict::Renter),
        "split" => Ok(Verdict::Split),
        "provider" => Ok(Verdict::Provider),
        _ => Err("known are renter, split and provider".into()),
    }
}

pub(crate) async fn resolve(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, market) = settings.market().await?;
    let (job, terms) = agreed(&args.job, settings, (&file, &market)).await?;
    let state = market.job(job).await?;
    if state.status != Status::Disputed {
        let (name, open) = (status::name(state.status), status::open(&state));
        return Err(Failure::Usage(format!("job {} is {name}, not disputed; {open}", answer::job(job))));
    }
    if args.verdict.is_some() && args.because.is_empty() {
        return Err(Failure::Usage("a verdict other than the table's needs --because WORDS".into()));
    }
    let judge = account(settings, market)?;
    let facts = facts(&judge, job, settings, &file).await?;
    let report = Report::new(judge.market(), job, facts, args.verdict, &args.because);
    let signed = report.sign(judge.wallet(), &judge.market().domain())?;
    let evidence = signed.save(&settings.home().join("reports"))?;
    let verdict = report.verdict();
    ui.step("report", format_args!("{} (in {})", evidence, settings.home().join("reports").display()));
    let tx = match args.dry_run {
        true => None,
        false => Some(judge.resolve_dispute(&terms, verdict.share(), &evidence).await?),
    };
    let returned = tx.as_ref().map(|mined| status::refunded(&mined.events)).unwrap_or_default();
    let answer = json!({
        "job": job.to_string(), "providerBps": verdict.share().0, "evidence": evidence, "report": report.document(),
        "returned": returned.to_string(), "tx": tx.as_ref().map(|mined| mined.tx.to_string()),
    });
    ui.answer(&answer, || {
        let (share, why) = (verdict.share().0 / 100, report.why());
        let done = match &tx {
            Some(mined) => {
                let returned = Token::of(judge.market()).show(returned);
                format!("{returned} came back to the renter (tx {})", answer::short(&mined.tx))
            }
            None => "nothing was sent".into(),
        };
        format!("job {}: the provider keeps {share} % of the pot ({why}); {done}", answer::job(job))
    });
    Ok(ExitCode::SUCCESS)
}

/// What the chain shows and, where the market's gateway is known, what the provider left there.
async fn facts(
    judge: &Account,
    job: market::JobId,
    settings: &Settings,
    file: &wire::MarketFile,
) -> Result<disputes::Facts, Failure> {
    let Some(gateway) = file.gateway.as_deref().and_then(|gateway| gateway.parse().ok()) else {
        return Ok(disputes::gather(judge.market(), job, file.deployed_at, None).await?);
    };
    let fetcher = content::Fetcher::new(vec![gateway], content::FetchConfig::default())?;
    let store = super::super::run::open_store(settings).await?;
    let published = disputes::Published { fetcher: &fetcher, store: &store };
    Ok(disputes::gather(judge.market(), job, file.deployed_at, Some(published)).await?)
}

/// The judge's key below the home folder; a market of `bourse up` is judged by its deployer.
fn account(settings: &Settings, market: chain::Market) -> Result<Account, Failure> {
    let home = settings.home();
    let name = if home.join("keys/judge.json").exists() { "judge" } else { "deployer" };
    let key = keys::one(&home, name, &keys::home_password(settings)?)?;
    Ok(Account::new(market, key, SendConfig::default()))
}
