//! What a job would cost, and what to sign for it. Moves nothing.

use alloy_primitives::Address;
use chain::calls;
use market::{Offer, Seconds, Timestamp};
use wire::http::{CreateJobBody, CreatedJobJson};

use super::{created, currency, unsigned};
use crate::{
    GatewayError,
    http::{jobs::ask, page::malformed},
    orders::{self, Wish},
    state::{Shared, now},
};

/// An authorization is good for this long: time to read and sign it, and no more.
const SIGN_WITHIN: Seconds = Seconds(3600);

pub(super) async fn quote(
    shared: &Shared,
    renter: Address,
    body: &CreateJobBody,
) -> Result<CreatedJobJson, GatewayError> {
    let currency = currency(shared);
    let wish = Wish::read(body, currency)?;
    let controller = controller(shared, body)?;
    let offers = offers(shared);
    let offer = wish.choose(&offers, currency)?;
    let document = wire::document(&wish.spec)?;
    let terms = orders::terms((renter, controller), offer, wish.duration, document.digest, rand::random());
    orders::check(&terms)?;
    let market = &shared.market;
    let (balance, head, is_paused) = ask(shared, async {
        tokio::try_join!(market.token_balance(renter), market.chain().head(), market.is_paused())
    })
    .await?;
    if is_paused {
        return Err(GatewayError::Conflict { what: "the market is paused: it takes no new jobs for now".into() });
    }
    let locked = orders::locked(&terms);
    orders::affordable(renter, balance, locked, currency)?;
    let until = head.timestamp.max(Timestamp(now())).after(SIGN_WITHIN);
    let sign = ask(shared, market.authorization_to_sign(&terms, Timestamp(0), until)).await?;
    // On disk it comes with the job: a price costs nothing, and disks are not for who only asks.
    shared.quoted.hold(renter, document);
    let does = format!(
        "locks {} {} for a job of at most {}; the market must have been allowed to take that much",
        locked.in_tokens(currency.decimals),
        currency.symbol,
        wish.duration
    );
    let transaction = unsigned(shared, renter, calls::create_job(&terms), does);
    Ok(CreatedJobJson { transaction: Some(transaction), sign: Some(sign), ..created(shared, &terms) })
}

/// Who signs Ready and may stop: who is named, else this gateway.
fn controller(shared: &Shared, body: &CreateJobBody) -> Result<Address, GatewayError> {
    let watcher = || shared.watcher.as_ref().map(chain::Account::address);
    match body.controller.or_else(watcher) {
        Some(Address::ZERO) => Err(malformed("controller", "nobody has this address; name who signs Ready")),
        Some(controller) => Ok(controller),
        None => {
            let reason = "is missing: this gateway watches over no jobs, so name the key that signs Ready";
            Err(malformed("controller", reason))
        }
    }
}

/// What is listed, as the market's choice reads it.
pub(crate) fn offers(shared: &Shared) -> Vec<Offer> {
    let shown = shared.gpus();
    shown.all().iter().filter_map(|entry| Offer::try_from(&entry.gpu).ok()).collect()
}
