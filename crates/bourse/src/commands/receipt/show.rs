//! `bourse receipt show NID|JOB`.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use market::Seconds;
use wire::receipt::{Receipt, ReceiptMetadata};

use super::Named;
use crate::{
    answer::{self, Token},
    commands::login,
    failure::Failure,
    settings::Settings,
    ui::{Ui, tame},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The receipt's NID, or a job: then its newest receipt.
    #[arg(value_name = "NID|JOB", value_parser = answer::typed)]
    what: String,
    /// Write the receipt here as JSON: the file that `receipt verify` checks without the gateway.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn show(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let named = Named::read(&args.what, settings)?;
    let (file, market) = settings.market().await?;
    let receipt = named.fetch(&login::client(settings, &file)?).await?.ok_or_else(|| named.missing())?;
    if let Some(path) = &args.output {
        write(&receipt, path)?;
        ui.step("written", format_args!("{}; keep it, the chain and it are enough to prove it", path.display()));
    }
    let token = Token::of(&market);
    ui.answer(&receipt, || text(&receipt, &token));
    Ok(ExitCode::SUCCESS)
}

/// Writes a receipt as `receipt verify` reads it.
pub(super) fn write(receipt: &Receipt, path: &Path) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(receipt).map_err(std::io::Error::other)?;
    text.push('\n');
    std::fs::write(path, text).map_err(Failure::file(path))
}

fn text(receipt: &Receipt, token: &Token) -> String {
    let (document, mut lines) = (&receipt.document, String::new());
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{name:<10} {}", tame(&value));
    };
    line("receipt", format!("{} of {}", document.event_type.name(), answer::time(document.occurred_at)));
    line("job", document.job_id.to_string());
    line("status", document.metadata.status.clone());
    line("ran on", card(&document.metadata, document.simulated));
    let bought = Seconds(document.metadata.estimated_duration);
    line(
        "clock",
        match document.metadata.duration {
            Some(ran) => format!("{} of {bought}", Seconds(ran)),
            None => format!("{bought} paid for in advance"),
        },
    );
    if let Some(cost) = &document.cost {
        let show = |money| answer::money(money, token);
        line("locked", show(&cost.locked));
        line("paid", format!("{} and a fee of {}", show(&cost.paid), show(&cost.fee)));
        line("back", show(&cost.refunded));
    }
    if let Some(output) = &document.metadata.output_cid {
        line("record", format!("{output}, the provider's word about what came out"));
    }
    line("nid", receipt.nid.clone());
    line(
        "committed",
        match &receipt.commit {
            Some(commit) => {
                format!("in block {} by {} (tx {})", commit.block, commit.recorder, answer::short(&commit.tx))
            }
            None => "not yet".into(),
        },
    );
    lines.truncate(lines.trim_end().len());
    lines
}

/// What ran it; a pretended card says so in its name already, or is called so here.
fn card(metadata: &ReceiptMetadata, simulated: bool) -> String {
    let pretended = if simulated && !metadata.gpu_type.contains("simulated") { ", simulated" } else { "" };
    match metadata.gpu_count {
        0 => metadata.gpu_type.clone(),
        count => format!("{count} × {}{pretended}", metadata.gpu_type),
    }
}
