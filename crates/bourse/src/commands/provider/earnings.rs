//! `bourse provider earnings`: what clients paid over HTTP, and its payout.

use std::process::ExitCode;

use chain::{Tills, calls};
use market::Amount;
use serde_json::json;

use super::stake::owner;
use crate::{
    answer::{self, Token},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Pay this provider's part out now, to the address that it named for payouts.
    #[arg(long)]
    pay_out: bool,
}

pub(crate) async fn earnings(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let Some(contracts) = settings.market_file()?.contracts else {
        return Err(Failure::Usage("the market file names no tills: this market takes no payments over HTTP".into()));
    };
    let owner = owner(settings).await?;
    let market = owner.market();
    let token = Token::of(market);
    let Some(provider) = market.provider_of(owner.address()).await? else {
        let who = owner.address();
        return Err(Failure::Usage(format!("{who} is no provider here: start `bourse provider run` first")));
    };
    let tills = Tills::open(market.chain().clone(), contracts.tills).await?;
    let till = tills.till_of(provider).await?;
    let mut paid = None;
    // A till is a contract that nobody made before it was needed; what it was sent is there all the same.
    if args.pay_out && market.token_balance(till).await? > Amount::ZERO {
        if tills.fee(till).await?.is_none() {
            owner.execute(&calls::tills::open(contracts.tills, provider)).await?;
        }
        let due = tills.shares(till, market.token()).await?.provider;
        if due > Amount::ZERO {
            paid = Some((due, owner.execute(&calls::tills::pay_provider(till, market.token())).await?));
        }
    }
    let open = tills.fee(till).await?;
    let (received, due) = match open {
        Some(_) => (tills.received(till, market.token()).await?, tills.shares(till, market.token()).await?.provider),
        None => {
            let held = market.token_balance(till).await?;
            (held, held.saturating_sub(market.fee().await?.of(held)))
        }
    };
    let answer = json!({
        "till": till.to_string(),
        "received": received.to_string(),
        "due": due.to_string(),
        "paid": paid.as_ref().map(|(amount, _)| amount.to_string()),
        "tx": paid.as_ref().map(|(_, mined)| mined.tx.to_string()),
    });
    ui.answer(&answer, || match &paid {
        Some((amount, mined)) => {
            format!(
                "{} paid out (tx {}); {} is still due",
                token.show(*amount),
                answer::short(&mined.tx),
                token.show(due)
            )
        }
        None => format!(
            "till {till} received {} in all, of which {} is due; --pay-out pays it",
            token.show(received),
            token.show(due)
        ),
    });
    Ok(ExitCode::SUCCESS)
}
