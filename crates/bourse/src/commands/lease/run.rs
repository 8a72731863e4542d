//! `bourse lease run IMAGE -- COMMAND`: preview, deposit, a voucher a tick, and the rest back.

use std::{path::Path, process::ExitCode};

use alloy_primitives::B256;
use market::{Amount, Needs, PerHour, ResourceId, Seconds};
use renter::{LeaseClient, LeasePreview, Quote, Renter};
use serde_json::json;
use wire::{
    JobSpec, Network,
    http::{LeaseBody, LeaseJson},
};

use super::attend::{attend, refund_json, refunded};
use crate::{
    answer::{self, Token},
    commands::run::{open_store, prepare, push_root, renter},
    failure::{Failure, JOB_FAILED},
    settings::Settings,
    signals,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What to run: a CID, an image archive (`docker save` or OCI layout), or a static binary.
    image: String,
    /// Cards.
    #[arg(long, default_value_t = 0)]
    gpus: u16,
    /// A word that the card's model must contain, such as h100. One card when --gpus is not given.
    #[arg(long, value_name = "MODEL")]
    gpu: Option<String>,
    /// MiB of memory of one card.
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    vram: u64,
    /// Processor threads.
    #[arg(long, default_value_t = 1)]
    cpus: u16,
    /// MiB of memory.
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    memory: u64,
    /// MiB of disk, outputs included.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    disk: u64,
    /// Accept simulated cards.
    #[arg(long)]
    simulated: bool,
    /// Highest price of an hour, in whole tokens.
    #[arg(long, value_name = "TOKENS")]
    max_price: Option<String>,
    /// The longest that it is paid for, in seconds. The deposit covers it.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    max_duration: u32,
    /// Begin in the workspace of this lease, which was opened here with the same image, command and sizes and has been over
    /// for less than a day.
    #[arg(long, value_name = "ID")]
    resume: Option<String>,
    /// Do not ask before money moves.
    #[arg(short, long)]
    yes: bool,
    /// Show what would happen; publish and pay nothing.
    #[arg(long)]
    dry_run: bool,
    /// What runs in the image instead of its own command.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) async fn run(args: Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let stop = signals::shutdown()?;
    let (renter, _) = renter(settings).await?;
    let token = Token::of(renter.market());
    let store = open_store(settings).await?;
    let (image, is_new) = match args.image.parse::<content::Cid>() {
        Ok(cid) => (cid, false),
        Err(_) => (prepare::import(Path::new(&args.image), &store, ui).await?, true),
    };
    let spec = spec(&args, &image)?;
    let client = super::client(settings).await?;
    let (resume, on) = former(&client, settings, args.resume.as_deref()).await?;
    let quote = quote(&args, (&spec, on), &renter, &token).await?;
    let body = LeaseBody {
        spec,
        resource_id: Some(quote.offer.id.0.into()),
        max_duration_s: Some(args.max_duration),
        max_price: None,
        simulated: args.simulated,
        resume,
    };
    let preview = client.preview(&body).await.map_err(|err| Failure::refused(err.into()))?;
    let deposit = deposit(&preview, &quote);
    show(&quote, &preview, deposit, &token, ui);
    let missing = Amount(deposit.unwrap_or(0)).saturating_sub(quote.balance);
    if missing > Amount::ZERO {
        ui.warn(format_args!("the wallet lacks {} of the deposit", token.show(missing)));
    }
    if args.dry_run {
        let answer = dry(&quote, &preview, deposit, missing);
        ui.answer(&answer, || "nothing was published or paid".into());
        return Ok(ExitCode::SUCCESS);
    }
    if missing > Amount::ZERO {
        return Err(Failure::refused(Failure::Usage("put that much into the wallet and try again".into())));
    }
    if !args.yes
        && !ui.confirm(&format!("Deposit {} and pay by the tick?", token.show(Amount(deposit.unwrap_or(0)))))?
    {
        return Err(Failure::Usage("nothing was published or paid".into()));
    }
    if is_new {
        push_root(&renter, &store, "image", &image, ui).await?;
    }
    let mut lease = client.open(&body, &preview, deposit).await?;
    super::save(settings, &lease)?;
    let short = answer::short(&lease.id);
    ui.step("leased", format_args!("{} for ticks of {} s", lease.id, lease.tick_s));
    if lease.price > quote.offer.price.0 {
        client.stop(&lease).await?;
        return Err(Failure::Usage(format!(
            "lease {short} is stopped: it costs {} an hour, not {} as listed",
            token.show(Amount(lease.price)),
            token.show(Amount(quote.offer.price.0))
        )));
    }
    let ended = attend(&client, &mut lease, args.max_duration, (settings, ui, &stop)).await;
    let ended = ended.inspect_err(|_| {
        ui.warn(format_args!(
            "without ticks lease {} ends by itself; `bourse lease stop` with its id ends it now and takes the rest back",
            lease.id
        ));
    })?;
    let result = client.result(&lease).await?;
    let refund = refunded(&client, &mut lease, ui).await;
    let code = result.exit_code;
    let answer = json!({ "lease": ended, "result": result, "refund": refund.as_ref().map(refund_json) });
    ui.answer(&answer, || summary(&ended, &short, refund.as_ref(), &token));
    Ok(if code == Some(0) { ExitCode::SUCCESS } else { ExitCode::from(JOB_FAILED) })
}

/// What a dry run answers.
fn dry(quote: &Quote, preview: &LeasePreview, deposit: Option<u128>, missing: Amount) -> serde_json::Value {
    json!({
        "dryRun": true, "resource": quote.offer.id.to_string(), "pricePerHour": quote.offer.price.0.to_string(),
        "setup": preview.setup.to_string(), "deposit": deposit.unwrap_or(0).to_string(),
        "missing": (missing > Amount::ZERO).then(|| missing.to_string()),
    })
}

/// How it ended, for people.
pub(super) fn summary(ended: &LeaseJson, short: &str, refund: Option<&renter::LeaseRefund>, token: &Token) -> String {
    let why = ended.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let back = match refund {
        Some(refund) => format!("{} came back", token.show(Amount(refund.amount))),
        None => "the rest of the channel comes back when its provider closes it".into(),
    };
    format!("{short} is over{why}: {} s ran and cost {}; {back}", ended.served_s, answer::money(&ended.earned, token))
}

/// What runs, as it is told to the gateway.
fn spec(args: &Args, image: &content::Cid) -> Result<JobSpec, Failure> {
    let (command, rest) = args.command.split_at(args.command.len().min(1));
    let gpus = if args.gpu.is_some() { args.gpus.max(1) } else { args.gpus };
    let spec = JobSpec {
        version: wire::spec::VERSION,
        image: image.to_string(),
        command: command.to_vec(),
        args: rest.to_vec(),
        env: std::collections::BTreeMap::new(),
        inputs: Vec::new(),
        outputs: true,
        resources: wire::spec::Needs {
            gpu: args.gpu.clone(),
            gpus,
            vram_mib: args.vram,
            cpus: args.cpus,
            memory_mib: args.memory,
            disk_mib: args.disk,
        },
        network: Network::None,
    };
    spec.check()?;
    Ok(spec)
}

/// The lease that is gone on from, if one is, and the resource where its workspace is kept.
async fn former(
    client: &LeaseClient,
    settings: &Settings,
    name: Option<&str>,
) -> Result<(Option<B256>, Option<ResourceId>), Failure> {
    let Some(name) = name else { return Ok((None, None)) };
    let lease = super::load(settings, name)?;
    let shown = client.show(&lease).await?;
    Ok((Some(lease.id), Some(ResourceId(shown.resource_id.0))))
}

/// The cheapest that fits, and what the longest time would cost.
async fn quote(
    args: &Args,
    (spec, on): (&JobSpec, Option<ResourceId>),
    renter: &Renter,
    token: &Token,
) -> Result<Quote, Failure> {
    let max_price = args.max_price.as_deref().map(|text| prepare::tokens(text, token)).transpose()?;
    let needs = Needs {
        id: on,
        max_price: max_price.map(|amount| PerHour(amount.0)),
        simulated: args.simulated,
        ..spec.needs()
    };
    let quote = renter.quote(&needs, Seconds(args.max_duration.into())).await;
    quote.map_err(|err| Failure::refused(err.into()))
}

/// What is put into the channel: nothing where enough is in it for the longest time.
fn deposit(preview: &LeasePreview, quote: &Quote) -> Option<u128> {
    let wanted = preview.setup.saturating_add(quote.locked.0);
    let missing = wanted.saturating_sub(preview.at_hand);
    (missing > 0).then(|| missing.max(preview.min_deposit))
}

/// What would happen, before anything does.
fn show(quote: &Quote, preview: &LeasePreview, deposit: Option<u128>, token: &Token, ui: &Ui) {
    ui.step("chosen", format_args!("{} ({})", quote.offer.hardware.model, quote.offer.id));
    ui.step(
        "price",
        format_args!(
            "{} an hour by the second, and {} to set up; at most {} for {}",
            token.show(Amount(quote.offer.price.0)),
            token.show(Amount(preview.setup)),
            token.show(Amount(preview.setup + quote.locked.0)),
            quote.max_duration,
        ),
    );
    match deposit {
        Some(amount) => ui.step(
            "deposit",
            format_args!(
                "{} into a channel to {}; what is not used comes back",
                token.show(Amount(amount)),
                preview.receiver
            ),
        ),
        None => ui.step(
            "channel",
            format_args!("holds {} already; nothing is deposited", token.show(Amount(preview.at_hand))),
        ),
    }
    ui.step("wallet", format_args!("holds {}", token.show(quote.balance)));
    ui.note(
        "there is no escrow and no dispute: each tick is paid just before it runs, and whoever stops paying is stopped",
    );
    ui.note("image, log and result become public, for ever");
}
