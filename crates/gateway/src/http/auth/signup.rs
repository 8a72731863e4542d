//! `POST /api/v1/auth/signup`: an account with e-mail address and password.

use axum::{extract::State, http::StatusCode, response::Response};
use market::Timestamp;
use wire::http::{AccountSessionJson, SignupBody};

use super::opened;
use crate::{
    GatewayError,
    auth::{Headers, tokens},
    http::{Client, body::Json},
    state::{Shared, now},
    wallet::{account_refused, kept},
};

/// Make an account, for who holds no wallet. It is signed in at once, like after a login. Its money lies in the market
/// wallet; whoever has the password has the money.
#[utoipa::path(post, path = "/api/v1/auth/signup", tag = "auth",
    request_body = SignupBody,
    responses(
        (status = 201, description = "It is made and signed in.", body = AccountSessionJson),
        (status = 409, description = "The address has an account."),
        (status = 501, description = "This gateway keeps no money, and so no accounts."),
    ),
)]
pub(crate) async fn signup(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Client(from): Client,
    Json(body): Json<SignupBody>,
) -> Result<Response, GatewayError> {
    let accounts = &kept(&shared)?.accounts;
    let made = accounts.sign_up(&body.email, &body.password, from, Timestamp(now())).await;
    let account = made.map_err(account_refused)?;
    tracing::info!(%account, "an account was made");
    let session = tokens::begin(&shared, account).await?;
    Ok(opened(&shared, &headers, StatusCode::CREATED, session))
}
