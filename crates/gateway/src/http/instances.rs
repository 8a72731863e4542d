//! A running job as plain streams: each message of the WebSocket is one line, or one measurement.

pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod show;
pub(crate) mod stop;

use axum::{
    extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, Method},
};
use market::JobId;
use store::JobRow;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    GatewayError,
    auth::{Session, job_of_party, session},
    state::Shared,
};

/// A handshake that may go on.
struct Admitted {
    upgrade: WebSocketUpgrade,
    row: JobRow,
    session: Session,
    permit: OwnedSemaphorePermit,
}

/// Lets a party of the job in. The rules are those of `/api/v1/ws`: one place for each client, and a cookie counts only
/// from our own pages.
async fn admit(
    shared: &Shared,
    headers: &HeaderMap,
    job: JobId,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Admitted, GatewayError> {
    let session = session(shared, &Method::GET, headers, true).await?;
    let session = session.ok_or(GatewayError::NotSignedIn { reason: "nobody is signed in" })?;
    let row = job_of_party(shared, job, session.address).await?;
    let upgrade = upgrade.map_err(|_| GatewayError::Upgrade)?;
    let permit = shared.clients.clone().try_acquire_owned();
    let permit = permit.map_err(|_| GatewayError::Busy { what: "this gateway has as many clients as it takes" })?;
    Ok(Admitted { upgrade, row, session, permit })
}
