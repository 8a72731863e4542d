//! Takes a payment and makes the job that it pays for: settled once, swept once, whatever is asked how often.

use alloy_primitives::{Address, B256};
use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chain::{ChainError, calls::deposits};
use market::Timestamp;
use payments::{PaymentsError, exact::Paid, facilitator::Sent};
use wire::{
    Terms, TermsJson,
    http::CreatedJobJson,
    x402::{PAYMENT_RESPONSE, Payment, SettleResponse, X_PAYMENT_RESPONSE},
};

use super::{
    Asked,
    offer::{self, TERMS},
};
use crate::{
    GatewayError,
    http::{
        jobs::{
            ask,
            create::{created, pay::existing, pay::rentable},
        },
        page::malformed,
    },
    orders::{self, publish},
    state::{Shared, now},
    x402::{self, HttpPayments},
};

/// A payment for terms that were offered.
struct Purchase {
    payment: Payment,
    payer: Address,
    pay_to: Address,
    terms: Terms,
    json: TermsJson,
}

pub(super) async fn buy(
    shared: &Shared,
    payments: HttpPayments,
    asked: Asked,
    payment: Payment,
) -> Result<Response, GatewayError> {
    let payload = payment.exact()?;
    let (payer, pay_to, nonce) = (payload.authorization.from, payload.authorization.to, payload.authorization.nonce);
    let token = payments.exact.token().clone();
    let brought = match &payment {
        Payment::V2(payment) => payment.accepted.extra.get(TERMS).cloned(),
        Payment::V1(_) => None,
    };
    let json = match brought.and_then(|terms| serde_json::from_value(terms).ok()) {
        Some(terms) => Some(terms),
        None => x402::offered(shared, pay_to).await?,
    };
    let Some(json) = json else {
        // Never a fresh offer to somebody who may have paid.
        if ask(shared, token.authorization_used(payer, nonce)).await? {
            return Err(unknown_terms(pay_to));
        }
        let error = "the offer that this pays for is not known here any more".to_owned();
        return offer::required(shared, &payments, &asked, Some(error)).await;
    };
    let terms = agreed(shared, &payments, &asked, &json, pay_to).await?;
    let made = existing(shared, &terms).await?;
    if made.is_none() && !ask(shared, token.authorization_used(payer, nonce)).await? {
        // Nothing moved yet: what can no longer be had is asked for anew.
        if let Err(gone) = rentable(shared, &terms) {
            return offer::required(shared, &payments, &asked, Some(gone.to_string())).await;
        }
        x402::worth(shared, &payments, &terms).await?;
        // Whoever asks again for the same payment has had its gas counted.
        if x402::is_new(shared, pay_to).await? {
            x402::spend_gas(shared, &payments, payer).await?;
        }
    }
    if let Some(spec) = &asked.wish.spec {
        publish(shared, terms.renter, wire::document(spec)?).await?;
    }
    x402::keep(shared, pay_to, &json).await?;
    let purchase = Purchase { payment, payer, pay_to, terms, json };
    let shared = shared.clone();
    // A caller who hangs up does not take his payment back; it must still be followed to its end.
    let work = tokio::spawn(async move { carry_out(&shared, &payments, &asked, purchase).await });
    work.await.unwrap_or_else(|_| Err(GatewayError::Unknown { what: "this gateway stops; send the same again".into() }))
}

/// Checks that the terms are those that this gateway would offer for what the body asks, at the address that is paid.
async fn agreed(
    shared: &Shared,
    payments: &HttpPayments,
    asked: &Asked,
    json: &TermsJson,
    pay_to: Address,
) -> Result<Terms, GatewayError> {
    let terms = Terms::try_from(json)?;
    orders::check(&terms)?;
    if terms.renter != asked.renter {
        return Err(malformed(
            "refundTo",
            format!("this payment is for a job of {}; send the same body", terms.renter),
        ));
    }
    if terms.controller != offer::controller(shared)? {
        return Err(malformed("payment", "the terms name another watcher than this gateway's; ask for a new offer"));
    }
    let digest = asked.wish.spec.as_ref().map(wire::document).transpose()?.map(|document| document.digest);
    if digest.is_some_and(|digest| digest != terms.specDigest) {
        return Err(malformed("spec", "is another one than was paid for; send the same body"));
    }
    if ask(shared, payments.deposits.account(&terms)).await? != pay_to {
        return Err(malformed("payment", "pays another address than that of its terms; ask for a new offer"));
    }
    Ok(terms)
}

async fn carry_out(
    shared: &Shared,
    payments: &HttpPayments,
    asked: &Asked,
    purchase: Purchase,
) -> Result<Response, GatewayError> {
    let job = shared.market.job_id(&purchase.terms);
    let _turn = shared.relays.turn(job).await?;
    // The job is there, and this authorization did not pay for it: taken now, it would pay a second time.
    if let Some(made) = existing(shared, &purchase.terms).await?
        && !is_taken(shared, payments, &purchase).await?
    {
        return Ok((StatusCode::OK, Json(made)).into_response());
    }
    let (amount, bound) = (orders::locked(&purchase.terms).0, x402::bound(B256::from(job.0)));
    let requirements = offer::requirements(payments, amount, purchase.pay_to, &purchase.json);
    let settled = payments.exact.settle(&purchase.payment, &requirements, bound, Timestamp(now())).await;
    let paid = match settled {
        Ok(paid) => paid,
        Err(error) => match error.into_refusal() {
            // Nothing moved: the client is told why, and what would be right.
            Ok(refusal) => {
                let failed = refusal.to_settle(network(&purchase.payment));
                let answer = offer::required(shared, payments, asked, Some(refusal.to_string())).await?;
                return Ok(with_response(answer, &failed));
            }
            Err(error) => return Err(unknown(&error)),
        },
    };
    let response = SettleResponse {
        success: true,
        transaction: paid.tx.to_string(),
        network: network(&purchase.payment),
        payer: Some(purchase.payer),
        amount: Some(amount.to_string()),
        ..SettleResponse::default()
    };
    if let Some(made) = existing(shared, &purchase.terms).await? {
        give_back(shared, payments, &purchase).await;
        return Ok(with_response((StatusCode::OK, Json(made)).into_response(), &response));
    }
    let (status, made) = swept(shared, payments, &purchase, &paid).await?;
    let mut answer = (status, Json(&made)).into_response();
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/jobs/{}", made.job_id)) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    Ok(with_response(answer, &response))
}

/// Whether the money of this authorization moved, or may move yet.
async fn is_taken(shared: &Shared, payments: &HttpPayments, purchase: &Purchase) -> Result<bool, GatewayError> {
    let payload = purchase.payment.exact()?;
    let begun = payments.exact.begun(&payload).await.map_err(|error| unknown(&error))?;
    let told = &payload.authorization;
    Ok(begun || ask(shared, payments.exact.token().authorization_used(told.from, told.nonce)).await?)
}

/// Gives back what lies at the address of a job that is there already: somebody else paid for it.
async fn give_back(shared: &Shared, payments: &HttpPayments, purchase: &Purchase) {
    let (job, at) = (shared.market.job_id(&purchase.terms), payments.deposits.address());
    match payments.exact.token().balance_of(purchase.pay_to).await {
        Ok(amount) if amount.0 == 0 => return,
        Ok(_) => {}
        Err(error) => return tracing::warn!(%job, %error, "whether money is left of a job's payment is not known now"),
    }
    let call = deposits::return_deposit(at, &purchase.terms);
    match payments.sender.carry_out(&format!("return:{job}"), &call).await {
        Ok(Sent::Done(_)) => tracing::info!(%job, "a payment for a job that was there already went back"),
        Ok(sent) => tracing::warn!(%job, ?sent, "a payment for a job that was there already did not go back yet"),
        Err(error) => tracing::warn!(%job, %error, "a payment for a job that was there already did not go back yet"),
    }
}

/// Turns the money at the job's address into the job, or gives it back.
async fn swept(
    shared: &Shared,
    payments: &HttpPayments,
    purchase: &Purchase,
    paid: &Paid,
) -> Result<(StatusCode, CreatedJobJson), GatewayError> {
    let (job, terms, at) = (shared.market.job_id(&purchase.terms), &purchase.terms, payments.deposits.address());
    match payments.sender.carry_out(&format!("sweep:{job}"), &deposits::sweep(at, terms)).await {
        Ok(Sent::Done(receipt)) => {
            let tx = receipt.logs.first().map(|log| log.tx);
            tracing::info!(%job, payment = %paid.tx, "a job was bought with one payment");
            return Ok((StatusCode::CREATED, CreatedJobJson { tx, ..created(shared, terms) }));
        }
        Ok(Sent::Reverted { .. }) | Err(PaymentsError::Chain(ChainError::Reverted(_))) => {}
        Ok(Sent::Unknown { tx }) => return Err(unknown(&PaymentsError::Unknown { tx })),
        Err(error) => return Err(unknown(&error)),
    }
    // Anybody may have swept it.
    if let Some(made) = existing(shared, terms).await? {
        give_back(shared, payments, purchase).await;
        return Ok((StatusCode::OK, made));
    }
    match payments.sender.carry_out(&format!("return:{job}"), &deposits::return_deposit(at, terms)).await {
        Ok(Sent::Done(_)) => Err(GatewayError::Conflict {
            what: format!(
                "the job can no longer be created: its resource was taken or withdrawn. The whole payment went back to {}; \
                 ask for a new offer",
                terms.renter
            ),
        }),
        Ok(Sent::Unknown { tx }) => Err(unknown(&PaymentsError::Unknown { tx })),
        Ok(Sent::Reverted { .. }) | Err(PaymentsError::Chain(ChainError::Reverted(_))) => {
            let what = format!(
                "the payment lies at {} and buys no job at this moment; send the same again, or give it back with \
                 returnDeposit of {at}, which anybody may call",
                purchase.pay_to
            );
            Err(GatewayError::Unknown { what })
        }
        Err(error) => Err(unknown(&error)),
    }
}

/// The chain as the payment called it.
fn network(payment: &Payment) -> String {
    match payment {
        Payment::V1(payment) => payment.network.clone(),
        Payment::V2(payment) => payment.accepted.network.to_string(),
    }
}

/// Puts what became of the payment into the headers that either version reads.
fn with_response(mut answer: Response, response: &SettleResponse) -> Response {
    let text = wire::x402::encode("what became of the payment", response).unwrap_or_default();
    if let Ok(value) = HeaderValue::try_from(text) {
        for name in [PAYMENT_RESPONSE, X_PAYMENT_RESPONSE] {
            answer.headers_mut().insert(HeaderName::from_static(name), value.clone());
        }
    }
    answer
}

fn unknown(error: &PaymentsError) -> GatewayError {
    let what = format!(
        "it is not known yet what became of the payment ({error}). Send the same payment again: it counts once"
    );
    GatewayError::Unknown { what }
}

fn unknown_terms(pay_to: Address) -> GatewayError {
    GatewayError::Conflict {
        what: format!(
            "this payment was made, and its terms are not known here any more. The money lies at {pay_to}; with the terms \
             of the offer anybody can give it back to its renter (returnDeposit)"
        ),
    }
}
