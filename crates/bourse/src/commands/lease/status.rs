//! `bourse lease status LEASE` and `bourse lease stop LEASE`.

use std::{process::ExitCode, time::Duration};

use market::Amount;
use serde_json::json;
use wire::http::LeasePhase;

use super::{
    attend::{phase, refund_json, refunded},
    run::summary,
};
use crate::{
    answer::{self, Token},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The lease's id, or its first digits.
    #[arg(value_name = "LEASE", value_parser = answer::typed)]
    lease: String,
}

/// A program that is stopped is stored and settled within this time, or the rest is left to the provider.
const DONE_WITHIN: Duration = Duration::from_secs(60);
/// The gateway is asked so often whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn status(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let lease = super::load(settings, &args.lease)?;
    let (_, market) = settings.market().await?;
    let token = Token::of(&market);
    let shown = super::client(settings).await?.show(&lease).await?;
    ui.answer(&shown, || {
        let why = shown.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!(
            "{} {}{why}: {} s of {} paid s have run at {} an hour; {} is earned of {} charged",
            lease.id,
            phase(shown.status),
            shown.served_s,
            shown.paid_s,
            token.show(Amount(lease.price)),
            answer::money(&shown.earned, &token),
            answer::money(&shown.charged, &token),
        )
    });
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn stop(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let mut lease = super::load(settings, &args.lease)?;
    let (_, market) = settings.market().await?;
    let client = super::client(settings).await?;
    client.stop(&lease).await?;
    let done = async {
        loop {
            let shown = client.show(&lease).await?;
            if shown.status == LeasePhase::Done {
                return Ok::<_, Failure>(shown);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let done = tokio::time::timeout(DONE_WITHIN, done).await;
    let shown = done.map_err(|_| Failure::Usage("it is being stopped; ask again in a moment".into()))??;
    let refund = refunded(&client, &mut lease, ui).await;
    let answer = json!({ "lease": shown, "refund": refund.as_ref().map(refund_json) });
    ui.answer(&answer, || summary(&shown, &answer::short(&lease.id), refund.as_ref(), &Token::of(&market)));
    Ok(ExitCode::SUCCESS)
}
