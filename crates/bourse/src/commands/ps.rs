//! `bourse ps`: your jobs.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::json;

use crate::{
    answer::{self, Token},
    commands::status,
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

/// Jobs that are shown; older ones are on the chain all the same.
const SHOWN_MAX: usize = 100;

pub(crate) async fn ps(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = super::run::reader(settings).await?;
    let (market, token) = (renter.market(), Token::of(renter.market()));
    let now = market.chain().head().await?.timestamp;
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["job", "status", "outcome", "clock", "earned", "locked"]);
    let mut items = Vec::new();
    for job in renter.jobs().list()?.into_iter().take(SHOWN_MAX) {
        let state = market.job(job.id()).await?;
        let stream = job.terms()?.stream(state.extra, state.fee);
        let seconds = status::clock(&state).seconds(now, stream.duration);
        let (earned, locked) = (stream.earned(seconds), stream.locked());
        items.push(json!({
            "job": job.id().to_string(), "status": status::name(state.status), "outcome": status::outcome(state.outcome),
            "seconds": seconds.0, "earned": earned.to_string(), "locked": locked.to_string(),
        }));
        table.add_row([
            answer::job(job.id()),
            status::name(state.status).into(),
            status::outcome(state.outcome).into(),
            seconds.to_string(),
            token.show(earned),
            token.show(locked),
        ]);
    }
    ui.answer(&json!({ "items": items }), || {
        if items.is_empty() { "no jobs yet; `bourse run` makes one".into() } else { table.to_string() }
    });
    Ok(ExitCode::SUCCESS)
}
