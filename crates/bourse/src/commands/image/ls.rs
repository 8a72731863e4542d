//! `bourse image ls`.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use crate::{answer, commands::run, failure::Failure, settings::Settings, ui::Ui};

pub(crate) async fn ls(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let store = run::open_store(settings).await?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["image", "config", "layers", "size"]);
    let mut items = Vec::new();
    for pin in store.pins().into_iter().filter(|pin| pin.name == "image") {
        let image = content::image::Image::inspect(&store, &pin.root)?;
        table.add_row([
            pin.root.to_string(),
            answer::short(&image.config_digest),
            image.layers.len().to_string(),
            answer::bytes(image.size),
        ]);
        items.push(json!({ "cid": pin.root.to_string(), "config": image.config_digest.to_string(),
            "layers": image.layers.len(), "bytes": image.size }));
    }
    ui.answer(&json!({ "items": items }), || {
        if items.is_empty() { "no images yet; `bourse image push` brings one".into() } else { table.to_string() }
    });
    Ok(ExitCode::SUCCESS)
}
