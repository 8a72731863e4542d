//! `bourse image push PATH`.

use std::{path::PathBuf, process::ExitCode};

use serde_json::json;

use crate::{
    commands::run::{self, prepare},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A `docker save` archive, an OCI layout (folder or archive) or a static binary.
    path: PathBuf,
    /// Only bring it into blocks and say its name.
    #[arg(long)]
    local: bool,
}

pub(crate) async fn push(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let store = run::open_store(settings).await?;
    let root = prepare::import(&args.path, &store, ui).await?;
    store.pin("image", &root)?;
    if !args.local {
        let (renter, _) = run::renter(settings).await?;
        run::push_root(&renter, &store, "image", &root, ui).await?;
    }
    ui.answer(&json!({ "cid": root.to_string() }), || root.to_string());
    Ok(ExitCode::SUCCESS)
}
