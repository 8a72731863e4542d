//! `bourse login`: signing in at the market's gateway, with the wallet or with e-mail address and password, for what only
//! its owner may see there.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use renter::{GatewayClient, Session};
use serde_json::json;
use wire::MarketFile;

use crate::{failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Sign in as the account of this e-mail address, without a wallet. Its password is the first line of --password-from.
    #[arg(long, value_name = "ADDRESS", requires = "password_from")]
    email: Option<String>,
    /// File whose first line is the account's password; `-` reads what is typed or piped in.
    #[arg(long, value_name = "FILE", requires = "email")]
    password_from: Option<PathBuf>,
    /// Make the account first.
    #[arg(long, requires = "email")]
    sign_up: bool,
    /// End the session instead: the same as `bourse logout`.
    #[arg(long)]
    logout: bool,
}

pub(crate) async fn login(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    if args.logout {
        return logout(settings, ui).await;
    }
    let file = settings.market_file()?;
    let client = GatewayClient::new(Settings::gateway(&file)?)?;
    let session = match (&args.email, &args.password_from) {
        (Some(email), Some(from)) => {
            let password = first_line(from)?;
            match args.sign_up {
                true => client.sign_up(email, &password, file.chain_id).await?,
                false => client.login_by_email(email, &password, file.chain_id).await?,
            }
        }
        _ => client.login(&settings.wallet()?, file.chain_id).await?,
    };
    session.save(&path(settings))?;
    let (address, until) = (session.address(), session.expires_at());
    let answer = json!({ "address": address, "gateway": session.gateway, "expiresAt": until });
    let who = args.email.clone().unwrap_or_else(|| address.to_string());
    ui.answer(&answer, || format!("{who} is signed in at {} until {until}", session.gateway));
    Ok(ExitCode::SUCCESS)
}

/// A password as somebody wrote it down, or types it in.
fn first_line(from: &Path) -> Result<String, Failure> {
    let text = match from == Path::new("-") {
        true => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            line
        }
        false => std::fs::read_to_string(from).map_err(Failure::file(from))?,
    };
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(Failure::Usage(format!("{} holds no password in its first line", from.display()))),
    }
}

pub(crate) async fn logout(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let path = path(settings);
    let Some(session) = Session::load(&path)? else {
        ui.answer(&json!({ "signedOut": false }), || "nobody is signed in here".into());
        return Ok(ExitCode::SUCCESS);
    };
    let ended = GatewayClient::new(session.gateway.clone())?.with_session(&session).logout().await;
    // What is forgotten here cannot be taken from here, whatever the gateway says.
    std::fs::remove_file(&path).map_err(Failure::file(&path))?;
    if let Err(err) = &ended {
        ui.warn(format_args!("the session could not be ended there and lasts until {}: {err}", session.expires_at()));
    }
    let answer = json!({ "signedOut": true, "address": session.address(), "endedAtGateway": ended.is_ok() });
    ui.answer(&answer, || format!("{} is signed out", session.address()));
    Ok(ExitCode::SUCCESS)
}

/// A client of the market's gateway, signed in where somebody is.
pub(crate) fn client(settings: &Settings, file: &MarketFile) -> Result<GatewayClient, Failure> {
    let client = GatewayClient::new(Settings::gateway(file)?)?;
    Ok(match session(settings, file)? {
        Some(session) => client.with_session(&session),
        None => client,
    })
}

/// The session at the market's gateway that is still good.
pub(crate) fn session(settings: &Settings, file: &MarketFile) -> Result<Option<Session>, Failure> {
    let (gateway, now) = (Settings::gateway(file)?, jiff::Timestamp::now());
    Ok(Session::load(&path(settings))?.filter(|session| session.is_good(&gateway, now)))
}

fn path(settings: &Settings) -> PathBuf {
    settings.home().join("session.json")
}
