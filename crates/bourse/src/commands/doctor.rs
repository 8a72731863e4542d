//! `bourse doctor`: everything that a renter needs, looked at in the order in which it is needed.

use std::process::ExitCode;

use renter::GatewayClient;
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::{self, Token},
    failure::Failure,
    settings::Settings,
    ui::Ui,
};

/// One thing looked at.
#[derive(Serialize)]
struct Check {
    what: &'static str,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

pub(crate) async fn doctor(settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let mut checks = Vec::new();
    look(settings, &mut checks).await;
    let healthy = checks.iter().all(|check| check.ok);
    for check in &checks {
        match check.remedy {
            _ if check.ok => ui.step(check.what, &check.found),
            remedy => ui.warn(format_args!("{:<9} {} — {}", check.what, check.found, remedy.unwrap_or_default())),
        }
    }
    ui.answer(&json!({ "healthy": healthy, "checks": checks }), || {
        if healthy { "all is well".into() } else { "something is missing; see above".into() }
    });
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks until something is missing that all the rest needs.
async fn look(settings: &Settings, checks: &mut Vec<Check>) {
    let mut note = |what, found: Result<String, Failure>, remedy| {
        let ok = found.is_ok();
        let found = found.unwrap_or_else(|err| err.to_string());
        checks.push(Check { what, ok, found, remedy: (!ok).then_some(remedy) });
        ok
    };
    let file = settings.market_file();
    let shown = file.as_ref().map(|file| format!("{} on chain {}", file.market, file.chain_id));
    note("market", shown.map_err(|err| Failure::Usage(err.to_string())), "start one with `bourse up`");
    let Ok(file) = file else { return };
    let market = crate::settings::open(&file).await;
    let reached = market.as_ref().map(|market| format!("{} answers, settles in {}", file.rpc, market.symbol()));
    note(
        "chain",
        reached.map_err(|err| Failure::Usage(err.to_string())),
        "start the chain, or correct \"rpc\" in the market description",
    );
    let wallet = settings.wallet();
    let address = wallet.as_ref().map(|wallet| wallet.address());
    let named = address.as_ref().map(ToString::to_string).map_err(|err| Failure::Usage(err.to_string()));
    note("wallet", named, "make one with `bourse wallet new`");
    if let (Ok(market), Ok(address)) = (&market, address) {
        let funds = async {
            let held = market.token_balance(address).await?;
            let gas = market.chain().balance(address).await?;
            if held.0 == 0 || gas.is_zero() {
                return Err(Failure::Usage(format!(
                    "{} and {} of the chain's own coin for gas",
                    Token::of(market).show(held),
                    answer::coin(gas)
                )));
            }
            Ok(format!("{} and gas", Token::of(market).show(held)))
        };
        note("money", funds.await, "send tokens and some of the chain's own coin to the wallet");
    }
    let gateway = async {
        let client = GatewayClient::new(Settings::gateway(&file)?)?;
        let health = client.health().await?;
        if health.market != file.market {
            return Err(Failure::Usage(format!("{} serves another market, {}", client.base(), health.market)));
        }
        if health.agents == 0 {
            return Err(Failure::Usage(format!("{} serves no provider now", client.base())));
        }
        Ok(format!("{} serves {}", client.base(), answer::count(health.agents as u64, "provider")))
    };
    note(
        "gateway",
        gateway.await,
        "start `bourse up` or `bourse provider run`, or correct \"gateway\" in the market description",
    );
}
