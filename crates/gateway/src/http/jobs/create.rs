//! `POST /api/v1/jobs`: first what it would cost and what to sign, then, with the signature, the job itself.

mod funded;
pub(crate) mod pay;
pub(crate) mod quote;

use alloy_primitives::{Address, B256, Bytes};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use store::AccountId;
use wire::{
    Terms,
    http::{CreateJobBody, CreatedJobJson, UnsignedTx},
};

use crate::{
    GatewayError,
    auth::Session,
    http::{body, page::malformed},
    orders::{self, Currency},
    state::Shared,
};

/// Create a job. Nothing happens yet without `authorization`: the answer holds the terms, what they cost, a transaction
/// for who pays gas himself, and typed data for who does not. With those terms and the signature over the typed data
/// the gateway puts the job on chain at its own gas. The spec is held in memory until the job is there, and then kept where
/// its agent looks for it; whoever sends the transaction much later uploads the spec before. The same authorization never pays twice: sending it again gives
/// the job that is there.
///
/// Who signed in with a password signs nothing: sending back the terms of the first answer orders the job, and its price is
/// set aside from his money here.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs",
    request_body = CreateJobBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 160 characters; the same key and body give the same answer for a day.")),
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What to sign; or, with an authorization, the job that it paid for before.", body = CreatedJobJson),
        (status = 201, description = "The job is on chain.", body = CreatedJobJson),
        (status = 409, description = "Nothing fits, money is missing, or the market refuses; nothing was paid."),
        (status = 422, description = "The idempotency key was used for another body."),
        (status = 501, description = "This gateway pays no gas; send the transaction yourself."),
        (status = 503, description = "Something does not answer, or the outcome is not known: send the same again, it pays once."),
    ),
)]
pub(crate) async fn create(
    State(shared): State<Shared>,
    session: Session,
    body::Bytes(bytes): body::Bytes,
) -> Result<Response, GatewayError> {
    orders::refuse_templates(&body::parse(&bytes)?)?;
    let body: CreateJobBody = body::parse(&bytes)?;
    let (renter, account) = (session.address, session.account.map(AccountId));
    let (status, created) = match (&body.terms, &body.authorization, account) {
        (None, None, None) => (StatusCode::OK, quote::quote(&shared, renter, &body).await?),
        (Some(terms), Some(authorization), None) => pay::pay(&shared, renter, &body, terms, authorization).await?,
        (None, None, Some(account)) => (StatusCode::OK, funded::quote(&shared, account, &body).await?),
        (Some(terms), None, Some(account)) => funded::pay(&shared, account, &body, terms).await?,
        (Some(_), None, None) => {
            let reason = "is missing; sign what the answer without terms held, or leave the terms out for a new one";
            return Err(malformed("authorization", reason));
        }
        (_, Some(_), Some(_)) => {
            let reason =
                "is what wallets sign; a job of this account is paid from its money here. Send the terms alone";
            return Err(malformed("authorization", reason));
        }
        (None, Some(_), None) => {
            return Err(malformed("terms", "are missing; send those that the authorization pays for"));
        }
    };
    let mut response = (status, Json(&created)).into_response();
    if status == StatusCode::CREATED
        && let Ok(place) = HeaderValue::try_from(format!("/api/v1/jobs/{}", created.job_id))
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// What this market settles in.
pub(crate) fn currency(shared: &Shared) -> Currency<'_> {
    let market = &shared.market;
    Currency { token: market.token(), decimals: market.decimals(), symbol: market.symbol() }
}

/// A call of the market for the caller's wallet.
pub(crate) fn unsigned(shared: &Shared, from: Address, data: Bytes, does: String) -> UnsignedTx {
    let (chain_id, to) = (shared.market.chain().id(), shared.market.address());
    UnsignedTx { chain_id, from, to, data, value: "0".into(), does }
}

/// The job in an answer.
pub(crate) fn created(shared: &Shared, terms: &Terms) -> CreatedJobJson {
    CreatedJobJson {
        job_id: B256::from(shared.market.job_id(terms).0),
        terms: terms.into(),
        estimated_cost: currency(shared).money(orders::locked(terms)),
        transaction: None,
        sign: None,
        tx: None,
    }
}
