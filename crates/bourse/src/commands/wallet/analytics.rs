//! `bourse wallet analytics`.

use std::process::ExitCode;

use serde_json::json;

use super::{shown, signed_in};
use crate::{answer, failure::Failure, settings::Settings, ui::Ui};

/// By what spending is added up, in UTC.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Period {
    Day,
    Week,
    Month,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Days, weeks that begin on Monday, or months.
    #[arg(long, value_enum, default_value_t = Period::Day)]
    by: Period,
}

pub(crate) async fn analytics(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let client = signed_in(settings, &settings.market_file()?)?;
    let period = match args.by {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
    };
    let lines = client.spending(period).await?;
    ui.answer(&json!({ "items": lines }), || {
        let line = |line: &wire::http::SpendingJson| {
            let (spent, refunded) = (shown(&line.spent, &line.asset), shown(&line.refunded, &line.asset));
            let jobs = answer::count(line.jobs, "job");
            format!("{}  {jobs}: {spent} spent, {refunded} came back", crate::ui::tame(&line.from))
        };
        match lines.is_empty() {
            true => "no job was settled in the last thirty days".into(),
            false => lines.iter().map(line).collect::<Vec<_>>().join("\n"),
        }
    });
    Ok(ExitCode::SUCCESS)
}
