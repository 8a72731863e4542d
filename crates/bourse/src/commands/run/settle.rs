//! The end of a job: money to the last unit, then the result, fetched and verified.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use market::{JobId, Outcome, Status};
use renter::{Ending, Renter};
use serde_json::json;
use wire::record::CompletionRecord;

use super::compare;
use crate::{
    answer::{self, Token},
    commands::{receipt::keep, status},
    failure::{Failure, JOB_FAILED, NEVER_RAN},
    settings::Settings,
    ui::Ui,
};

/// The CID of an empty folder.
const NOTHING: &str = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

/// What is to become of the result.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// Where it is written.
    pub(crate) output: Option<PathBuf>,
    /// A folder that it must be equal to.
    pub(crate) expected: Option<PathBuf>,
    /// Where the job's receipt is kept, once it is committed and verified.
    pub(crate) receipt: Option<PathBuf>,
}

/// Shows how a job ended, fetches what it left, and says so by the exit code.
pub(crate) async fn settled(
    renter: &Renter,
    id: JobId,
    ending: &Ending,
    wish: &Wish,
    (settings, ui): (&Settings, &Ui),
) -> Result<ExitCode, Failure> {
    let token = Token::of(renter.market());
    if let Some(reason) = &ending.declined {
        return Err(Failure::Declined { reason: reason.clone(), refunded: token.show(ending.refunded) });
    }
    if ending.status == Status::Cancelled {
        let answer = json!({ "job": id.to_string(), "status": "cancelled", "refunded": ending.refunded.to_string() });
        ui.answer(&answer, || format!("{id} never ran; {} came back", token.show(ending.refunded)));
        return Ok(ExitCode::from(NEVER_RAN));
    }
    let outcome = ending.outcome.unwrap_or(Outcome::None);
    told(ending, outcome, &token, ui);
    let record = ending.record.as_ref();
    let written = fetched(renter, id, record, wish, (settings, ui)).await?;
    if let Some(path) = &wish.receipt {
        keep::keep(id, path, settings, ui).await?;
    }
    let answer = json!({
        "job": id.to_string(),
        "outcome": status::outcome(outcome),
        "exitCode": record.and_then(|record| record.exit_code),
        "reason": record.and_then(|record| record.reason.clone()),
        "seconds": ending.seconds.0,
        "status": status::name(ending.status),
        "due": ending.due.to_string(),
        "disputableUntil": ending.disputable_until.map(answer::when),
        "paid": ending.paid.to_string(), "fee": ending.fee.to_string(), "refunded": ending.refunded.to_string(),
        "token": renter.market().token().to_string(),
        "result": record.and_then(|record| record.result.clone()),
        "log": record.and_then(|record| record.log.clone()),
        "output": written.as_ref().map(|dir| dir.display().to_string()),
        "receipt": wish.receipt.as_ref().map(|path| path.display().to_string()),
    });
    let result = record.and_then(|record| record.result.clone()).filter(|result| result != NOTHING);
    ui.answer(&answer, || match result {
        Some(result) => format!("job {id} {}, result {result}", status::outcome(outcome)),
        None => format!("job {id} {}", status::outcome(outcome)),
    });
    if wish.receipt.is_none() {
        let job = answer::handle(id);
        ui.note(format_args!("`bourse receipt verify {job} --wait 60` proves it; `bourse job events {job}` tells it"));
    }
    if outcome == Outcome::Succeeded {
        return Ok(ExitCode::SUCCESS);
    }
    let why = record.and_then(|record| record.reason.clone()).unwrap_or_default();
    ui.warn(format_args!(
        "the job did not succeed ({}){}{why}",
        status::outcome(outcome),
        if why.is_empty() { "" } else { ": " }
    ));
    Ok(ExitCode::from(JOB_FAILED))
}

/// Where the money went, and what of it is not certain yet.
fn told(ending: &Ending, outcome: Outcome, token: &Token, ui: &Ui) {
    let (outcome, paid, refunded) = (status::outcome(outcome), token.show(ending.paid), token.show(ending.refunded));
    let seconds = ending.seconds;
    let Some(until) = ending.disputable_until else {
        let fee = token.show(ending.fee);
        return ui
            .step("settled", format_args!("{outcome} for {seconds}: provider {paid}, fee {fee}, refund {refunded}"));
    };
    let due = token.show(ending.due);
    ui.step("settled", format_args!("{outcome} for {seconds}: provider {paid}, fee and rest {due}, refund {refunded}"));
    ui.note(format_args!("what was earned last can be disputed until {} (`bourse dispute open`)", answer::when(until)));
}

/// Fetches the result that a record names, and compares it when asked to.
async fn fetched(
    renter: &Renter,
    id: JobId,
    record: Option<&CompletionRecord>,
    wish: &Wish,
    (settings, ui): (&Settings, &Ui),
) -> Result<Option<PathBuf>, Failure> {
    let Some(root) = record.and_then(|record| record.result.as_deref()) else {
        return match wish.expected {
            Some(_) => Err(Failure::Job("the job left no result to compare".into())),
            None => Ok(None),
        };
    };
    if root == NOTHING && wish.expected.is_none() {
        ui.note("the program wrote nothing to /outputs");
        return Ok(None);
    }
    // Its name first: whatever happens to the fetching, it can be had by that.
    ui.note(format_args!("the result is {root}"));
    let dest =
        wish.output.clone().unwrap_or_else(|| Path::new(&format!("result-{}", &id.to_string()[..10])).to_owned());
    if dest.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::Usage(format!("{} is there already: name another place with --output", dest.display())));
    }
    let store = super::open_store(settings).await?;
    let bar = ui.bar("result");
    let drawn = bar.clone();
    let on = move |progress: content::Progress| drawn.set_position(progress.bytes);
    let result = renter.fetch(&store, root, Some(&dest), renter.patience(), on).await?;
    bar.finish_and_clear();
    let size = answer::bytes(result.bytes);
    ui.step("fetched", format_args!("{root} ({size}, every block verified) in {}", dest.display()));
    if let Some(expected) = &wish.expected {
        let files = compare::folders(expected, &dest)?;
        ui.step(
            "compared",
            format_args!("{} equal to those in {}", answer::count(files as u64, "file"), expected.display()),
        );
    }
    Ok(Some(dest))
}
