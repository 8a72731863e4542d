//! `bourse receipt list`.

use std::process::ExitCode;

use wire::receipt::Receipt;

use crate::{
    answer::{self, Token},
    commands::{job, login},
    failure::Failure,
    settings::Settings,
    table::{
        Column::{Spare, Whole},
        Grid,
    },
    ui::{Ui, tame},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only those of this job, oldest first: its id, or the first digits of one that was made here.
    #[arg(long, value_parser = answer::typed)]
    job: Option<String>,
    /// Entries to show at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = answer::limit)]
    limit: usize,
}

pub(crate) async fn list(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let job = args.job.as_deref().map(|text| job::named(text, settings)).transpose()?;
    let (file, market) = settings.market().await?;
    let client = login::client(settings, &file)?;
    let receipts = match job {
        Some(job) => client.receipts_of(job).await?.into_iter().take(args.limit).collect(),
        None => client.receipts(args.limit).await?,
    };
    let token = Token::of(&market);
    ui.answer(&receipts, || match receipts.is_empty() {
        true => "no receipts yet; a job has one once it is final on chain".into(),
        false => table(&receipts, &token).show(),
    });
    Ok(ExitCode::SUCCESS)
}

fn table(receipts: &[Receipt], token: &Token) -> Grid<7> {
    let columns = [
        Whole("when"),
        Spare("receipt"),
        Whole("job"),
        Whole("status"),
        Whole("paid"),
        Whole("committed"),
        Spare("nid"),
    ];
    let mut table = Grid::new(columns);
    for receipt in receipts {
        let document = &receipt.document;
        table.row([
            answer::time(document.occurred_at),
            document.event_type.name().into(),
            answer::short(&document.job_id),
            tame(&document.metadata.status),
            document.cost.as_ref().map_or_else(|| "—".into(), |cost| answer::money(&cost.paid, token)),
            receipt.commit.as_ref().map_or_else(|| "not yet".into(), |commit| format!("block {}", commit.block)),
            tame(&receipt.nid),
        ]);
    }
    table
}
