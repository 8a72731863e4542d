//! `GET /api/v1/auth/me`: who is signed in.

use axum::Json;
use wire::http::MeJson;

use crate::{auth::Session, http::auth};

/// The address that the session belongs to.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    security(("bearer" = []), ("session" = [])),
    responses((status = 200, body = MeJson))
)]
pub(crate) async fn me(session: Session) -> Json<MeJson> {
    Json(MeJson { address: session.address, expires_at: auth::time(session.expires.0) })
}
