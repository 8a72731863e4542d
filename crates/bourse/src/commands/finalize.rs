//! `bourse finalize`: jobs that nobody can dispute any more are settled for good.

use std::process::ExitCode;

use renter::Renter;
use serde_json::json;

use crate::{answer, failure::Failure, settings::Settings, ui::Ui};

pub(crate) async fn finalize(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = super::run::renter(settings).await?;
    let settled = renter.settle_due().await?;
    let jobs: Vec<String> = settled.iter().map(ToString::to_string).collect();
    ui.answer(&json!({ "finalized": jobs }), || match settled.len() {
        0 => "nothing is due: every job is settled, or may still be disputed".into(),
        number => format!("{} settled for good", answer::count(number as u64, "job")),
    });
    Ok(ExitCode::SUCCESS)
}

/// What is due of earlier jobs, beside a new one. What does not succeed is left to the next time, or to anybody.
pub(crate) async fn earlier(renter: &Renter, ui: &Ui) {
    match renter.settle_due().await {
        Ok(settled) if settled.is_empty() => {}
        Ok(settled) => {
            let number = answer::count(settled.len() as u64, "earlier job");
            ui.note(format_args!("{number} settled for good: nobody disputed them in time"));
        }
        Err(error) => tracing::debug!(%error, "earlier jobs were not settled"),
    }
}
