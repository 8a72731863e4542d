//! `bourse job list`.

use std::process::ExitCode;

use alloy_primitives::Address;
use market::{Seconds, Status};
use renter::JobsWanted;
use wire::http::JobJson;

use crate::{
    answer::{self, Token},
    commands::{login, status},
    failure::Failure,
    settings::Settings,
    table::{
        Column::{Flows, Spare, Whole},
        Grid,
    },
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
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = answer::limit)]
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
        true if args.provider.is_some() => "that provider has no such jobs".into(),
        true => "no such jobs; `bourse run` makes one".into(),
        false => table(&jobs, &token).show(),
    });
    Ok(ExitCode::SUCCESS)
}

fn table(jobs: &[JobJson], token: &Token) -> Grid<9> {
    let columns = [
        Whole("job"),
        Spare("created"),
        Whole("status"),
        Whole("outcome"),
        Flows("model"),
        Whole("clock"),
        Whole("paid"),
        Spare("back"),
        Spare("locked"),
    ];
    let mut table = Grid::new(columns);
    for job in jobs {
        let outcome = job.outcome.map_or(market::Outcome::None, Into::into);
        table.row([
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
