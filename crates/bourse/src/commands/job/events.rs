//! `bourse job events JOB`: who did what, when, why, as the chain says.

use std::{collections::BTreeMap, process::ExitCode};

use alloy_primitives::Address;
use market::{Amount, BasisPoints, PerHour, Seconds};
use serde_json::Value;
use wire::http::{ChainEventJson, JobJson};

use crate::{
    answer::{self, Token},
    commands::login,
    failure::Failure,
    settings::Settings,
    table::{
        Column::{Flows, Whole},
        Grid,
    },
    ui::{Ui, tame},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job's id, or the first digits of one that was made here.
    #[arg(value_parser = answer::typed)]
    job: String,
}

pub(crate) async fn events(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let job = super::named(&args.job, settings)?;
    let (file, market) = settings.market().await?;
    let (client, token) = (login::client(settings, &file)?, Token::of(&market));
    let events = client.job_events(job).await?;
    // Names for addresses are a kindness; the events stand without them.
    let names = client.job(job).await.map(|job| names(&job, &events)).unwrap_or_default();
    ui.answer(&events, || match events.is_empty() {
        true => format!("nothing of job {job} is indexed yet"),
        false => table(&events, &names, &token).show(),
    });
    Ok(ExitCode::SUCCESS)
}

/// What the job's parties are called.
fn names(job: &JobJson, events: &[ChainEventJson]) -> BTreeMap<Address, &'static str> {
    let mut names = BTreeMap::from([(job.controller, "controller"), (job.renter, "renter")]);
    // Only the provider's agent can accept.
    let accepted = events.iter().find(|event| event.kind == "JobAccepted").and_then(|event| event.who);
    names.extend(accepted.map(|agent| (agent, "provider")));
    names
}

fn table(events: &[ChainEventJson], names: &BTreeMap<Address, &'static str>, token: &Token) -> Grid<5> {
    let mut table = Grid::new([Whole("when"), Whole("block"), Whole("who"), Whole("what"), Flows("detail")]);
    for event in events {
        let name = |who: Address| names.get(&who).map_or_else(|| answer::short(&who), |name| (*name).into());
        table.row([
            answer::time(event.at),
            event.block.to_string(),
            event.who.map_or_else(|| "—".into(), name),
            tame(&event.kind),
            tame(&detail(event, token)),
        ]);
    }
    table
}

/// `outcome succeeded, refunded 0.5 GPU, clock 12 s`. Who did it stands beside it already; of an agreement its price
/// and length are shown, the whole of it and whole listings are for --json.
fn detail(event: &ChainEventJson, token: &Token) -> String {
    let Value::Object(fields) = &event.detail else { return String::new() };
    let who = event.who.map(|who| who.to_string().to_lowercase());
    let shown = fields.iter().filter_map(|(name, value)| match value {
        Value::Object(_) if name == "terms" => agreed(value, token),
        Value::Null | Value::Object(_) | Value::Array(_) => None,
        Value::String(text) if who.as_ref() == Some(&text.to_lowercase()) => None,
        Value::String(text) => Some(field(name, text, token)),
        other => Some(field(name, &other.to_string(), token)),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// `0.36 GPU an hour for 15 min at most`.
fn agreed(terms: &Value, token: &Token) -> Option<String> {
    let price = terms.get("pricePerHour")?.as_str()?.parse().ok()?;
    let length = Seconds(terms.get("maxDuration")?.as_u64()?);
    let locked = PerHour(price).cost(length);
    Some(format!("{} an hour for {length} at most, {} locked", token.show(Amount(price)), token.show(locked)))
}

/// One field in people's units: tokens, seconds, percent.
fn field(name: &str, text: &str, token: &Token) -> String {
    let units = || text.parse().ok().map(Amount);
    let seconds = || text.parse().ok().map(Seconds);
    let known = match name {
        "amount" | "fee" | "locked" | "paid" | "refunded" => {
            units().map(|units| format!("{name} {}", token.show(units)))
        }
        "secondsRun" => seconds().map(|ran| format!("clock {ran}")),
        "paidSeconds" => seconds().map(|paid| format!("clock {paid} so far")),
        "pausedSeconds" => seconds().map(|paused| format!("paused {paused}")),
        "extraSeconds" => seconds().map(|extra| format!("{extra} more")),
        "feeBps" => text.parse().ok().map(|fee| format!("fee {} %", f64::from(BasisPoints(fee).0) / 100.0)),
        "readyRecord" | "resultDigest" => Some(format!("record {}", answer::short(&text))),
        _ => None,
    };
    known.unwrap_or_else(|| match text.starts_with("0x") {
        true => format!("{name} {}", answer::short(&text)),
        false => format!("{name} {text}"),
    })
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
            detail: json!({ "reason": "no room\u{1b}[8m", "refunded": "5000000", "terms": { "salt": "1", "pricePerHour": "360000",
                "maxDuration": 900 }, "none": null, "by": renter, "feeBps": 200 }),
        };
        let token = Token { symbol: "GPU".into(), decimals: 6 };
        let shown = table(&[event], &BTreeMap::from([(renter, "renter")]), &token).show();
        let detail =
            "fee 2 %, reason no room\\u{1b}[8m, refunded 5 GPU, 0.36 GPU an hour for 15 min at most, 0.09 GPU locked";
        for expected in ["2027-01-01 00:00:01", "JobDeclined", " renter ", detail] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        assert!(!shown.contains("salt") && !shown.contains("none") && !shown.contains("by "));
    }
}
