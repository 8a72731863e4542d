//! `bourse wallet history`.

use std::process::ExitCode;

use serde_json::json;

use super::signed_in;
use crate::{answer, failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// So many entries at most.
    #[arg(long, default_value_t = 50, value_parser = answer::limit)]
    limit: usize,
}

pub(crate) async fn history(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let client = signed_in(settings, &settings.market_file()?)?;
    let entries = client.wallet_history(args.limit).await?;
    ui.answer(&json!({ "items": entries }), || {
        let line = |entry: &wire::http::WalletEntryJson| {
            let units = |text: &str| {
                let units: i64 = text.parse().unwrap_or(0);
                let sign = if units < 0 { "-" } else { "" };
                let amount = market::Amount(units.unsigned_abs().into()).in_tokens(entry.asset.decimals);
                format!("{sign}{amount}")
            };
            let (at, kind) = (answer::time(entry.at), crate::ui::tame(&entry.kind));
            let symbol = crate::ui::tame(&entry.asset.symbol);
            format!("{at}  {kind}  {} {symbol} to spend, {} set aside", units(&entry.available), units(&entry.held))
        };
        match entries.is_empty() {
            true => "nothing happened yet".into(),
            false => entries.iter().map(line).collect::<Vec<_>>().join("\n"),
        }
    });
    Ok(ExitCode::SUCCESS)
}
