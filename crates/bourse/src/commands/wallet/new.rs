//! `bourse wallet new`.

use std::process::ExitCode;

use chain::Wallet;
use serde_json::json;

use crate::{failure::Failure, keys, settings::Settings, ui::Ui};

pub(crate) fn new(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let path = settings.keystore.clone().unwrap_or_else(|| settings.home().join("keys/renter.json"));
    if path.exists() {
        return Err(Failure::Usage(format!(
            "{} exists and is not overwritten: name another with --keystore",
            path.display()
        )));
    }
    let password = match settings.password_file {
        Some(_) => settings.password()?,
        None => keys::password(&settings.home())?,
    };
    let wallet = Wallet::random();
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(Failure::file(dir))?;
    }
    chain::keystore::save(&path, &wallet, &password)?;
    let answer = json!({ "address": wallet.address().to_string(), "keystore": path.display().to_string() });
    ui.answer(&answer, || format!("{} in {}", wallet.address(), path.display()));
    Ok(ExitCode::SUCCESS)
}
