//! `bourse dispute …`: what was earned last can be disputed, and a judge decides.

mod judge;

use std::process::ExitCode;

use alloy_primitives::B256;
use chain::{Account, Market, MarketEvent, SendConfig};
use clap::Subcommand;
use market::{JobId, Status};
use serde_json::json;
use wire::{MarketFile, Terms};

use super::status;
use crate::{
    answer::{self, Token},
    failure::Failure,
    keys,
    settings::Settings,
    ui::Ui,
};

/// Disputes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Dispute what was earned last, as renter or provider; ends a job that runs. Costs a bond, lost only on a wholly
    /// adverse verdict.
    Open(Open),
    /// Show a dispute: what it is about, and how it was decided.
    Show(Job),
    /// Decide a dispute, as a judge: by the published table, or with a verdict of your own.
    Resolve(judge::Args),
    /// Settle half and half what no judge decided in seven days. Anybody may.
    Settle(Job),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Open {
    #[command(flatten)]
    job: Job,
    /// What is wrong, for everybody to read.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// As the provider that lives in this home folder.
    #[arg(long)]
    provider: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Job {
    /// The job's id; its first digits do for one that was made here.
    #[arg(value_name = "JOB", value_parser = answer::typed)]
    job: String,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Open(args) => open(&args, settings, ui).await,
            Self::Show(args) => show(&args, settings, ui).await,
            Self::Resolve(args) => judge::resolve(&args, settings, ui).await,
            Self::Settle(args) => settle(&args, settings, ui).await,
        }
    }
}

async fn open(args: &Open, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, mut account) = settings.account().await?;
    if args.provider {
        let key = keys::one(&settings.home(), "owner", &keys::home_password(settings)?)?;
        account = Account::new(account.market().clone(), key, SendConfig::default());
    }
    let (job, terms) = agreed(&args.job, settings, (&file, account.market())).await?;
    let mined = renter::dispute(&account, &terms, &args.reason).await?;
    let token = Token::of(account.market());
    let opened = mined.events.iter().find_map(|event| match event {
        MarketEvent::JobDisputed { pot, bond, .. } => Some((*pot, *bond)),
        _ => None,
    });
    let (pot, bond) = opened.unwrap_or_default();
    let answer = json!({
        "job": job.to_string(), "pot": pot.to_string(), "bond": bond.to_string(), "tx": mined.tx.to_string(),
    });
    ui.answer(&answer, || {
        let (pot, bond) = (token.show(pot), token.show(bond));
        format!(
            "job {} is disputed over {pot}, with a bond of {bond} (tx {})",
            answer::job(job),
            answer::short(&mined.tx)
        )
    });
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &Job, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, account) = settings.reader().await?;
    let market = account.market();
    let (job, _) = agreed(args, settings, (&file, market)).await?;
    let state = market.job(job).await?;
    let dispute = market.dispute(job).await?;
    let Some(dispute) = dispute else {
        let open = status::open(&state);
        return Err(Failure::Usage(format!("job {} was never disputed; {open}", answer::job(job))));
    };
    let history = market.history(job, file.deployed_at, None).await?;
    let mut reason = None;
    let mut verdict = None;
    for (_, logged) in &history {
        match &logged.event {
            MarketEvent::JobDisputed { reason: words, .. } => reason = Some(words.clone()),
            MarketEvent::DisputeResolved { provider, returned, from_cover, evidence, .. } => {
                verdict = Some((provider.0, *returned, *from_cover, evidence.clone()));
            }
            _ => {}
        }
    }
    let token = Token::of(market);
    let answer = json!({
        "job": job.to_string(), "status": status::name(state.status), "opener": dispute.opener.to_string(),
        "openedAt": answer::when(dispute.opened_at), "pot": dispute.pot.to_string(), "bond": dispute.bond.to_string(),
        "reason": reason,
        "verdict": verdict.as_ref().map(|(share, returned, from_cover, evidence)| json!({
            "providerBps": share, "returned": returned.to_string(), "fromCover": from_cover.to_string(),
            "evidence": evidence,
        })),
    });
    ui.answer(&answer, || {
        let decided = match &verdict {
            Some((share, returned, from_cover, evidence)) => format!(
                "the provider keeps {} %; {} came back to the renter, {} of it from stake; evidence {}",
                share / 100,
                token.show(*returned),
                token.show(*from_cover),
                if evidence.is_empty() { "none: nobody decided in time" } else { evidence.as_str() }
            ),
            None => status::open(&state),
        };
        format!(
            "job      {job}\nopened   {} by {}\nabout    {}\nreason   {}\nverdict  {decided}",
            answer::when(dispute.opened_at),
            dispute.opener,
            token.show(dispute.pot),
            crate::ui::tame(reason.as_deref().unwrap_or_default()),
        )
    });
    Ok(ExitCode::SUCCESS)
}

async fn settle(args: &Job, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, account) = settings.account().await?;
    let (job, terms) = agreed(args, settings, (&file, account.market())).await?;
    let state = account.market().job(job).await?;
    if state.status != Status::Disputed {
        let (name, open) = (status::name(state.status), status::open(&state));
        return Err(Failure::Usage(format!("job {} is {name}, not disputed; {open}", answer::job(job))));
    }
    let mined = account.settle_dispute(&terms).await?;
    let returned = status::refunded(&mined.events);
    let answer = json!({ "job": job.to_string(), "returned": returned.to_string(), "tx": mined.tx.to_string() });
    ui.answer(&answer, || {
        let returned = Token::of(account.market()).show(returned);
        format!("job {} is settled half and half; {returned} came back to the renter", answer::job(job))
    });
    Ok(ExitCode::SUCCESS)
}

/// A job and its terms: from the file of one that was made here, else from the chain.
async fn agreed(
    args: &Job,
    settings: &Settings,
    (file, market): (&MarketFile, &Market),
) -> Result<(JobId, Terms), Failure> {
    if let Ok(jobs) = renter::JobFiles::open(&settings.home().join("renter/jobs"))
        && let Ok(job) = jobs.find(&args.job)
    {
        return Ok((job.id(), job.terms()?));
    }
    let id: B256 = args.job.parse().map_err(|_| {
        Failure::Usage(format!("{} is no job that was made here: give the whole id, 0x and 64 digits", args.job))
    })?;
    let job = JobId(id.0);
    let history = market.history(job, file.deployed_at, None).await?;
    let terms = history.into_iter().find_map(|(_, logged)| match logged.event {
        MarketEvent::JobCreated { terms, .. } => Some(*terms),
        _ => None,
    });
    let unknown = || Failure::Usage(format!("market {} knows no job {job}", market.address()));
    Ok((job, terms.ok_or_else(unknown)?))
}
