//! `bourse content add PATH`.

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
    /// A file or a folder.
    path: PathBuf,
    /// Only say its name; store and publish nothing.
    #[arg(long)]
    only_hash: bool,
    /// Cut files into pieces of 256 KiB instead of 1 MiB, as older importers do.
    #[arg(long)]
    small_chunks: bool,
    /// Bring it into blocks here, but publish nothing.
    #[arg(long)]
    local: bool,
}

pub(crate) async fn add(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let chunk_bytes =
        if args.small_chunks { content::ImportConfig::CHUNK_256_KIB } else { content::ImportConfig::CHUNK_1_MIB };
    let config = content::ImportConfig { chunk_bytes, ..content::ImportConfig::default() };
    let path = args.path.clone();
    let cid = if args.only_hash {
        let hash = if path.is_dir() { content::hash_tree } else { content::hash_file };
        prepare::blocking(move || hash(&path, &config)).await?.cid
    } else {
        let store = run::open_store(settings).await?;
        let add = if path.is_dir() { content::add_tree } else { content::add_file };
        let into = store.clone();
        let cid = prepare::blocking(move || add(&into, &path, &config)).await?.cid;
        store.pin("content", &cid)?;
        if !args.local {
            let (renter, _) = run::renter(settings).await?;
            run::push_root(&renter, &store, "content", &cid, ui).await?;
        }
        cid
    };
    ui.answer(&json!({ "cid": cid.to_string() }), || cid.to_string());
    Ok(ExitCode::SUCCESS)
}
