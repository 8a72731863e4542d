//! `bourse job list`.

use std::process::ExitCode;

use alloy_primitives::Address;
use comfy_table::{Table, presets};
use market::{Seconds, Status};
use renter::JobsWanted;
use wire::http::JobJson;

use crate::{
    answer::{self, Token},
    commands::{login, status},
    failure::Failure,
    settings::Settings,
    ui::{Ui, tame},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Whose jobs [default: your wallet's].
    #[arg(long, value_name = "ADDRESS")]
    renter: Option<Address>,
    /// A provider's jobs instead, by its number.
    #[arg(long, value_name = "N", conflicts_with = "renter")]
    provider: Option<u32>,
    /// Only jobs that are not over.
    #[arg(long)]
    live: bool,
    /// Entries to show at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

pub(crate) async fn list(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, market) = settings.market().await?;
    let renter = match (args.renter, args.provider) {
        (None, None) => Some(match login::session(settings, &file)? {
            Some(session) => session.address(),
            None => settings.wallet()?.address(),
        }),
        (renter, _) => renter,
    };
    let wanted = JobsWanted { renter, provider: args.provider, live: args.live.then_some(true), status: None };
    let jobs = login::client(settings, &file)?.jobs(&wanted, args.limit).await?;
    let token = Token::of(&market);
    ui.answer(&jobs, || match jobs.is_empty() {
        true => "no jobs; `bourse run` makes one".into(),
        false => table(&jobs, &token).to_string(),
    });
    Ok(ExitCode::SUCCESS)
}

fn table(jobs: &[JobJson], token: &Token) -> Table {
    let mut table = Table::new();
    let header = ["job", "created", "status", "outcome", "model", "clock", "paid", "back", "locked"];
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    for job in jobs {
        let outcome = job.outcome.map_or(market::Outcome::None, Into::into);
        table.add_row([
            answer::short(&job.id),
            answer::time(job.created_at),
            status::name(Status::from(job.status)).into(),
            if job.outcome.is_some() { status::outcome(outcome).into() } else { "—".into() },
            tame(&job.model),
            job.seconds_run.map_or_else(|| "—".into(), |seconds| Seconds(seconds).to_string()),
            answer::money(&job.paid, token),
            answer::money(&job.refunded, token),
            answer::money(&job.locked, token),
        ]);
    }
    table
}
