//! `GET /api/v1/auth/me`: who is signed in.

use axum::{Json, extract::State};
use wire::http::MeJson;

use crate::{GatewayError, auth::Session, http::auth, state::Shared, wallet::Holder};

/// Whom the session belongs to.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    security(("bearer" = []), ("session" = [])),
    responses((status = 200, body = MeJson))
)]
pub(crate) async fn me(State(shared): State<Shared>, session: Session) -> Result<Json<MeJson>, GatewayError> {
    let holder = Holder::of(&shared, &session).await?;
    let user = shared.store.user(holder.account).await?;
    Ok(Json(MeJson {
        address: session.address,
        account: holder.account.0,
        email: user.map(|user| user.email),
        wallets: shared.store.links_of(holder.account).await?,
        expires_at: auth::time(session.expires.0),
    }))
}
