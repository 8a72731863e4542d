//! `bourse search`: what the market lists, as its gateway knows it.

use std::process::ExitCode;

use market::{Amount, Mebibytes};
use wire::http::{GpuJson, GpuQuery, Presence};

use super::login;
use crate::{
    answer::{self, Token},
    failure::Failure,
    settings::Settings,
    table::{
        Column::{Flows, Spare, Whole},
        Grid,
    },
    ui::{Ui, tame},
};

/// Entries that are shown when nothing is said: a screenful or two.
const SHOWN: usize = 50;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Words that the model or the location contains, in any order.
    words: Vec<String>,
    /// Memory of one card, at least: 24GiB, or 24576MiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    min_vram: Option<Mebibytes>,
    /// Cards, at least.
    #[arg(long, value_name = "N")]
    min_gpus: Option<u16>,
    /// Price of an hour in whole tokens, at most.
    #[arg(long, value_name = "TOKENS")]
    max_price: Option<String>,
    /// Where it stands, as its owner says.
    #[arg(long, value_name = "REGION")]
    location: Option<String>,
    /// Only what could take a job now.
    #[arg(long)]
    available: bool,
    /// Only pretended cards.
    #[arg(long, conflicts_with = "real")]
    simulated: bool,
    /// No pretended cards.
    #[arg(long)]
    real: bool,
    /// Order: price, vram, gpus, cpus, memory, uptime or listed; with - before it the largest first.
    #[arg(long, value_name = "FIELD", default_value = "price", allow_hyphen_values = true, value_parser = order)]
    sort: String,
    /// Entries to show at most.
    #[arg(long, value_name = "N", default_value_t = SHOWN, value_parser = answer::limit)]
    limit: usize,
}

pub(crate) async fn search(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, market) = settings.market().await?;
    let token = Token::of(&market);
    if let Some(price) = &args.max_price {
        super::run::prepare::tokens(price, &token)?;
    }
    let found = login::client(settings, &file)?.search(&query(args)).await?;
    ui.answer(&found, || {
        if found.is_empty() {
            return "nothing listed fits; leave out a filter to see more".into();
        }
        let more = if found.len() == args.limit { "; --limit shows more" } else { "" };
        format!("{}\n{}{more}", table(&found, &token).show(), answer::count(found.len() as u64, "resource"))
    });
    Ok(ExitCode::SUCCESS)
}

fn query(args: &Args) -> GpuQuery {
    // The price is in whole tokens here, which the gateway wants to see from the point.
    let whole = |price: &String| if price.contains('.') { price.clone() } else { format!("{price}.0") };
    GpuQuery {
        q: (!args.words.is_empty()).then(|| args.words.join(" ")),
        min_gpus: args.min_gpus,
        min_vram: args.min_vram.map(|size| size.0),
        max_price: args.max_price.as_ref().map(whole),
        location: args.location.clone(),
        availability: args.available.then(|| "now".into()),
        simulated: (args.simulated || args.real).then_some(args.simulated),
        sort: Some(args.sort.clone()),
        limit: Some(args.limit),
        ..GpuQuery::default()
    }
}

/// Reads a size with its unit; a bare number could mean either.
fn size(text: &str) -> Result<Mebibytes, String> {
    let lower = text.trim().to_lowercase();
    let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &lower[number.len()..] {
        "g" | "gib" | "gb" => 1024,
        "m" | "mib" | "mb" => 1,
        "t" | "tib" | "tb" => 1 << 20,
        _ => return Err(format!("write the unit: {number}GiB or {number}MiB")),
    };
    let number: u64 = number.trim().parse().map_err(|_| format!("{number:?} is no whole number"))?;
    number.checked_mul(factor).map(Mebibytes).ok_or_else(|| format!("{text} is more than anything has"))
}

/// Checks the order that a list is wanted in, before anybody is asked.
fn order(text: &str) -> Result<String, String> {
    const FIELDS: [&str; 7] = ["price", "vram", "gpus", "cpus", "memory", "uptime", "listed"];
    match FIELDS.contains(&text.strip_prefix('-').unwrap_or(text)) {
        true => Ok(text.to_owned()),
        false => Err(format!("sort by {}; - before it for the largest first", FIELDS.join(", "))),
    }
}

fn table(found: &[GpuJson], token: &Token) -> Grid<7> {
    let columns = [
        Whole("resource"),
        Flows("model"),
        Whole("cards"),
        Whole("an hour"),
        Whole("state"),
        Spare("location"),
        Spare("uptime"),
    ];
    let mut table = Grid::new(columns);
    for gpu in found {
        table.row([
            answer::short(&gpu.id),
            tame(&gpu.hardware.model),
            cards(gpu),
            price(gpu, token),
            state(gpu).into(),
            tame(gpu.location.as_deref().unwrap_or("—")),
            gpu.uptime_bps.map_or_else(|| "—".into(), uptime),
        ]);
    }
    table
}

fn cards(gpu: &GpuJson) -> String {
    let vram = Mebibytes(gpu.hardware.vram_mib);
    match (gpu.hardware.gpus, gpu.hardware.simulated) {
        (0, _) => format!("{} CPUs", gpu.hardware.cpus),
        (gpus, true) => format!("{gpus} simulated × {vram}"),
        (gpus, false) => format!("{gpus} × {vram}"),
    }
}

fn price(gpu: &GpuJson, token: &Token) -> String {
    let amount = &gpu.price_per_hour.amount;
    amount.parse().map_or_else(|_| tame(amount), |units| token.show(Amount(units)))
}

/// The one word that matters to somebody who wants to rent it.
fn state(gpu: &GpuJson) -> &'static str {
    match (gpu.status, gpu.available, gpu.busy) {
        (_, false, _) => "not offered",
        (Presence::Offline, ..) => "not heard",
        (_, _, true) => "busy",
        (Presence::Stale, ..) => "free, late",
        (Presence::Online, ..) => "free",
    }
}

/// `99.95 %`.
fn uptime(bps: u16) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(line: &str) -> Result<GpuQuery, String> {
        let words = std::iter::once("search").chain(line.split_whitespace());
        Cli::try_parse_from(words).map(|cli| query(&cli.args)).map_err(|err| err.to_string())
    }

    #[test]
    fn flags_become_a_query() {
        let query = parsed("h100 sxm --min-vram 80GiB --max-price 2.5 --available --real --sort -vram").unwrap();
        assert_eq!((query.q.as_deref(), query.min_vram), (Some("h100 sxm"), Some(81_920)));
        assert_eq!((query.max_price.as_deref(), query.availability.as_deref()), (Some("2.5"), Some("now")));
        assert_eq!((query.simulated, query.sort.as_deref(), query.limit), (Some(false), Some("-vram"), Some(50)));
        let query = parsed("--simulated --max-price 2 --limit 3").unwrap();
        assert_eq!((query.simulated, query.limit), (Some(true), Some(3)));
        assert_eq!(query.max_price.as_deref(), Some("2.0"), "whole tokens, and the gateway is told so");
        assert_eq!((query.q, parsed("").unwrap().simulated), (None, None));
        assert!(parsed("--simulated --real").unwrap_err().contains("cannot be used with"));
    }

    #[test]
    fn a_size_has_a_unit() {
        for (text, mebibytes) in [("24GiB", 24_576), ("24 g", 24_576), ("512MiB", 512), ("1tb", 1 << 20), ("0m", 0)] {
            assert_eq!(size(text), Ok(Mebibytes(mebibytes)), "{text}");
        }
        assert_eq!(size("24").unwrap_err(), "write the unit: 24GiB or 24MiB");
        for bad in ["", "GiB", "-1GiB", "1.5GiB", "24kib", "99999999999999999999g", "18446744073709551615g"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_word_says_whether_it_can_be_rented() {
        let text = r#"{"id":"0x0000000000000000000000000000000000000000000000000000000000000007","source":"bourse",
            "provider":"1","owner":"0x0000000000000000000000000000000000000001",
            "agent":"0x0000000000000000000000000000000000000002","hardware":{"model":"H100\u001b[8m","gpus":2,
            "vramMib":81920,"cpus":8,"memoryMib":1024,"diskMib":1024,"simulated":true},
            "pricePerHour":{"amount":"2500000","token":"0x0000000000000000000000000000000000000003"},
            "available":true,"busy":false,"status":"online","uptimeBps":9995,"listedAt":"2027-01-01T00:00:00Z"}"#;
        let mut gpu: GpuJson = serde_json::from_str(text).unwrap();
        let token = Token { symbol: "GPU".into(), decimals: 6 };
        let shown = table(std::slice::from_ref(&gpu), &token).show();
        for expected in ["0x00000000…", "H100\\u{1b}[8m", "2 simulated × 80 GiB", "2.5 GPU", " free ", "99.95 %"] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        gpu.status = Presence::Offline;
        assert_eq!(state(&gpu), "not heard");
        (gpu.status, gpu.busy) = (Presence::Stale, true);
        assert_eq!(state(&gpu), "busy");
        gpu.available = false;
        assert_eq!(state(&gpu), "not offered");
    }
}
