//! `bourse job events JOB`: who did what, when, why, as the chain says.

use std::{collections::BTreeMap, process::ExitCode};

use alloy_primitives::Address;
use comfy_table::{Table, presets};
use market::Amount;
use serde_json::Value;
use wire::http::{ChainEventJson, JobJson};

use crate::{
    answer::{self, Token},
    commands::login,
    failure::Failure,
    settings::Settings,
    ui::{Ui, tame},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job's id, or the first digits of one that was made here.
    job: String,
}

pub(crate) async fn events(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let job = super::named(&args.job, settings)?;
    let (file, market) = settings.market().await?;
    let (client, token) = (login::client(settings, &file)?, Token::of(&market));
    let events = client.job_events(job).await?;
    // Names for addresses are a kindness; the events stand without them.
    let names = client.job(job).await.map(|job| names(&job)).unwrap_or_default();
    ui.answer(&events, || match events.is_empty() {
        true => format!("nothing of job {job} is indexed yet"),
        false => table(&events, &names, &token).to_string(),
    });
    Ok(ExitCode::SUCCESS)
}

/// What the job's parties are called.
fn names(job: &JobJson) -> BTreeMap<Address, &'static str> {
    BTreeMap::from([(job.controller, "controller"), (job.renter, "renter")])
}

fn table(events: &[ChainEventJson], names: &BTreeMap<Address, &'static str>, token: &Token) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["when", "block", "who", "what", "detail"]);
    for event in events {
        let name = |who: Address| names.get(&who).map_or_else(|| answer::short(&who), |name| (*name).into());
        table.add_row([
            answer::time(event.at),
            event.block.to_string(),
            event.who.map_or_else(|| "—".into(), name),
            tame(&event.kind),
            tame(&detail(event, token)),
        ]);
    }
    table
}

/// Fields of events that are amounts in smallest units.
const MONEY: [&str; 5] = ["amount", "fee", "locked", "paid", "refunded"];

/// `outcome succeeded, secondsRun 12, refunded 0.5 GPU`. Who did it stands beside it already; whole agreements and
/// listings are for --json.
fn detail(event: &ChainEventJson, token: &Token) -> String {
    let Value::Object(fields) = &event.detail else { return String::new() };
    let who = event.who.map(|who| who.to_string().to_lowercase());
    let fields = fields.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::Null | Value::Object(_) | Value::Array(_) => return None,
            Value::String(text) if who.as_ref() == Some(&text.to_lowercase()) => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let shown = match text.parse().ok().filter(|_| MONEY.contains(&name.as_str())) {
            Some(units) => token.show(Amount(units)),
            None if text.starts_with("0x") => answer::short(&text),
            None => text,
        };
        Some(format!("{name} {shown}"))
    });
    fields.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_reads_as_a_line() {
        let renter = Address::repeat_byte(1);
        let event = ChainEventJson {
            at: "2027-01-01T00:00:01Z".parse().unwrap(),
            block: 7,
            log_index: 0,
            tx: alloy_primitives::B256::ZERO,
            kind: "JobDeclined".into(),
            who: Some(renter),
            detail: json!({ "reason": "no room\u{1b}[8m", "refunded": "5000000", "terms": { "salt": "1" }, "none": null,
                "by": renter }),
        };
        let token = Token { symbol: "GPU".into(), decimals: 6 };
        let shown = table(&[event], &BTreeMap::from([(renter, "renter")]), &token).to_string();
        for expected in ["2027-01-01 00:00:01", "JobDeclined", " renter ", "reason no room\\u{1b}[8m, refunded 5 GPU "]
        {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        assert!(!shown.contains("salt") && !shown.contains("none") && !shown.contains("by "));
    }
}
