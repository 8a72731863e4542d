//! `POST /api/v1/auth/siwe/verify`: a signed message becomes a session.

use alloy_primitives::B256;
use axum::{
    Json as Answer,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use market::Timestamp;
use store::AccountId;
use wire::http::{SessionJson, VerifyBody};

use crate::{
    GatewayError,
    auth::{Headers, is_foreign_page, random, sign_in_origins, siwe, token_hash},
    config::SESSION_FOR,
    http::{auth, body::Json},
    state::{Shared, now},
};

/// Whoever signed the message is signed in for 24 hours. The token is in the answer for programs and in a cookie for
/// browsers.
#[utoipa::path(
    post,
    path = "/api/v1/auth/siwe/verify",
    tag = "auth",
    request_body = VerifyBody,
    responses((status = 200, body = SessionJson))
)]
pub(crate) async fn verify(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Json(body): Json<VerifyBody>,
) -> Result<Response, GatewayError> {
    let origins = sign_in_origins(shared.public_url.as_ref(), &headers);
    if origins.is_empty() {
        return Err(auth::no_address());
    }
    let at = Timestamp(now());
    let expected = siwe::Expected { origins: &origins, chain_id: shared.market.domain().chain_id, now: at };
    let signed = siwe::check(&body, &expected)?;
    shared.rates.session(signed.address)?;
    // Last, so that only a message that is right uses a nonce up.
    auth::use_up(&shared, &signed, at).await?;
    let token = format!("{:x}", random::<B256>()?);
    let expires = at.0 + SESSION_FOR.as_secs();
    shared.store.new_session(token_hash(&token), signed.address, at, Timestamp(expires)).await?;
    if let Some(wallet) = &shared.wallet {
        let account = shared.store.owner(signed.address).await?.unwrap_or(AccountId::of(signed.address));
        if let Err(error) = wallet.accounts.claim(signed.address, account, at).await {
            tracing::warn!(%error, address = %signed.address, "what was sent before the sign-in is not credited yet");
        }
    }
    tracing::info!(address = %signed.address, "somebody signed in");
    // Another's page, which can make a browser post here, must not put its visitor into a session of its own choice.
    let cookie = (!is_foreign_page(&headers, &origins))
        .then(|| auth::cookie(shared.public_url.as_ref(), &token, SESSION_FOR.as_secs()))
        .flatten();
    let session = SessionJson { token, address: signed.address, expires_at: auth::time(expires) };
    let mut response = Answer(session).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
