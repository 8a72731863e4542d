//! `POST /api/v1/auth/refresh`: the next session of an account.

use axum::{extract::State, http::StatusCode, response::Response};
use wire::http::{AccountSessionJson, RefreshBody};

use super::opened;
use crate::{
    GatewayError,
    auth::{Headers, is_foreign_page, origins, tokens},
    http::body,
    state::Shared,
};

/// The next session, for a refresh token that is good once. Programs send it in the body; browsers send nothing, their
/// cookie counts.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth",
    request_body(content = Option<RefreshBody>, description = "Nothing, where the cookie counts."),
    responses(
        (status = 200, description = "The next session, with the next refresh token.", body = AccountSessionJson),
        (status = 401, description = "The refresh token was used or has expired."),
    ),
)]
pub(crate) async fn refresh(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    body::Bytes(bytes): body::Bytes,
) -> Result<Response, GatewayError> {
    let body: RefreshBody = if bytes.is_empty() { RefreshBody::default() } else { body::parse(&bytes)? };
    let nobody = GatewayError::NotSignedIn { reason: "there is no refresh token" };
    let token = match (&body.refresh_token, tokens::refresh_cookie(&headers)) {
        (Some(token), _) => token.as_str(),
        (None, Some(_)) if is_foreign_page(&headers, &origins(shared.public_url.as_ref(), &headers)) => {
            return Err(GatewayError::ForeignPage);
        }
        (None, Some(token)) => token,
        (None, None) => return Err(nobody),
    };
    let session = tokens::next(&shared, token).await?;
    Ok(opened(&shared, &headers, StatusCode::OK, session))
}
