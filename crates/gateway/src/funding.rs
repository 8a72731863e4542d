//! Keeps the ledger true to the jobs that the treasury pays for, and turns payments that lie at a job's address into the job
//! or gives them back, whatever became of the request that began it. Each step is a posting or a transaction that counts
//! once, so that several gateways of one database may all do it.

mod runways;

use std::{collections::HashSet, time::Duration};

use alloy_primitives::{Address, B256};
use chain::{Block, Call, calls::deposits};
use market::{Amount, JobId, Status, Timestamp};
use payments::{PaymentsError, facilitator::Sent, ledger::Posting};
use store::{HoldRow, JobRow};
use tokio::time::{MissedTickBehavior, interval};
use wire::{Terms, TermsJson};

use crate::{
    GatewayError,
    config::SWEEP_TRIES_MAX,
    http::jobs::ask,
    state::{Shared, now},
    wallet::refused,
    x402::{self, HttpPayments},
};

/// How long the treasury's signature for a job is good: until it is certain that the job can no longer be made with it, the
/// money stays set aside.
const AUTHORIZED_FOR_S: u64 = 300;
/// Between two looks at the jobs that the treasury pays for.
const HOLDS_EVERY: Duration = Duration::from_secs(2);
/// Between two looks at payments that were left lying: whoever asks for his own job is served at once.
const DEPOSITS_EVERY: Duration = Duration::from_secs(10);

/// Under which purpose a job that the treasury pays for is sent.
pub(crate) fn purpose(job: JobId) -> String {
    format!("funded:{job}")
}

/// Until when the treasury's signature for a job is good, by the chain's time.
pub(crate) fn authorized_until(hold: &HoldRow) -> Timestamp {
    Timestamp(hold.created_at.0.saturating_add(AUTHORIZED_FOR_S))
}

/// Until the gateway stops.
pub(crate) async fn run(shared: Shared) {
    let shutdown = shared.shutdown.clone();
    let work = async {
        tokio::join!(
            Box::pin(follow_holds(&shared)),
            Box::pin(follow_deposits(&shared)),
            Box::pin(runways::follow(&shared))
        )
    };
    let _: Option<_> = shutdown.run_until_cancelled(work).await;
}

async fn follow_holds(shared: &Shared) {
    if shared.wallet.is_none() {
        return;
    }
    let mut turns = interval(HOLDS_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        if let Err(error) = look_at_holds(shared).await {
            tracing::warn!(%error, "the ledger waits for what became of jobs");
        }
    }
}

async fn look_at_holds(shared: &Shared) -> Result<(), GatewayError> {
    let holds = shared.store.treasury_jobs().await?;
    if holds.is_empty() {
        return Ok(());
    }
    let finalized = ask(shared, shared.market.chain().finalized()).await?;
    for hold in holds {
        let job = hold.job;
        if let Err(error) = follow(shared, hold, &finalized).await {
            tracing::warn!(%job, %error, "what became of a job is not in the ledger yet");
        }
    }
    Ok(())
}

/// Posts what happened to a job since.
async fn follow(shared: &Shared, hold: HoldRow, finalized: &Block) -> Result<(), GatewayError> {
    let Some(row) = shared.store.job(hold.job).await? else {
        return release(shared, &hold, finalized).await;
    };
    if hold.locked == 0 {
        locked(shared, &hold, row.locked).await?;
    }
    if let Some(at) = row.started_at.filter(|_| hold.started_at.is_none()) {
        post(shared, Posting::JobStarted { job: hold.job, at }).await?;
    }
    // What the chain may still take back is not settled.
    if let Some((spent, refunded)) = settled(&row).filter(|_| row.changed <= finalized.number) {
        let (job, spent, refunded) = (hold.job, units(spent)?, units(refunded)?);
        post(shared, Posting::JobSettled { job, spent, refunded, fee: 0 }).await?;
        tracing::info!(%job, spent, refunded, "a job that the treasury paid for is settled");
    }
    Ok(())
}

/// What a job that is over for good cost, and what came back of it.
fn settled(row: &JobRow) -> Option<(Amount, Amount)> {
    if !matches!(row.status, Status::Final | Status::Cancelled) {
        return None;
    }
    // A verdict may give back more than was locked, out of a provider's stake; the ledger's job got its lock back then.
    let refunded = row.refunded.min(row.locked);
    Some((row.locked.saturating_sub(refunded), refunded))
}

/// Notes that a job holds the treasury's money now.
pub(crate) async fn locked(shared: &Shared, hold: &HoldRow, amount: Amount) -> Result<(), GatewayError> {
    post(shared, Posting::JobLocked { job: hold.job, part: 0, amount: units(amount)? }).await
}

/// Gives back what was set aside for a job that can no longer come about: its signature is over in a block that stays, and
/// the chain does not have it.
async fn release(shared: &Shared, hold: &HoldRow, finalized: &Block) -> Result<(), GatewayError> {
    if hold.locked != 0 || finalized.timestamp <= authorized_until(hold) {
        return Ok(());
    }
    let _turn = shared.relays.turn(hold.job).await?;
    if ask(shared, shared.market.job(hold.job)).await?.status != Status::None {
        return Ok(());
    }
    post(shared, Posting::Release { job: hold.job }).await?;
    tracing::info!(job = %hold.job, "a job never came about, and what was set aside for it is back");
    Ok(())
}

async fn post(shared: &Shared, posting: Posting) -> Result<(), GatewayError> {
    let wallet = crate::wallet::kept(shared)?;
    wallet.ledger.post(posting, Timestamp(now())).await.map(drop).map_err(|error| refused(&error))
}

fn units(amount: Amount) -> Result<i64, GatewayError> {
    let unknown = |_| GatewayError::Unknown { what: format!("{} is more than any ledger holds", amount.0) };
    i64::try_from(amount.0).map_err(unknown)
}

async fn follow_deposits(shared: &Shared) {
    let Some(payments) = shared.x402.clone() else { return };
    let mut turns = interval(DEPOSITS_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done = HashSet::new();
    loop {
        turns.tick().await;
        if let Err(error) = look_at_deposits(shared, &payments, &mut done).await {
            tracing::warn!(%error, "payments that were left lying cannot be looked for now");
        }
    }
}

async fn look_at_deposits(
    shared: &Shared,
    payments: &HttpPayments,
    done: &mut HashSet<Address>,
) -> Result<(), GatewayError> {
    let kept = x402::all_kept(shared).await?;
    // What is a day old is no longer among them.
    done.retain(|address| kept.iter().any(|(pay_to, _)| pay_to == address));
    for (pay_to, terms) in kept {
        if done.contains(&pay_to) {
            continue;
        }
        match bring_home(shared, payments, pay_to, &terms).await {
            Ok(true) => drop(done.insert(pay_to)),
            Ok(false) => {}
            Err(error) => tracing::warn!(%pay_to, %error, "a payment lies at its job's address; it is looked at again"),
        }
    }
    Ok(())
}

/// Makes the job of the money at its address, or gives the money back. True when nothing more will come of it.
async fn bring_home(
    shared: &Shared,
    payments: &HttpPayments,
    pay_to: Address,
    terms: &TermsJson,
) -> Result<bool, GatewayError> {
    let terms = Terms::try_from(terms)?;
    let job = shared.market.job_id(&terms);
    let token = payments.exact.token().clone();
    if ask(shared, token.balance_of(pay_to)).await? == Amount::ZERO {
        return Ok(ask(shared, shared.market.job(job)).await?.status != Status::None);
    }
    // Whoever asks for it goes first.
    let _turn = shared.relays.turn(job).await?;
    if ask(shared, token.balance_of(pay_to)).await? == Amount::ZERO {
        return Ok(true);
    }
    let at = payments.deposits.address();
    if again(payments, &format!("sweep:{job}"), &deposits::sweep(at, &terms)).await? {
        tracing::info!(%job, "a payment that was left lying became its job");
        return Ok(true);
    }
    let returned = again(payments, &format!("return:{job}"), &deposits::return_deposit(at, &terms)).await?;
    if returned {
        tracing::info!(%job, renter = %terms.renter, "a payment that was left lying went back");
    }
    Ok(returned)
}

/// Sends a call that anybody may send at any time, under the first of its names that did not fail before. False when the
/// market refuses it now.
async fn again(payments: &HttpPayments, purpose: &str, call: &Call) -> Result<bool, GatewayError> {
    for number in 0..SWEEP_TRIES_MAX {
        let name = if number == 0 { purpose.to_owned() } else { format!("{purpose}:{number}") };
        let sent = match payments.sender.outcome(&name).await {
            // It did nothing, or did it before more money came.
            Ok(Some(Sent::Reverted { .. } | Sent::Done(_))) => continue,
            Ok(Some(sent)) => Ok(sent),
            Ok(None) => payments.sender.carry_out(&name, call).await,
            Err(error) => Err(error),
        };
        return match sent {
            Ok(Sent::Done(_)) => Ok(true),
            Ok(Sent::Reverted { .. }) | Err(PaymentsError::Chain(chain::ChainError::Reverted(_))) => Ok(false),
            Ok(Sent::Unknown { tx }) => Err(unknown(&PaymentsError::Unknown { tx })),
            Err(error) => Err(unknown(&error)),
        };
    }
    Ok(false)
}

fn unknown(error: &PaymentsError) -> GatewayError {
    GatewayError::Unknown { what: error.to_string() }
}

/// Whether `who` pays for a job through the wallet: the account that it is held for, or a wallet that belongs to it.
pub(crate) async fn pays_for(shared: &Shared, job: JobId, who: Address) -> Result<bool, GatewayError> {
    let Some(hold) = shared.store.hold(job).await? else { return Ok(false) };
    let account: B256 = hold.account.0;
    Ok(Address::from_word(account) == who || shared.store.owner(who).await? == Some(hold.account))
}
