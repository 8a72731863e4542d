//! `bourse proof verify FILE`: a report, computed again without a card and without asking anybody.

use std::{path::PathBuf, process::ExitCode};

use alloy_primitives::Address;
use proof::{REPORT_BYTES_MAX, Report, Verdict};
use serde_json::json;

use super::{last_word, lines, per_second};
use crate::{
    failure::Failure,
    ui::{Ui, tame},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The report, as `bourse proof run` or an oracle wrote it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The oracle that you believe. It vouches for what nobody can compute again: that the challenge was fresh, how
    /// long the answer took, and that columns were drawn after it [default: whoever signed the report].
    #[arg(long, value_name = "ADDRESS")]
    oracle: Option<Address>,
}

pub(crate) fn verify(args: &Args, ui: &Ui) -> Result<ExitCode, Failure> {
    let size = std::fs::metadata(&args.file).map_err(Failure::file(&args.file))?.len();
    if size > REPORT_BYTES_MAX {
        return Err(Failure::Usage(format!("{} has {size} bytes, which is no report", args.file.display())));
    }
    let bytes = std::fs::read(&args.file).map_err(Failure::file(&args.file))?;
    let report = Report::read(&bytes)?;
    if args.oracle.is_none() {
        ui.note(format_args!("believing {} about time; --oracle names your own", report.document.oracle));
    }
    let verdict = report.verify(args.oracle);
    let answer = json!({
        "verified": verdict.refused_at().is_none(),
        "claim": verdict.claim(),
        "failedAt": verdict.refused_at(),
        "oracle": report.document.oracle,
        "device": report.document.device,
        "productsPerS": report.document.products_per_s,
        "lines": verdict.lines,
    });
    ui.answer(&answer, || text(&report, &verdict));
    Ok(if verdict.refused_at().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(report: &Report, verdict: &Verdict) -> String {
    let document = &report.document;
    let mut text = lines(verdict);
    text.push(format!("card      {} (self-reported)", tame(&document.device)));
    text.push(format!("rate      {}", per_second(document.products_per_s)));
    text.push(last_word(verdict));
    text.join("\n")
}
