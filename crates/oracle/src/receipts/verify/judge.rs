//! The verdict over plain facts: a line for each thing that was checked, in the order in which a reader asks.

use market::JobId;
use wire::receipt::{Receipt, Trust, Verification, VerifiedLine};

use super::{Found, lines};
use crate::receipts::Life;

/// The longest detail. Names of strangers stand in it; a sentence about two of them is shorter.
const DETAIL_CHARS_MAX: usize = 1000;

/// Judges a receipt by what was found. Every line is written, whether or not those before it hold; only what has
/// nothing to compare is left out: the recorder of a receipt without commit, the record of a receipt without one.
#[must_use]
pub fn judge(receipt: &Receipt, found: &Found, trust: &Trust) -> Verification {
    let life = Life::read(JobId(receipt.document.job_id.0), &found.history);
    let life = life.as_ref();
    let mut lines =
        vec![line("document", lines::document(receipt)), line("market", lines::market(receipt, found, trust))];
    lines.extend(receipt.commit.as_ref().map(|commit| line("recorder", lines::recorder(commit, trust))));
    lines.push(line("commit", lines::commit(receipt, found, trust)));
    lines.push(line("terms", lines::terms(receipt, found, life)));
    lines.push(line("times", lines::times(receipt, found, life)));
    lines.push(line("cost", lines::cost(receipt, found, life)));
    lines.push(line("outcome", lines::outcome(receipt, found, life)));
    lines.extend(receipt.record.as_ref().map(|record| line("record", lines::record(receipt, record))));
    Verification { nid: receipt.nid.clone(), verified: lines.iter().all(|line| line.holds), lines }
}

fn line(name: &str, checked: lines::Checked) -> VerifiedLine {
    let (holds, detail) = match checked {
        Ok(detail) => (true, detail),
        Err(detail) => (false, detail),
    };
    // A stranger's name must not steer the terminal that shows it.
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let detail = detail.chars().take(DETAIL_CHARS_MAX).map(plain).collect();
    VerifiedLine { name: name.to_owned(), holds, detail }
}
