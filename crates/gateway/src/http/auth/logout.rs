//! `POST /api/v1/auth/logout`: the session is over, on every gateway of this database.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use wire::http::RefreshBody;

use crate::{
    GatewayError,
    auth::{Headers, Session, tokens},
    http::{auth, body},
    state::Shared,
};

/// Ends the session that the request came with, and with `refreshToken` in the body, or the browser's cookie, also what
/// would make the next one.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    request_body(content = Option<RefreshBody>, description = "Nothing, or what would make the next session."),
    security(("bearer" = []), ("session" = [])),
    responses((status = 204, description = "It is over"))
)]
pub(crate) async fn logout(
    State(shared): State<Shared>,
    session: Session,
    Headers(headers): Headers,
    body::Bytes(bytes): body::Bytes,
) -> Result<Response, GatewayError> {
    let body: RefreshBody = if bytes.is_empty() { RefreshBody::default() } else { body::parse(&bytes)? };
    shared.store.end_session(session.hash).await?;
    let given = body.refresh_token.as_deref().or(tokens::refresh_cookie(&headers));
    if let Some(token) = given {
        shared.store.end_session(tokens::refresh_hash(token)).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let public = shared.public_url.as_ref();
    for cookie in [auth::cookie(public, "", 0), auth::refresh_cookie(public, "", 0)].into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
