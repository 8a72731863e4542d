//! `POST /api/v1/auth/siwe/nonce`: a word that opens one session, once.

use alloy_primitives::B128;
use axum::{Json as Answer, extract::State};
use market::Timestamp;
use wire::http::{NonceBody, NonceJson};

use crate::{
    GatewayError,
    auth::{Headers, authority, random, sign_in_origins, siwe},
    config::NONCE_FOR,
    http::{auth, body::Json},
    state::{Shared, now},
};

/// A nonce for ten minutes. With `address` in the body it is good for that address only, and the answer carries a
/// message ready to be signed.
#[utoipa::path(
    post,
    path = "/api/v1/auth/siwe/nonce",
    tag = "auth",
    request_body = NonceBody,
    responses((status = 200, body = NonceJson))
)]
pub(crate) async fn nonce(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Json(body): Json<NonceBody>,
) -> Result<Answer<NonceJson>, GatewayError> {
    let origins = sign_in_origins(shared.public_url.as_ref(), &headers);
    let Some(uri) = origins.last().cloned() else { return Err(auth::no_address()) };
    let nonce = format!("{:x}", random::<B128>()?);
    let expires = now() + NONCE_FOR.as_secs();
    shared.store.new_nonce(&auth::stored(&nonce, body.address), Timestamp(expires)).await?;
    let chain_id = shared.market.domain().chain_id;
    let at = auth::time(now());
    let message = body.address.map(|address| siwe::message(&uri, address, chain_id, &nonce, at));
    let domain = authority(&uri).to_owned();
    Ok(Answer(NonceJson { nonce, domain, uri, chain_id, expires_at: auth::time(expires), message }))
}
