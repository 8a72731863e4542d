//! `bourse proof …`: what a card can do, measured, and reports of it checked again.

mod run;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use proof::Verdict;

use crate::{
    failure::Failure,
    settings::Settings,
    ui::{Ui, tame},
};

/// Proofs of GPU: so much of exact integer matrix products in so much time, checked without a card.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Challenge a card of this machine and check its answer, both sides here. Nothing is sent to anybody.
    Run(run::Args),
    /// Check a report again, offline, line by line. Exit code 1 when a line does not hold.
    Verify(verify::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(args) => run::run(args, settings, ui).await,
            Self::Verify(args) => verify::verify(&args, ui),
        }
    }
}

/// What was checked, a line each.
fn lines(verdict: &Verdict) -> Vec<String> {
    let line = |line: &proof::Line| {
        format!("{} {:<9} {}", if line.holds { '✓' } else { '✗' }, line.check.name(), tame(&line.detail))
    };
    verdict.lines.iter().map(line).collect()
}

/// The last word: what may be said of the card, or where it failed.
fn last_word(verdict: &Verdict) -> String {
    match verdict.refused_at() {
        Some(check) => format!("FAILED at {}", check.name()),
        None => {
            "measured: so much was answered in this time. Not said: that the card is in that machine, or which it is"
                .into()
        }
    }
}

/// A rate with its thousands.
fn per_second(products: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let billions = products as f64 / 1e9;
    format!("{billions:.2} billion products of words a second")
}

#[cfg(test)]
mod tests {
    use proof::{Check, Line};

    use super::*;

    #[test]
    fn the_last_word_claims_no_more_than_was_measured() {
        let line = |check, holds| Line { check, holds, detail: "so\u{1b}[8m".into() };
        let good = Verdict { lines: vec![line(Check::Deadline, true)] };
        assert!(last_word(&good).starts_with("measured:"));
        let bad = Verdict { lines: vec![line(Check::Deadline, true), line(Check::Tile, false)] };
        assert_eq!(last_word(&bad), "FAILED at tile");
        assert_eq!(lines(&bad), ["✓ deadline  so\\u{1b}[8m", "✗ tile      so\\u{1b}[8m"]);
        assert_eq!(last_word(&Verdict::default()), "FAILED at openings");
    }
}
