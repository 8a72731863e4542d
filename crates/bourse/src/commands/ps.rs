//! `bourse ps`: your jobs.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    answer::{self, Token},
    commands::status,
    failure::Failure,
    settings::Settings,
    table::{
        Column::{Spare, Whole},
        Grid,
    },
    ui::Ui,
};

/// Jobs that are shown; older ones are on the chain all the same.
const SHOWN_MAX: usize = 100;

pub(crate) async fn ps(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = super::run::reader(settings).await?;
    let (market, token) = (renter.market(), Token::of(renter.market()));
    let now = market.chain().head().await?.timestamp;
    let heads = [Whole("job"), Whole("status"), Whole("outcome"), Whole("clock"), Whole("earned"), Spare("locked")];
    let mut table = Grid::new(heads);
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
        table.row([
            answer::job(job.id()),
            status::name(state.status).into(),
            status::outcome(state.outcome).into(),
            seconds.to_string(),
            token.show(earned),
            token.show(locked),
        ]);
    }
    ui.answer(&json!({ "items": items }), || {
        if items.is_empty() { "no jobs yet; `bourse run` makes one".into() } else { table.show() }
    });
    Ok(ExitCode::SUCCESS)
}
