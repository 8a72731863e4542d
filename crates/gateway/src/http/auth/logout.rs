//! `POST /api/v1/auth/logout`: the session is over, on every gateway of this database.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{GatewayError, auth::Session, http::auth, state::Shared};

/// Ends the session that the request came with.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    security(("bearer" = []), ("session" = [])),
    responses((status = 204, description = "It is over"))
)]
pub(crate) async fn logout(State(shared): State<Shared>, session: Session) -> Result<Response, GatewayError> {
    shared.store.end_session(session.hash).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = auth::cookie(shared.public_url.as_ref(), "", 0);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
