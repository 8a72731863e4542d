//! `bourse run`: quote, push, lock, follow, settle, fetch, verify; each step shown as it happens.

pub(crate) mod attend;
mod compare;
mod local;
pub(crate) mod prepare;
pub(crate) mod settle;
mod show;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use chain::Account;
use content::{BlockStore, Cid};
use market::{Amount, PerHour, Seconds, Status};
use renter::{Acting, Controller, FollowConfig, JobFile, Order, Quote, Renter, RenterConfig, Until};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wire::{JobSpec, MarketFile};

use crate::{
    answer::{self, Token},
    commands::status,
    failure::{Failure, REFUSED},
    settings::Settings,
    signals,
    ui::Ui,
};
use attend::{Attendance, Interrupt};
use prepare::Prepared;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What to run: a CID, an image archive (`docker save` or OCI layout), or a static binary.
    image: Option<String>,
    /// Job file; flags add to it. See docs/job-file.md.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Content below /inputs: NAME=PATH or NAME=CID. Repeatable. Everything published is public for ever.
    #[arg(long, value_name = "NAME=PATH")]
    input: Vec<String>,
    /// A word that the GPU's model must contain.
    #[arg(long)]
    gpu: Option<String>,
    /// Cards.
    #[arg(long)]
    gpus: Option<u16>,
    /// Processor threads [default: 1].
    #[arg(long)]
    cpus: Option<u16>,
    /// MiB of memory [default: 512].
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// MiB of disk [default: 1024].
    #[arg(long, value_name = "MIB")]
    disk: Option<u64>,
    /// Let the job reach the whole network; few providers do. Without it the job reaches nothing but what --allow names.
    #[arg(long, conflicts_with = "allow")]
    network: bool,
    /// A host that the job may reach, through the provider's proxy: NAME, NAME:PORT or *.NAME, ports 80 and 443 if none is
    /// said. Repeatable.
    #[arg(long, value_name = "HOST")]
    allow: Vec<String>,
    /// Accept simulated cards.
    #[arg(long)]
    simulated: bool,
    /// Pay no more than this for an hour, in whole tokens.
    #[arg(long, value_name = "TOKENS")]
    max_price: Option<String>,
    /// The longest the job may run, in seconds; the lock pays for that much [default: 3600].
    #[arg(long, value_name = "SECONDS")]
    max_duration: Option<u32>,
    /// Where the result is written [default: result-JOB].
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Compare the result with this folder, file by file, and fail when they differ.
    #[arg(long, value_name = "DIR")]
    expect_output: Option<PathBuf>,
    /// Wait for the job's receipt, verify it against the chain and keep it in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    receipt: Option<PathBuf>,
    /// Return once the clock runs. The gateway's watcher then lets the job start and counts the provider's beats. Where
    /// it has none nobody does until `bourse watch`: at worst the whole lock is paid to a provider that went away.
    #[arg(long)]
    detach: bool,
    /// Do not ask before money moves.
    #[arg(short, long)]
    yes: bool,
    /// Stop before anything is published or paid.
    #[arg(long)]
    dry_run: bool,
    /// What runs in the image instead of its own command.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// The same for somebody who only reads, and needs no wallet for it.
pub(crate) async fn reader(settings: &Settings) -> Result<(Renter, MarketFile), Failure> {
    let (file, account) = settings.reader().await?;
    Ok((of_account(settings, &file, account)?, file))
}

/// A renter of the market that the settings name.
pub(crate) async fn renter(settings: &Settings) -> Result<(Renter, MarketFile), Failure> {
    let (file, account) = settings.account().await?;
    Ok((of_account(settings, &file, account)?, file))
}

fn of_account(settings: &Settings, file: &MarketFile, account: Account) -> Result<Renter, Failure> {
    let mut follow = FollowConfig::default();
    if let Some(seconds) = settings.heartbeat {
        follow.heartbeat = Seconds(seconds);
    }
    let jobs_dir = settings.home().join("renter/jobs");
    let gateway = Settings::gateway(file)?;
    Ok(Renter::new(account, RenterConfig { jobs_dir, gateway, deployed_at: file.deployed_at, follow })?)
}

pub(crate) async fn run(args: Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let stop = signals::shutdown()?;
    let (renter, order) = match agreed(&args, settings, (ui, &stop)).await.map_err(Failure::refused)? {
        Agreed::Order(order) => *order,
        Agreed::Enough(code) => return Ok(code),
    };
    let placed = renter.create(&order).await?;
    let (id, spec) = (placed.job.id(), order.spec);
    ui.step("locked", format_args!("job {id} (tx {}, {} gas)", answer::short(&placed.mined.tx), placed.mined.gas_used));
    let ended = async {
        let attend = attend::attend(&renter, &placed.job, &spec, attendance(&args, &placed.job), (ui, &stop));
        // While it is looked after, what is due of earlier jobs is settled too.
        let (attended, ()) = tokio::join!(attend, super::finalize::earlier(&renter, ui));
        match attended? {
            None => return left(&renter, &placed.job, None, ui).await,
            Some(ending) if args.detach && ending.status.has_clock() => {
                return left(&renter, &placed.job, Some(ending.status), ui).await;
            }
            Some(ending) => {
                let wish = settle::Wish {
                    output: args.output.clone(),
                    expected: args.expect_output.clone(),
                    receipt: args.receipt.clone(),
                };
                settle::settled(&renter, id, &ending, &wish, (settings, ui)).await
            }
        }
    };
    ended.await.map_err(Failure::with_job(&answer::handle(id)))
}

/// What the renter does for a job that was ordered like this.
fn attendance(args: &Args, job: &JobFile) -> Attendance {
    let until = if args.detach { Until::Started } else { Until::Settled };
    match job.is_watched() {
        // It starts without its renter too.
        true => Attendance { until, acting: Acting::BesideWatcher, interrupt: Interrupt::Leaves },
        false => Attendance { until, acting: Acting::Fully, interrupt: Interrupt::Stops },
    }
}

/// The last word about a job that goes on alone.
async fn left(renter: &Renter, job: &JobFile, status: Option<Status>, ui: &Ui) -> Result<ExitCode, Failure> {
    let status = match status {
        Some(status) => status,
        None => renter.market().job(job.id()).await?.status,
    };
    let (id, short) = (job.id(), answer::handle(job.id()));
    let watched = job.is_watched();
    let answer = json!({ "job": id.to_string(), "status": status::name(status), "watched": watched });
    ui.answer(&answer, || match watched {
        true => format!(
            "{id} is {} and the gateway watches it; `bourse result {short}` tells how it ended, `bourse stop {short}` \
             ends it",
            status::name(status)
        ),
        false => format!("{id} runs unwatched; `bourse watch {short}` counts its beats, `bourse stop {short}` ends it"),
    });
    Ok(ExitCode::SUCCESS)
}

/// What comes of looking, previewing and asking.
enum Agreed {
    /// Everything is published; only the money is missing.
    Order(Box<(Renter, Order)>),
    /// It was only looked.
    Enough(ExitCode),
}

/// Everything before money moves.
async fn agreed(args: &Args, settings: &Settings, (ui, stop): (&Ui, &CancellationToken)) -> Result<Agreed, Failure> {
    let template = prepare::template(args)?;
    let (renter, _) = if args.dry_run { reader(settings).await? } else { renter(settings).await? };
    let token = Token::of(renter.market());
    let max_price = match &args.max_price {
        None => None,
        Some(text) => Some(PerHour(prepare::tokens(text, &token)?.0)),
    };
    let needs = prepare::needs(&template, max_price, args.simulated);
    let max_duration = Seconds(template.max_duration_seconds.into());
    let quote = renter.quote(&needs, max_duration).await?;
    let controller = controller(args, &renter, ui).await?;
    preview(&quote, controller, &token, ui);
    if args.dry_run || quote.shortfall().is_some() {
        return Ok(Agreed::Enough(stopped_short(args, &quote, &renter, ui)?));
    }
    if !args.yes && !ui.confirm(&format!("Lock {}?", token.show(quote.locked)))? {
        return Err(Failure::Usage("nothing was published or paid".into()));
    }
    let pushed = stop.run_until_cancelled(push(args, template, &renter, settings, ui)).await;
    let spec = pushed.ok_or_else(|| Failure::Usage("interrupted; nothing was paid".into()))??;
    Ok(Agreed::Order(Box::new((renter, Order { quote, spec, controller }))))
}

/// Who lets the job start: the gateway's watcher for who leaves, where there is one; else a key of this job's own.
async fn controller(args: &Args, renter: &Renter, ui: &Ui) -> Result<Controller, Failure> {
    if !args.detach {
        return Ok(Controller::Session);
    }
    if let Some(watcher) = renter.watcher().await? {
        return Ok(Controller::Watcher(watcher));
    }
    ui.warn("the gateway has no watcher that the market knows: nobody will count the provider's beats once you left");
    Ok(Controller::Session)
}

/// What would happen, before anything does.
fn preview(quote: &Quote, controller: Controller, token: &Token, ui: &Ui) {
    let hardware = &quote.offer.hardware;
    let cards = match (hardware.gpus, hardware.simulated) {
        (0, _) => String::new(),
        (gpus, true) => format!("{gpus} simulated × {}, ", hardware.vram),
        (gpus, false) => format!("{gpus} × {}, ", hardware.vram),
    };
    let made_of = format!("{cards}{} CPUs, {} memory, {} disk", hardware.cpus, hardware.memory, hardware.disk);
    ui.step("chosen", format_args!("{} ({made_of})", hardware.model));
    ui.step(
        "price",
        format_args!(
            "{} an hour; at most {} for {}, of which the platform keeps {} %; unused seconds come back",
            token.show(Amount(quote.offer.price.0)),
            token.show(quote.locked),
            quote.max_duration,
            f64::from(quote.fee.0) / 100.0,
        ),
    );
    ui.step("wallet", format_args!("holds {}", token.show(quote.balance)));
    match controller {
        Controller::Session => {
            ui.note("a session key made for this job lets the clock start and may stop it; nothing is ever paid to it");
        }
        Controller::Watcher(watcher) => ui.note(format_args!(
            "the gateway's watcher {watcher} lets the clock start, counts beats and may stop the job; nothing is ever \
             paid to it, and you may leave"
        )),
    }
    ui.note("image, inputs, log and result become public, for ever");
}

fn stopped_short(args: &Args, quote: &Quote, renter: &Renter, ui: &Ui) -> Result<ExitCode, Failure> {
    let token = Token::of(renter.market());
    if let Some(short) = quote.shortfall() {
        let tokens = |amount: Amount| amount.in_tokens(token.decimals);
        let short = renter::RenterError::TooLittleMoney {
            wallet: renter.account().address().to_string(),
            have: tokens(short.have),
            need: tokens(short.need),
            missing: tokens(short.missing),
            symbol: token.symbol.clone(),
        };
        if !args.dry_run {
            return Err(short.into());
        }
        ui.warn(short);
    }
    let answer = json!({
        "dryRun": true, "resource": quote.offer.id.to_string(), "pricePerHour": quote.offer.price.0.to_string(),
        "locked": quote.locked.to_string(), "missing": quote.shortfall().map(|short| short.missing.to_string()),
    });
    ui.answer(&answer, || "nothing was published or paid".into());
    Ok(if quote.shortfall().is_some() { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
}

/// Publishes image, inputs and spec, and gives the spec that the job is bound to.
async fn push(
    args: &Args,
    template: renter::JobTemplate,
    renter: &Renter,
    settings: &Settings,
    ui: &Ui,
) -> Result<JobSpec, Failure> {
    let store = open_store(settings).await?;
    let Prepared { template, roots } = prepare::content(args, template, &store, ui).await?;
    let spec = template.spec()?;
    for (what, root) in roots {
        push_root(renter, &store, what, &root, ui).await?;
    }
    let cid = Renter::publishable(&store, &spec)?;
    push_root(renter, &store, "spec", &cid, ui).await?;
    Ok(spec)
}

/// Pushes one DAG with a bar, and says its name.
pub(crate) async fn push_root(
    renter: &Renter,
    store: &Arc<BlockStore>,
    what: &'static str,
    root: &Cid,
    ui: &Ui,
) -> Result<(), Failure> {
    let bar = ui.bar(what);
    let drawn = bar.clone();
    renter
        .push(store, root, move |progress| {
            drawn.set_length(progress.total_bytes.unwrap_or(progress.bytes));
            drawn.set_position(progress.bytes);
        })
        .await?;
    bar.finish_and_clear();
    let size = content::total_size(store, root)?;
    ui.step(
        "pushed",
        format_args!("{what:<8} {root} ({} in {})", answer::bytes(size.bytes), answer::count(size.blocks, "block")),
    );
    Ok(())
}

/// The renter's own blocks. Another `bourse` that uses them is waited for.
pub(crate) async fn open_store(settings: &Settings) -> Result<Arc<BlockStore>, Failure> {
    /// Tries, half a second apart: long enough for a push of gigabytes by another call.
    const TRIES: u32 = 1200;
    let dir = settings.home().join("renter/content");
    for _ in 0..TRIES {
        match BlockStore::open(&dir, content::StoreConfig::default()) {
            Err(content::Error::StoreLocked { .. }) => tokio::time::sleep(std::time::Duration::from_millis(500)).await,
            opened => return Ok(Arc::new(opened?)),
        }
    }
    Err(content::Error::StoreLocked { path: dir }.into())
}
