//! What a gateway answers to a payer.

use alloy_primitives::B256;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use url::Url;
use wire::{
    http::Problem,
    x402::{self, PAYMENT_REQUIRED, PaymentRequired},
};

use crate::RenterError;

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The answer to a refund.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundedJson {
    pub(super) channel_id: B256,
    pub(super) refunded: String,
    pub(super) tx: Option<B256>,
}

/// What came of a payment.
pub(super) enum Answered {
    /// It was taken; the body.
    Done(Vec<u8>),
    /// It was not.
    Required(PaymentRequired),
}

/// Another try may be answered otherwise. A gateway that was just restarted does not know a lease before its agent links
/// again, so 404 is one of these.
pub(super) fn is_unsettled(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::NOT_FOUND
}

pub(super) async fn required(base: &Url, answer: Response) -> Result<PaymentRequired, RenterError> {
    if answer.status() != StatusCode::PAYMENT_REQUIRED {
        return Err(failed(base, answer).await);
    }
    let header = answer.headers().get(PAYMENT_REQUIRED).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(x402::decode("the offer", header)?)
}

pub(super) async fn failed(base: &Url, answer: Response) -> RenterError {
    let status = answer.status();
    let body = body(base, answer).await.unwrap_or_default();
    let said = serde_json::from_slice::<Problem>(&body).map_or_else(|_| String::new(), |problem| problem.detail);
    problem(base, format!("answered {status}: {said}"), is_unsettled(status))
}

pub(super) async fn body(base: &Url, mut answer: Response) -> Result<Vec<u8>, RenterError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|err| problem(base, format!("broke off ({err})"), true))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(problem(base, "gave an answer beyond all limits".into(), false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(super) fn problem(base: &Url, problem: String, retryable: bool) -> RenterError {
    RenterError::Gateway { url: base.to_string(), problem, retryable }
}
