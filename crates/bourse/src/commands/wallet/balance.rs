//! `bourse wallet balance`.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    answer::{self, Token},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

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
        let coin = answer::coin(gas);
        format!("{address} holds {} and {coin} of the chain's own coin for gas", token.show(held))
    });
    Ok(ExitCode::SUCCESS)
}
