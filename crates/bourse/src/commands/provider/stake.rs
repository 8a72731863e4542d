//! `bourse provider stake` and `bourse provider unstake`.

use std::process::ExitCode;

use chain::{Account, SendConfig};
use market::{Amount, ResourceId, Seconds, rules::DISPUTE_WINDOW};
use renter::GatewayClient;
use serde_json::json;

use crate::{
    answer::{self, Token},
    commands::run::prepare::tokens,
    failure::Failure,
    keys,
    settings::Settings,
    ui::Ui,
};

#[derive(clap::Args, Debug)]
pub(crate) struct StakeArgs {
    /// How much to put down, in whole tokens.
    #[arg(value_name = "TOKENS")]
    amount: String,
    /// The listing [default: the only one of this provider].
    #[arg(long, value_name = "ID")]
    resource: Option<alloy_primitives::B256>,
}

#[derive(clap::Args, Debug)]
pub(crate) struct UnstakeArgs {
    /// How much to ask back, in whole tokens. It can be taken two weeks later; left out, what is due is taken now.
    #[arg(value_name = "TOKENS")]
    amount: Option<String>,
    /// The listing [default: the only one of this provider].
    #[arg(long, value_name = "ID")]
    resource: Option<alloy_primitives::B256>,
}

pub(crate) async fn stake(args: &StakeArgs, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let owner = owner(settings).await?;
    let resource = resource(&owner, settings, args.resource).await?;
    let amount = tokens(&args.amount, &Token::of(owner.market()))?;
    if owner.market().allowance(owner.address()).await? < amount {
        owner.approve(amount).await?;
    }
    let mined = owner.stake(resource, amount).await?;
    show(&owner, resource, mined.tx, ui).await
}

pub(crate) async fn unstake(args: &UnstakeArgs, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let owner = owner(settings).await?;
    let resource = resource(&owner, settings, args.resource).await?;
    let mined = match &args.amount {
        Some(amount) => owner.unstake(resource, tokens(amount, &Token::of(owner.market()))?).await?,
        None => owner.withdraw_stake(resource, owner.address()).await?,
    };
    show(&owner, resource, mined.tx, ui).await
}

/// The owner's key in this market.
pub(super) async fn owner(settings: &Settings) -> Result<Account, Failure> {
    let (_, market) = settings.market().await?;
    let key = keys::one(&settings.home(), "owner", &keys::home_password(settings)?)?;
    Ok(Account::new(market, key, SendConfig::default()))
}

/// The listing that is meant: the one named, or the only one that the gateway lists of this provider.
async fn resource(
    owner: &Account,
    settings: &Settings,
    named: Option<alloy_primitives::B256>,
) -> Result<ResourceId, Failure> {
    if let Some(id) = named {
        return Ok(ResourceId(id.0));
    }
    let market = owner.market();
    let address = owner.address();
    let provider = market.provider_of(address).await?;
    let mut own = Vec::new();
    for offer in GatewayClient::new(Settings::gateway(&settings.market_file()?)?)?.offers().await? {
        let state = market.resource(offer.id).await?;
        if state.is_some_and(|state| Some(state.provider_id) == provider) {
            own.push(offer.id);
        }
    }
    match own[..] {
        [only] => Ok(only),
        [] => Err(Failure::Usage(format!(
            "the gateway lists nothing of {address}: start `bourse provider run`, or name the listing with --resource"
        ))),
        _ => Err(Failure::Usage("this provider has several listings: name one with --resource".into())),
    }
}

async fn show(owner: &Account, resource: ResourceId, tx: alloy_primitives::B256, ui: &Ui) -> Result<ExitCode, Failure> {
    let market = owner.market();
    let state = market.resource(resource).await?;
    let state = state.ok_or_else(|| Failure::Usage(format!("resource {resource} is not listed")))?;
    let token = Token::of(market);
    let covered = state.price.vouched(state.free(), DISPUTE_WINDOW);
    let answer = json!({
        "resource": resource.to_string(),
        "stake": state.stake.to_string(),
        "tied": state.tied.to_string(),
        "unbonding": state.unbonding.to_string(),
        "contested": state.contested.to_string(),
        "coverSeconds": covered.0,
        "tx": tx.to_string(),
    });
    ui.answer(&answer, || {
        let part = |what: &str, amount: Amount| match amount {
            Amount::ZERO => String::new(),
            amount => format!(", {} {what}", token.show(amount)),
        };
        let parts = [part("tied", state.tied), part("going back", state.unbonding), part("contested", state.contested)]
            .concat();
        let pay =
            if covered == Seconds(0) { "comes an hour late".into() } else { format!("for {covered} comes at once") };
        let (stake, tx) = (token.show(state.stake), answer::short(&tx));
        format!("{stake} staked{parts}; the next job's pay {pay} (tx {tx})")
    });
    Ok(ExitCode::SUCCESS)
}
