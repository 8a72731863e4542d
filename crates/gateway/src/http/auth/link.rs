//! `POST /api/v1/auth/link`: a wallet proves to belong to the account that is signed in.

use axum::{Json as Answer, extract::State};
use market::Timestamp;
use store::AccountId;
use wire::http::{LinkedJson, VerifyBody};

use crate::{
    GatewayError,
    auth::{Headers, Session, sign_in_origins, siwe},
    http::{auth, body::Json},
    state::{Shared, now},
    wallet::{account_refused, kept},
};

/// Link a wallet to the account that is signed in with a password: the wallet signs a message like one that signs it in
/// (`POST /api/v1/auth/siwe/nonce`). What it sends to the treasury is the account's then, and signed in with the wallet
/// the account's money is at hand too.
#[utoipa::path(post, path = "/api/v1/auth/link", tag = "auth",
    request_body = VerifyBody,
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "The wallets of the account.", body = LinkedJson),
        (status = 409, description = "The wallet belongs to another account, or has money of its own here."),
        (status = 501, description = "This gateway keeps no money, and so no accounts."),
    ),
)]
pub(crate) async fn link(
    State(shared): State<Shared>,
    session: Session,
    Headers(headers): Headers,
    Json(body): Json<VerifyBody>,
) -> Result<Answer<LinkedJson>, GatewayError> {
    let Some(account) = session.account.map(AccountId) else {
        let what = "you are signed in with a wallet: sign in with the account's password first".into();
        return Err(GatewayError::Conflict { what });
    };
    let accounts = &kept(&shared)?.accounts;
    let origins = sign_in_origins(shared.public_url.as_ref(), &headers);
    if origins.is_empty() {
        return Err(auth::no_address());
    }
    let at = Timestamp(now());
    let expected = siwe::Expected { origins: &origins, chain_id: shared.market.domain().chain_id, now: at };
    let signed = siwe::check(&body, &expected)?;
    auth::use_up(&shared, &signed, at).await?;
    accounts.link(signed.address, account, at).await.map_err(account_refused)?;
    tracing::info!(%account, wallet = %signed.address, "a wallet was linked");
    Ok(Answer(LinkedJson { account: account.0, wallets: shared.store.links_of(account).await? }))
}
