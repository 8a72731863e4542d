//! `bourse wallet deposit`.

use std::process::ExitCode;

use chain::calls;
use serde_json::json;
use wire::http::DepositBody;

use super::{money, signed_in};
use crate::{answer::Token, failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How much, in whole tokens.
    amount: String,
    /// Say what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before money moves.
    #[arg(short, long)]
    yes: bool,
}

/// Two transactions of the wallet here: the till may take the money, and takes it for the account.
pub(crate) async fn deposit(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, account) = settings.account().await?;
    let market = account.market();
    let client = signed_in(settings, &file)?;
    let (amount, money) = money(&args.amount, market)?;
    let told = client.deposit(&DepositBody { amount: money, chain_id: None }).await?;
    // Where money goes is the market description's word, not the gateway's.
    let till = file.contracts.map(|contracts| contracts.till);
    let till = till.filter(|till| told.till == Some(*till)).ok_or_else(|| {
        Failure::Usage("the gateway names another till than the market description: nothing was sent".into())
    })?;
    let price = Token::of(market).show(amount);
    let held = market.token_balance(account.address()).await?;
    if held < amount {
        let held = Token::of(market).show(held);
        return Err(Failure::Usage(format!("{} holds {held}: {price} cannot be deposited", account.address())));
    }
    ui.note(format_args!(
        "{price} of {} for account {}, through the till {till}; it counts after {} blocks",
        account.address(),
        told.account,
        told.confirmations
    ));
    let preview = json!({
        "account": told.account, "amount": told.amount, "treasury": told.treasury, "till": till,
        "confirmations": told.confirmations,
    });
    if args.dry_run {
        ui.answer(&preview, || "nothing was sent".into());
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !ui.confirm("Deposit?")? {
        return Err(Failure::Usage("nothing was deposited".into()));
    }
    account.execute(&calls::erc20::approve(market.token(), till, amount)).await?;
    let mined = account.execute(&calls::deposits::pay_in(till, told.account, amount)).await?;
    let answer = json!({ "account": told.account, "amount": told.amount, "tx": mined.tx });
    ui.answer(&answer, || format!("{price} deposited in {}; `bourse wallet balance` shows when it counts", mined.tx));
    Ok(ExitCode::SUCCESS)
}
