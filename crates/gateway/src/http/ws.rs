//! `GET /api/v1/ws`: renters and pages follow jobs and providers.

use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::Method,
    response::Response,
};

use super::socket::{self, Farewell, Gone, Heard, Socket};
use crate::{
    GatewayError,
    auth::{Headers, session},
    client::{Client, Pumped, looks},
    state::{Shared, now},
};

pub(crate) async fn connect(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, GatewayError> {
    let upgrade = upgrade.map_err(|_| GatewayError::Upgrade)?;
    // Any page may open a WebSocket to anywhere, and a browser sends the cookie along.
    let session = session(&shared, &Method::GET, &headers, true).await?;
    let permit = shared.clients.clone().try_acquire_owned();
    let permit = permit.map_err(|_| GatewayError::Busy { what: "this gateway has as many clients as it takes" })?;
    let state = shared.clone();
    Ok(socket::upgrade(&state, upgrade, move |mut socket| async move {
        let mut client = Client::new(shared.clone(), session);
        let farewell = talk(&shared, &mut client, &mut socket).await;
        drop(client);
        if let Ok(Some(farewell)) = farewell {
            tracing::debug!(?farewell, "a client was sent away");
            socket.close(farewell).await;
        }
        drop(permit);
    }))
}

/// Until the client goes (none) or has to go.
async fn talk(shared: &Shared, client: &mut Client, socket: &mut Socket) -> Result<Option<Farewell>, Gone> {
    let wake = client.wake();
    let mut looks = looks(shared);
    loop {
        tokio::select! {
            heard = socket.hear() => match heard {
                Heard::Said(text) => {
                    socket.send(&client.said(&text, now()).await).await?;
                    if client.is_tiresome() {
                        return Ok(Some(Farewell::refused("too many messages had to be refused")));
                    }
                }
                Heard::Closed => return Ok(None),
                Heard::Ends(farewell) => return Ok(Some(farewell)),
            },
            () = wake.notified() => match client.pump() {
                Pumped::News(texts) => socket.send_all(texts).await?,
                Pumped::TooSlow { topic } => {
                    let reason = format!("too slow: {topic} moved on; connect again");
                    return Ok(Some(Farewell::again(reason)));
                }
            },
            _ = looks.tick() => {
                let told = client.look(now()).await;
                if !told.is_empty() {
                    socket.send_all(told).await?;
                }
            }
            () = shared.shutdown.cancelled() => return Ok(Some(Farewell::away())),
        }
    }
}
