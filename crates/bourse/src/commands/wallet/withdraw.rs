//! `bourse wallet withdraw`.

use std::process::ExitCode;

use alloy_primitives::Address;
use wire::http::{WithdrawBody, WithdrawJson};

use super::{money, shown, signed_in};
use crate::{failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How much, in whole tokens.
    amount: String,
    /// Where to.
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    /// Names this withdrawal: the same key again is the same withdrawal, never a second one [default: a new one].
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Say what it would do, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before money moves.
    #[arg(short, long)]
    yes: bool,
}

/// First what it would do, then, confirmed, the withdrawal. The gateway's treasury sends it.
pub(crate) async fn withdraw(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, market) = settings.market().await?;
    let client = signed_in(settings, &file)?;
    let (_, amount) = money(&args.amount, &market)?;
    let body = WithdrawBody { amount, destination: args.to, chain_id: None, confirm: None };
    let answer = client.withdraw(&body, None).await?;
    let WithdrawJson::Preview(preview) = &answer else {
        return Err(Failure::Usage("the gateway gave no preview: nothing was asked for".into()));
    };
    let units = shown(&preview.amount, &preview.asset);
    ui.note(format_args!("{units} go to {}; {} remain", args.to, shown(&preview.after, &preview.asset)));
    if args.dry_run {
        ui.answer(&answer, || "nothing was withdrawn".into());
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !ui.confirm("Withdraw?")? {
        return Err(Failure::Usage("nothing was withdrawn".into()));
    }
    let key = args.key.clone().unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    // Said before it is sent: whoever does not hear the answer asks again with it.
    ui.note(format_args!("if no answer comes, ask again with --key {key}: it is paid once"));
    let body = WithdrawBody { confirm: Some(preview.confirm), ..body };
    let taken = client.withdraw(&body, Some(&key)).await?;
    ui.answer(&taken, || format!("{units} are on their way to {}", args.to));
    Ok(ExitCode::SUCCESS)
}
