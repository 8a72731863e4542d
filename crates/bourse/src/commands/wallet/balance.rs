//! `bourse wallet balance`.

use std::process::ExitCode;

use serde_json::json;
use wire::http::BalanceJson;

use super::{shown, signed_in};
use crate::{
    answer::{self, Token},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

/// What the wallet here holds on chain; and, for who is signed in, what the market wallet keeps for him.
pub(crate) async fn balance(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, account) = settings.account().await?;
    let (market, address) = (account.market(), account.address());
    let held = market.token_balance(address).await?;
    let gas = market.chain().balance(address).await?;
    let token = Token::of(market);
    let kept = match signed_in(settings, &file) {
        // A gateway that keeps no money says so; what is on chain is shown all the same.
        Ok(client) => client.wallet().await.inspect_err(|error| ui.note(error)).ok(),
        Err(_) => None,
    };
    let answer = json!({
        "address": address.to_string(),
        "balance": { "amount": held.to_string(), "token": market.token().to_string() },
        "gasWei": gas.to_string(),
        "wallet": kept,
    });
    ui.answer(&answer, || {
        let coin = answer::coin(gas);
        let own = format!("{address} holds {} and {coin} of the chain's own coin for gas", token.show(held));
        let kept = kept.iter().flat_map(|wallet| &wallet.balances).map(line);
        std::iter::once(own).chain(kept).collect::<Vec<_>>().join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

fn line(balance: &BalanceJson) -> String {
    let of = |money| shown(money, &balance.asset);
    format!(
        "the market wallet keeps {} to spend, {} set aside, {} on the way in",
        of(&balance.available),
        of(&balance.held),
        of(&balance.pending)
    )
}
