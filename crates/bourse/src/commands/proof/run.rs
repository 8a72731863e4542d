//! `bourse proof run`: this machine asks one of its own cards, times it and checks the answer.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use chain::Wallet;
use gpu::{Adapter, Device, GpuConfig, Kind};
use jiff::Timestamp;
use proof::{
    Answer, AuditConfig, COLUMNS, CardFacts, Challenge, Key, Moment, ProofError, Prover, Report, Session, Shape,
    SignedChallenge, report::ReportDocument,
};

use super::{last_word, lines, per_second};
use crate::{failure::Failure, settings::Settings, ui::Ui};

/// What a card is tried with before it is challenged: enough to see its speed to a digit, and to have it awake.
const TRIAL_SIZE: u32 = 512;
/// The deadline, where nobody knows what peers take: long after this, the card hangs.
const DEADLINE_MS: u32 = 120_000;
/// Matrices that a card is asked to hold at once, where nobody knows its memory: fewer than its longest buffer suggests.
const MATRICES: u64 = 3;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// Which card, as `bourse proof run --list` counts them.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    card: usize,
    /// Show the cards of this machine and what is known of them, and stop.
    #[arg(long)]
    list: bool,
    /// Rows of each matrix, a multiple of 64 [default: what takes this card a quarter of a second].
    #[arg(long, value_name = "ROWS")]
    size: Option<u32>,
    /// Products in the chain, up to 8.
    #[arg(long, value_name = "COUNT", requires = "size", default_value_t = 4)]
    rounds: u32,
    /// Columns that are opened. Who left out a part d of the work passes with a chance of (1-d)^COUNT.
    #[arg(long, value_name = "COUNT", default_value_t = COLUMNS)]
    columns: u32,
    /// Milliseconds until the root must be there.
    #[arg(long, value_name = "MS", default_value_t = DEADLINE_MS)]
    deadline: u32,
    /// Count processors that pretend to be cards (Mesa's llvmpipe) too: to try this without a card.
    #[arg(long)]
    software: bool,
    /// Write the report here, to keep, and for `bourse proof verify`.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let market = settings.market_file().ok().map_or((0, Address::ZERO), |file| (file.chain_id, file.market));
    let ui = *ui;
    // A card keeps a thread waiting.
    let done = tokio::task::spawn_blocking(move || {
        let config = GpuConfig { software: args.software, ..GpuConfig::default() };
        if args.list { Ok(list(&config, ui)) } else { prove(&args, market, &config, ui) }
    });
    done.await.map_err(|error| Failure::Io(error.into()))?
}

fn list(config: &GpuConfig, ui: Ui) -> ExitCode {
    let inventory = gpu::inventory(config);
    for finding in &inventory.findings {
        let said: Vec<_> = finding.said.iter().map(|(source, said)| format!("{}: {said}", source.name())).collect();
        ui.warn(format_args!("sources contradict each other about the {}: {}", finding.what, said.join(", ")));
    }
    let adapters = gpu::adapters(config);
    for (number, adapter) in adapters.iter().enumerate() {
        ui.say(format_args!("--card {number}: {} ({})", adapter.record.model, adapter.record.driver));
    }
    ui.answer(&inventory, || {
        let card = |card: &gpu::Card| {
            let place = card.address.map_or_else(|| "no address".into(), |address| address.to_string());
            let rated = if card.rated { "rated" } else { "unrated" };
            crate::ui::tame(&format!("{place:<12} {} ({rated}; {})", card.model, card.driver))
        };
        let cards: Vec<String> = inventory.cards.iter().map(card).collect();
        if cards.is_empty() { "no card".into() } else { cards.join("\n") }
    });
    ExitCode::SUCCESS
}

fn prove(args: &Args, market: (u64, Address), config: &GpuConfig, ui: Ui) -> Result<ExitCode, Failure> {
    let asked = args.size.map(|size| Shape::new(size, args.rounds)).transpose()?;
    let adapters = gpu::adapters(config);
    let adapter = adapters.get(args.card).ok_or_else(|| {
        let advice = "a Vulkan or Metal driver is needed; --software tries it on the processor";
        Failure::Usage(format!("there is no card {} here, but {} in all: {advice}", args.card, adapters.len()))
    })?;
    let device = Device::open(adapter, config)?;
    let shape = match asked {
        Some(shape) => shape,
        None => fitted(&device)?,
    };
    let software = if adapter.record.kind == Kind::Software { " (software)" } else { "" };
    let name = format!("{}{software}", device.name());
    ui.step("card", &name);
    ui.step("challenge", format_args!("{} products of size {}", shape.rounds(), shape.size()));
    let (session, oracle) = session(args, market, shape, adapter, &device)?;
    let (Some(document), Some(verdict)) = (ReportDocument::of(&session, oracle.address(), &name), session.verdict())
    else {
        return Err(ProofError::OutOfTurn { what: "a report" }.into());
    };
    let (_, statement) = document.statement()?;
    let signature = oracle.sign(&document.challenge.domain(), &statement)?;
    let report = Report { document, signature };
    if let Some(path) = &args.output {
        write(path, &report)?;
        ui.step("report", path.display());
    }
    ui.answer(&report, || {
        let mut text = lines(verdict);
        text.push(format!("rate      {}", per_second(report.document.products_per_s)));
        text.push(last_word(verdict));
        text.join("\n")
    });
    Ok(if verdict.refused_at().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As much as takes this card long enough to be timed, by a trial.
fn fitted(device: &Device) -> Result<Shape, Failure> {
    let trial = Shape::new(TRIAL_SIZE, 1)?;
    let key = Key::new(rand::random());
    // The first one wakes the card.
    device.compute(&key, trial)?;
    let began = Instant::now();
    device.compute(&key, trial)?;
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
    let speed = trial.products().saturating_mul(1_000_000) / micros;
    Ok(Shape::fitted(speed, device.matrix_bytes_max().saturating_mul(MATRICES), Duration::ZERO))
}

/// Both sides of a proof, under keys that are thrown away: nobody else is asked to believe this oracle.
fn session(
    args: &Args,
    (chain_id, market): (u64, Address),
    shape: Shape,
    adapter: &Adapter,
    device: &Device,
) -> Result<(Session, Wallet), Failure> {
    let (oracle, agent) = (Wallet::random(), Wallet::random());
    let record = &adapter.record;
    let unique = record.address.map_or_else(String::new, |address| address.to_string());
    let facts = CardFacts { vendor: record.vendor, device: record.device, unique, board: String::new() };
    let challenge = Challenge {
        chain_id,
        market,
        nonce: B256::from(rand::random::<[u8; 32]>()),
        agent: agent.address(),
        card: proof::identity(&rand::random(), &facts),
        group: B256::ZERO,
        size: shape.size(),
        rounds: shape.rounds(),
        deadline_ms: args.deadline,
        at: u64::try_from(Timestamp::now().as_second()).unwrap_or_default(),
    };
    let domain = challenge.domain();
    let signature = oracle.sign(&domain, &challenge.statement())?;
    let sent = SignedChallenge { challenge, signature };
    let config = AuditConfig { columns: args.columns.min(shape.size()), ..AuditConfig::default() };
    let began = Instant::now();
    let now = || Moment(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
    let mut session = Session::send(sent.clone(), config, now())?;
    let mut prover = Prover::take(sent.clone(), oracle.address(), agent.address(), &[sent.challenge.card])?;
    let mut computed = device.compute(&prover.challenge().key(), prover.shape())?;
    let statement = prover.committed(computed.tree())?;
    let answer = Answer::new(&statement, agent.sign(&domain, &statement)?);
    let audit = match session.answered(&answer, now(), B256::from(rand::random::<[u8; 32]>())) {
        Ok(audit) => audit.clone(),
        // What was refused is in the session's verdict, and that is what is reported.
        Err(ProofError::Refused { .. }) => return Ok((session, oracle)),
        Err(error) => return Err(error.into()),
    };
    let openings = prover.audited(&audit, &mut computed)?;
    session.opened(openings, now())?;
    Ok((session, oracle))
}

fn write(path: &Path, report: &Report) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(report).map_err(|error| Failure::Io(error.into()))?;
    std::fs::write(path, bytes).map_err(Failure::file(path))
}
