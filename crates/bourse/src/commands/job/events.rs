//! `bourse job events JOB`: who did what, when, why, as the chain says.

use std::{collections::BTreeMap, process::ExitCode};

use alloy_primitives::Address;
use comfy_table::{Table, presets};
use serde_json::Value;
use wire::http::{ChainEventJson, JobJson};

use crate::{
    answer,
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
    let client = login::client(settings, &settings.market_file()?)?;
    let events = client.job_events(job).await?;
    // Names for addresses are a kindness; the events stand without them.
    let names = client.job(job).await.map(|job| names(&job)).unwrap_or_default();
    ui.answer(&events, || match events.is_empty() {
        true => format!("nothing of job {job} is indexed yet"),
        false => table(&events, &names).to_string(),
    });
    Ok(ExitCode::SUCCESS)
}

/// What the job's parties are called.
fn names(job: &JobJson) -> BTreeMap<Address, &'static str> {
    BTreeMap::from([(job.controller, "controller"), (job.renter, "renter")])
}

fn table(events: &[ChainEventJson], names: &BTreeMap<Address, &'static str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["when", "block", "who", "what", "detail"]);
    for event in events {
        let name = |who: Address| names.get(&who).map_or_else(|| answer::short(&who), |name| (*name).into());
        table.add_row([
            answer::time(event.at),
            event.block.to_string(),
            event.who.map_or_else(|| "—".into(), name),
            tame(&event.kind),
            tame(&detail(&event.detail)),
        ]);
    }
    table
}

/// `outcome succeeded, seconds 12`.
fn detail(value: &Value) -> String {
    let Value::Object(fields) = value else { return String::new() };
    let fields = fields.iter().filter_map(|(name, value)| match value {
        Value::Null => None,
        // Whole agreements and listings are for --json.
        Value::Object(_) | Value::Array(_) => None,
        Value::String(text) => {
            Some(format!("{name} {}", if text.starts_with("0x") { answer::short(text) } else { text.clone() }))
        }
        other => Some(format!("{name} {other}")),
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
            detail: json!({ "reason": "no room\u{1b}[8m", "refunded": "5", "terms": { "salt": "1" }, "none": null }),
        };
        let shown = table(&[event], &BTreeMap::from([(renter, "renter")])).to_string();
        for expected in ["2027-01-01 00:00:01", "JobDeclined", " renter ", "reason no room\\u{1b}[8m, refunded 5"] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        assert!(!shown.contains("salt") && !shown.contains("none"));
    }
}
