//! `bourse wallet balance`.

use std::process::ExitCode;

use serde_json::json;

use crate::{answer::Token, failure::Failure, settings::Settings, ui::Ui};

pub(crate) async fn balance(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (_, account) = settings.account().await?;
    let (market, address) = (account.market(), account.address());
    let held = market.token_balance(address).await?;
    let gas = market.chain().balance(address).await?;
    let token = Token::of(market);
    let answer = json!({
        "address": address.to_string(),
        "balance": { "amount": held.to_string(), "token": market.token().to_string() },
        "gasWei": gas.to_string(),
    });
    ui.answer(&answer, || {
        let ether = market::Amount(gas.try_into().unwrap_or(u128::MAX)).in_tokens(18);
        format!("{address} holds {} and {ether} of the chain's own coin for gas", token.show(held))
    });
    Ok(ExitCode::SUCCESS)
}
