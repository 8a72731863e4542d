//! `bourse wallet …`.

mod analytics;
mod balance;
mod deposit;
mod history;
mod new;
mod withdraw;

use std::process::ExitCode;

use clap::Subcommand;

use renter::GatewayClient;
use wire::{MarketFile, http::Money};

use crate::{
    answer::Token,
    commands::{login, run::prepare::tokens},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

/// The wallet that pays.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what the wallet holds.
    Balance,
    /// Put money into the market wallet of who is signed in, from the wallet here.
    Deposit(deposit::Args),
    /// Take money out of the market wallet.
    Withdraw(withdraw::Args),
    /// Show what happened to the money in the market wallet, newest first.
    History(history::Args),
    /// Show what jobs that the market wallet paid for cost, by day, week or month.
    Analytics(analytics::Args),
    /// Make a new wallet as an encrypted keystore file.
    New,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Balance => balance::balance(settings, ui).await,
            Self::Deposit(args) => deposit::deposit(&args, settings, ui).await,
            Self::Withdraw(args) => withdraw::withdraw(&args, settings, ui).await,
            Self::History(args) => history::history(&args, settings, ui).await,
            Self::Analytics(args) => analytics::analytics(&args, settings, ui).await,
            Self::New => new::new(settings, ui),
        }
    }
}

/// A client of the gateway, in the name of who is signed in there.
fn signed_in(settings: &Settings, file: &MarketFile) -> Result<GatewayClient, Failure> {
    let session = login::session(settings, file)?;
    let session = session.ok_or_else(|| {
        Failure::Usage(
            "nobody is signed in here: `bourse login` does it with the wallet, with --email with a password".into(),
        )
    })?;
    Ok(GatewayClient::new(Settings::gateway(file)?)?.with_session(&session))
}

/// Whole tokens as the gateway reads them.
fn money(text: &str, market: &chain::Market) -> Result<(market::Amount, Money), Failure> {
    let amount = tokens(text, &Token::of(market))?;
    Ok((amount, Money::new(amount, market.token())))
}

/// An amount that the gateway named, of one of its assets.
fn shown(money: &Money, asset: &wire::http::AssetJson) -> String {
    let token = Token { symbol: crate::ui::tame(&asset.symbol), decimals: asset.decimals };
    crate::answer::money(money, &token)
}
