//! Jobs of accounts with a password: paid from their part of the market wallet. The treasury is the renter on chain; its key
//! signs for the money, a gas wallet sends, and this gateway's watcher controls the job.
//!
//! ```text
//! hold in the ledger ─▶ bytes on disk ─▶ broadcast ─▶ locked in the ledger ─▶ final on chain ─▶ settled in the ledger
//!         └── never on chain, and the signature has expired ─▶ released
//! ```

use alloy_primitives::{Address, B256};
use axum::http::StatusCode;
use chain::{Account, ChainError, calls};
use market::{Amount, JobId, ResourceId, Timestamp};
use payments::{
    PaymentsError,
    facilitator::Sent,
    ledger::{Posting, wallets},
};
use store::{AccountId, HoldRow, HoldState};
use wire::{
    Terms, TermsJson,
    http::{CreateJobBody, CreatedJobJson},
};

use super::{
    created, currency,
    pay::{Paid, existing, of_terms, rentable, spec},
    quote::offers,
};
use crate::{
    GatewayError,
    funding::{authorized_until, locked, purpose},
    http::{jobs::ask, page::malformed},
    orders::{self, Wish, publish},
    state::{Shared, now},
    wallet::{Funding, asset, kept, refused},
};

/// A signature that expires so soon is not sent any more: a block may take as long.
const SENT_BEFORE_S: u64 = 60;

/// What a job costs, and its terms. Sending them back orders it.
pub(super) async fn quote(
    shared: &Shared,
    account: AccountId,
    body: &CreateJobBody,
) -> Result<CreatedJobJson, GatewayError> {
    let (funding, currency) = (funding(shared)?, currency(shared));
    let wish = Wish::read(body, currency)?;
    let controller = watcher(shared)?.address();
    if body.controller.is_some_and(|named| named != controller) {
        return Err(malformed("controller", format!("is {controller} for jobs that the wallet pays; leave it out")));
    }
    let listed = offers(shared);
    let offer = wish.choose(&listed, currency)?;
    let document = wire::document(&wish.spec)?;
    let renter = funding.signer.address();
    let terms = orders::terms((renter, controller), offer, wish.duration, document.digest, rand::random());
    orders::check(&terms)?;
    if ask(shared, shared.market.is_paused()).await? {
        return Err(GatewayError::Conflict { what: "the market is paused: it takes no new jobs for now".into() });
    }
    affordable(shared, account, orders::locked(&terms)).await?;
    shared.quoted.hold(Address::from_word(account.0), document);
    Ok(created(shared, &terms))
}

/// Sets the money aside and puts the job on chain, once, however often it is asked.
pub(super) async fn pay(
    shared: &Shared,
    account: AccountId,
    body: &CreateJobBody,
    terms: &TermsJson,
) -> Result<Paid, GatewayError> {
    let funding = funding(shared)?.clone();
    let terms = Terms::try_from(terms).map_err(of_terms)?;
    if (terms.renter, terms.controller) != (funding.signer.address(), watcher(shared)?.address()) {
        return Err(malformed("terms", "are not for a job that the wallet pays; ask for new terms"));
    }
    orders::check(&terms)?;
    orders::agree(body, &terms, currency(shared))?;
    let job = shared.market.job_id(&terms);
    let begun = match shared.store.hold(job).await? {
        Some(hold) if hold.account != account => return Err(another()),
        hold => hold.is_some(),
    };
    if let Some(made) = existing(shared, &terms).await? {
        return if begun { Ok((StatusCode::OK, made)) } else { Err(another()) };
    }
    if !begun {
        rentable(shared, &terms)?;
        affordable(shared, account, orders::locked(&terms)).await?;
        shared.rates.relayed(Address::from_word(account.0))?;
    }
    if let Some(document) = spec(shared, body, terms.specDigest)? {
        publish(shared, terms.renter, document).await?;
    }
    // A caller who hangs up does not take his job back; it must still be followed to its end.
    let work = tokio::spawn(carry_out(shared.clone(), funding, account, terms));
    work.await.unwrap_or_else(|_| Err(unknown(job, "this gateway stops")))
}

async fn carry_out(shared: Shared, funding: Funding, account: AccountId, terms: Terms) -> Result<Paid, GatewayError> {
    let job = shared.market.job_id(&terms);
    let _turn = shared.relays.turn(job).await?;
    let hold = set_aside(&shared, account, job, &terms).await?;
    if let Some(made) = existing(&shared, &terms).await? {
        locked(&shared, &hold, orders::locked(&terms)).await?;
        return Ok((StatusCode::OK, made));
    }
    let until = authorized_until(&hold);
    let was_sent = shared.store.send(&purpose(job)).await?.is_some();
    if !was_sent && now() + SENT_BEFORE_S > until.0 {
        return Err(too_late(until));
    }
    let authorization = ask(&shared, shared.market.authorize(&funding.signer, &terms, until)).await?;
    let call = calls::create_job_with_authorization(shared.market.address(), &terms, &authorization);
    match funding.sender.carry_out(&purpose(job), &call).await {
        Ok(Sent::Done(receipt)) => {
            locked(&shared, &hold, orders::locked(&terms)).await?;
            let tx = receipt.logs.first().map(|log| log.tx);
            tracing::info!(%job, %account, "a job was paid from the wallet");
            Ok((StatusCode::CREATED, CreatedJobJson { tx, ..created(&shared, &terms) }))
        }
        // Another gateway may have been faster.
        Ok(Sent::Reverted { .. }) | Err(PaymentsError::Chain(ChainError::Reverted(_))) => {
            match existing(&shared, &terms).await? {
                Some(made) => {
                    locked(&shared, &hold, orders::locked(&terms)).await?;
                    Ok((StatusCode::OK, made))
                }
                None => Err(GatewayError::Conflict {
                    what: format!(
                        "the market refuses the job: its resource was taken or withdrawn. Nothing was spent; what was set \
                         aside comes back after {}; ask for new terms",
                        crate::http::auth::time(until.0)
                    ),
                }),
            }
        }
        Ok(Sent::Unknown { tx }) => Err(unknown(job, &format!("transaction {tx} is on its way"))),
        Err(error) => Err(unknown(job, &error.to_string())),
    }
}

/// Moves the price of the whole job out of what may be spent.
async fn set_aside(shared: &Shared, account: AccountId, job: JobId, terms: &Terms) -> Result<HoldRow, GatewayError> {
    let (row, _) = asset(shared, shared.market.token(), None).await?;
    let amount = |amount: u128| i64::try_from(amount).map_err(|_| malformed("terms", "cost more than anybody has"));
    let posting = Posting::Hold {
        job,
        part: 0,
        account,
        asset: row.asset,
        amount: amount(orders::locked(terms).0)?,
        price_per_hour: amount(terms.pricePerHour.to())?,
        resource: Some(ResourceId(terms.resourceId.0)),
    };
    kept(shared)?.ledger.post(posting, Timestamp(now())).await.map_err(|error| refused(&error))?;
    match shared.store.hold(job).await? {
        Some(hold) if hold.account == account && hold.state == HoldState::Open => Ok(hold),
        Some(hold) if hold.account == account => Err(too_late(authorized_until(&hold))),
        _ => Err(another()),
    }
}

async fn affordable(shared: &Shared, account: AccountId, price: Amount) -> Result<(), GatewayError> {
    let (row, _) = asset(shared, shared.market.token(), None).await?;
    let found = wallets(&shared.store, account).await.map_err(|error| refused(&error))?;
    let has = found.into_iter().find(|wallet| wallet.asset.asset == row.asset).map_or(0, |wallet| wallet.available);
    let has = Amount(u128::try_from(has).unwrap_or(0));
    let missing = price.saturating_sub(has);
    if missing == Amount::ZERO {
        return Ok(());
    }
    let [has, price, missing] = [has, price, missing].map(|it| it.in_tokens(row.decimals));
    let what = format!(
        "{has} {} may be spent and the job sets {price} aside: {missing} are missing. POST /api/v1/wallets/deposit tells \
         how to add, or shorten the job with maxDurationS",
        row.symbol
    );
    Err(GatewayError::Funds { what })
}

fn funding(shared: &Shared) -> Result<&Funding, GatewayError> {
    kept(shared)?.funding.as_ref().ok_or_else(|| GatewayError::NotHere {
        what: "this gateway pays for no jobs from its wallet: sign in with a wallet of your own, POST \
               /api/v1/auth/siwe/nonce and /verify"
            .into(),
    })
}

fn watcher(shared: &Shared) -> Result<&Account, GatewayError> {
    shared.watcher.as_ref().ok_or_else(|| GatewayError::NotHere {
        what: "this gateway watches over no jobs, so nobody could let yours start: sign in with a wallet of your own"
            .into(),
    })
}

fn another() -> GatewayError {
    GatewayError::Conflict { what: "these terms are another account's; ask for new terms".into() }
}

fn too_late(until: Timestamp) -> GatewayError {
    let until = crate::http::auth::time(until.0);
    let what = format!(
        "this job could be created until {until} and was not; what was set aside comes back. Ask for new terms"
    );
    GatewayError::Conflict { what }
}

fn unknown(job: JobId, reason: &str) -> GatewayError {
    let id = B256::from(job.0);
    let what = format!(
        "it is not known yet whether job {id} was created ({reason}). Send the same terms again, or look at GET \
         /api/v1/jobs/{id}: the wallet pays for it once"
    );
    GatewayError::Unknown { what }
}
