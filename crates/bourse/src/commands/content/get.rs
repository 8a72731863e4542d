//! `bourse content get CID`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use serde_json::json;

use crate::{answer, commands::run, failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What to fetch.
    cid: String,
    /// Where to write it [default: the CID].
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

pub(crate) async fn get(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = run::reader(settings).await?;
    let store = run::open_store(settings).await?;
    let dest = args.output.clone().unwrap_or_else(|| args.cid.clone().into());
    let bar = ui.bar("content");
    let drawn = bar.clone();
    let on = move |progress: content::Progress| drawn.set_position(progress.bytes);
    let result = renter.fetch(&store, &args.cid, Some(&dest), Duration::ZERO, on).await?;
    bar.finish_and_clear();
    let answer = json!({ "cid": args.cid, "bytes": result.bytes, "path": dest.display().to_string() });
    ui.answer(&answer, || format!("{} in {} (every block verified)", answer::bytes(result.bytes), dest.display()));
    Ok(ExitCode::SUCCESS)
}
