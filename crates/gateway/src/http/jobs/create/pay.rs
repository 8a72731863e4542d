//! Puts an authorised job on chain: one transaction by this gateway, whatever is asked how often.

use alloy_primitives::{Address, B256};
use axum::http::StatusCode;
use chain::{Account, Authorization, ChainError, MarketRevert};
use market::{JobId, PerHour, Status, Timestamp};
use payments::PaymentsError;
use wire::{
    Document, Terms, TermsJson, WireError,
    http::{AuthorizationJson, CreateJobBody, CreatedJobJson},
};

use super::{created, currency};
use crate::{
    GatewayError,
    config::{RELAYED_GAS, RELAYED_GAS_RISE},
    http::{jobs::ask, page::malformed},
    orders::{self, publish},
    state::{Shared, now},
};

const NO_GAS: &str = "this gateway cannot pay gas now: try again later, or approve the market and send the transaction \
                      of the answer without terms yourself";

/// What was answered, and whether it is new.
pub(super) type Paid = (StatusCode, CreatedJobJson);

pub(super) async fn pay(
    shared: &Shared,
    renter: Address,
    body: &CreateJobBody,
    terms: &TermsJson,
    authorization: &AuthorizationJson,
) -> Result<Paid, GatewayError> {
    let terms = Terms::try_from(terms).map_err(of_terms)?;
    if terms.renter != renter {
        let reason = format!("these terms are paid by {}, who must be signed in", terms.renter);
        return Err(GatewayError::Forbidden { who: renter, reason });
    }
    orders::check(&terms)?;
    orders::agree(body, &terms, currency(shared))?;
    if let Some(job) = existing(shared, &terms).await? {
        return Ok((StatusCode::OK, job));
    }
    let Some(payer) = shared.watcher.clone() else {
        let what = "this gateway has no key to pay gas with: approve the market and send the transaction of the answer \
                    without terms yourself";
        return Err(GatewayError::NotHere { what: what.into() });
    };
    let spec = spec(shared, body, terms.specDigest)?;
    rentable(shared, &terms)?;
    let authorization = signed(shared, &terms, authorization).await?;
    let balance = ask(shared, shared.market.token_balance(renter)).await?;
    orders::affordable(renter, balance, orders::locked(&terms), currency(shared))?;
    shared.rates.relayed(renter)?;
    if let Some(document) = spec {
        publish(shared, renter, document).await?;
    }
    // A caller who hangs up does not take the transaction back; it must still be followed to its end.
    let job = shared.market.job_id(&terms);
    let work = tokio::spawn(relay(shared.clone(), payer, terms, authorization));
    work.await.unwrap_or_else(|_| Err(unknown(job, "this gateway stops")))
}

/// The job of these terms, if the chain has it.
pub(crate) async fn existing(shared: &Shared, terms: &Terms) -> Result<Option<CreatedJobJson>, GatewayError> {
    let job = shared.market.job_id(terms);
    if ask(shared, shared.market.job(job)).await?.status == Status::None {
        return Ok(None);
    }
    let events = shared.store.job_events(job).await?;
    let tx = events.iter().find(|event| event.kind == "JobCreated").map(|event| event.tx);
    Ok(Some(CreatedJobJson { tx, ..created(shared, terms) }))
}

/// The spec that the terms name, unless it is kept here already.
pub(super) fn spec(shared: &Shared, body: &CreateJobBody, digest: B256) -> Result<Option<Document>, GatewayError> {
    let Some(spec) = &body.spec else {
        let cid = Document::cid_of(digest)?;
        if let Some(document) = shared.quoted.get(digest) {
            return Ok(Some(document));
        }
        if shared.blocks.is_pinned(&cid) {
            return Ok(None);
        }
        let reason = format!("this gateway does not hold the spec {cid} of the terms; send it along");
        return Err(malformed("spec", reason));
    };
    spec.check()?;
    let document = wire::document(spec)?;
    if document.digest != digest {
        let reason =
            format!("its digest is {}, not the terms' {digest}; send the spec that was priced", document.digest);
        return Err(malformed("spec", reason));
    }
    Ok(Some(document))
}

/// Says what the market would refuse before gas is spent on hearing it. The chain has the last word.
pub(crate) fn rentable(shared: &Shared, terms: &Terms) -> Result<(), GatewayError> {
    let shown = shared.gpus();
    let entry = shown
        .get(terms.resourceId)
        .ok_or_else(|| malformed("terms.resourceId", "is not listed here; GET /api/v1/gpus shows what is"))?;
    let reason = if !entry.gpu.available {
        "its owner does not offer it now"
    } else if entry.gpu.busy && terms.notBefore.to::<u64>() <= now() {
        "a job holds it now"
    } else if entry.price > PerHour(terms.pricePerHour.to()) {
        "its price has risen above that of the terms"
    } else {
        return Ok(());
    };
    let why = format!("{} ({}): {reason}; ask for new terms", entry.gpu.hardware.model, entry.gpu.id);
    Err(GatewayError::NoMatch { why })
}

/// Checks that the renter signed, for this job, and that it counts now.
async fn signed(
    shared: &Shared,
    terms: &Terms,
    authorization: &AuthorizationJson,
) -> Result<Authorization, GatewayError> {
    let AuthorizationJson { valid_after, valid_before, signature } = *authorization;
    let authorization =
        Authorization { valid_after: Timestamp(valid_after), valid_before: Timestamp(valid_before), signature };
    let market = &shared.market;
    let (signer, head) =
        ask(shared, async { tokio::try_join!(market.authorizer(terms, &authorization), market.chain().head()) })
            .await?;
    if signer != Some(terms.renter) {
        return Err(GatewayError::Wire(WireError::Signer {
            what: "the payment of these terms",
            found: signer.map_or_else(|| "nobody (malformed)".into(), |signer| signer.to_string()),
            expected: format!("the renter {}", terms.renter),
        }));
    }
    let now = head.timestamp.max(Timestamp(now()));
    if authorization.valid_before <= now {
        let reason = format!("it was good until {valid_before}, and it is {}; ask for new terms and sign again", now.0);
        return Err(malformed("authorization.validBefore", reason));
    }
    if authorization.valid_after >= now {
        let reason = format!("it is good only after {valid_after}, and it is {}; send it then", now.0);
        return Err(malformed("authorization.validAfter", reason));
    }
    Ok(authorization)
}

/// Sends the transaction, once at a time for each job, and follows it to its end.
async fn relay(shared: Shared, payer: Account, terms: Terms, signed: Authorization) -> Result<Paid, GatewayError> {
    let job = shared.market.job_id(&terms);
    let _turn = shared.relays.turn(job).await?;
    if let Some(made) = existing(&shared, &terms).await? {
        return Ok((StatusCode::OK, made));
    }
    afford(&shared).await?;
    match payer.create_job_with_authorization(&terms, &signed).await {
        Ok(mined) => {
            tracing::info!(%job, tx = %mined.tx, gas = mined.gas_used, "an authorised job was created");
            Ok((StatusCode::CREATED, CreatedJobJson { tx: Some(mined.tx), ..created(&shared, &terms) }))
        }
        // Another gateway, or an earlier try of which nothing was heard, was faster.
        Err(ChainError::Reverted(revert)) => match existing(&shared, &terms).await? {
            Some(made) => Ok((StatusCode::OK, made)),
            None => Err(refused(revert)),
        },
        Err(error) => Err(failed(job, error)),
    }
}

/// Takes the gas of a relay out of the day's budget, before anything is signed for it.
async fn afford(shared: &Shared) -> Result<(), GatewayError> {
    let Some(budget) = &shared.relayed_gas else { return Ok(()) };
    let price = ask(shared, shared.market.chain().gas_price()).await?;
    let wei = price.saturating_mul(RELAYED_GAS_RISE).saturating_mul(RELAYED_GAS.into());
    match budget.take_wei(wei, Timestamp(now())).await {
        Ok(()) => Ok(()),
        Err(PaymentsError::GasSpent { signer, cap_gwei }) => {
            tracing::warn!(%signer, cap_gwei, "the gas for jobs that are relayed is used up today");
            Err(GatewayError::Unavailable { what: NO_GAS.into() })
        }
        Err(error) => Err(crate::wallet::refused(&error)),
    }
}

fn refused(revert: MarketRevert) -> GatewayError {
    match revert {
        MarketRevert::BadTerms(field) => malformed(&format!("terms.{field}"), "the market refuses it"),
        MarketRevert::AuthorizationNotNow { .. } => malformed("authorization", revert.to_string()),
        other => GatewayError::Conflict { what: format!("the market refuses: {other}; nothing was paid") },
    }
}

fn failed(job: JobId, error: ChainError) -> GatewayError {
    match error {
        ChainError::Unreachable { .. } => GatewayError::Chain { reason: error.to_string() },
        ChainError::InsufficientGas { .. } | ChainError::FeeTooHigh { .. } | ChainError::Refused { .. } => {
            tracing::error!(%job, %error, "an authorised job cannot be paid gas for");
            GatewayError::Unavailable { what: NO_GAS.into() }
        }
        other => unknown(job, &other.to_string()),
    }
}

fn unknown(job: JobId, reason: &str) -> GatewayError {
    let what = format!(
        "it is not known yet whether job {job} was created ({reason}). Send the same again, or look at \
         GET /api/v1/jobs/{job}: the authorization pays for this job once, however often it is sent"
    );
    GatewayError::Unknown { what }
}

pub(super) fn of_terms(error: WireError) -> GatewayError {
    match error {
        WireError::Field { field, reason } => malformed(&format!("terms.{field}"), reason),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_is_known_to_have_failed_is_said_to_have_failed() {
        let (job, tx) = (JobId([7; 32]), B256::repeat_byte(1));
        let unmined = ChainError::NotMined { tx, waited: Duration::from_secs(60) };
        for doubtful in [unmined, ChainError::Replaced { tx }] {
            let told = failed(job, doubtful);
            assert!(matches!(&told, GatewayError::Unknown { .. }) && told.is_retryable(), "{told}");
            let words = told.to_string();
            assert!(words.contains(&job.to_string()) && words.contains("Send the same again"), "{words}");
        }
        let poor = ChainError::InsufficientGas { account: Address::ZERO, balance: Default::default() };
        assert!(matches!(failed(job, poor), GatewayError::Unavailable { .. }));
        let refused = refused(MarketRevert::BadTerms("minCharge".into()));
        assert!(matches!(refused, GatewayError::Malformed { field, .. } if field == "terms.minCharge"));
    }
}
