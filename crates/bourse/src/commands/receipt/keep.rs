//! A job's receipt, waited for, checked and kept: the last thing that `bourse run --receipt FILE` does.

use std::{path::Path, time::Duration};

use market::JobId;

use super::{show, verify};
use crate::{commands::login, failure::Failure, settings::Settings, ui::Ui};

/// Finality takes two blocks on a development chain and some minutes on others; the receipt follows it.
const WITHIN: Duration = Duration::from_secs(1200);

/// Checks every line against the chain and writes the receipt to `path`.
pub(crate) async fn keep(job: JobId, path: &Path, settings: &Settings, ui: &Ui) -> Result<(), Failure> {
    let (file, market) = settings.market().await?;
    let client = login::client(settings, &file)?;
    let bar = ui.spinner("the receipt is committed once the job's end is final");
    let (receipt, verification) = verify::last_of(job, client, (file, market), WITHIN).await?;
    bar.finish_and_clear();
    show::write(&receipt, path)?;
    if let Some(name) = verify::failing(&verification) {
        let line = verification.lines.iter().find(|line| line.name == name);
        let detail = line.map(|line| line.detail.clone()).unwrap_or_default();
        return Err(Failure::Job(format!(
            "the receipt does not hold at {name}: {detail}; it is kept in {}",
            path.display()
        )));
    }
    let lines = verification.lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>().join(", ");
    ui.step("receipt", format_args!("{} verified on chain: {lines}; kept in {}", receipt.nid, path.display()));
    let commit = receipt.commit.as_ref().map(|commit| commit.block).unwrap_or_default();
    ui.note(format_args!("committed in block {commit}; `bourse receipt verify {}` proves it again", path.display()));
    Ok(())
}
