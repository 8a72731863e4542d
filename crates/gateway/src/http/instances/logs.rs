//! `GET /api/v1/instances/{id}/logs?since=`: a WebSocket whose messages are the lines that the program writes.

use std::sync::Arc;

use axum::{
    extract::{
        State,
        ws::{Utf8Bytes, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use market::JobId;
use serde::Deserialize;
use tokio::sync::Notify;
use wire::feed::JobNews;

use super::{Admitted, admit};
use crate::{
    GatewayError,
    auth::{Headers, Session},
    client::{is_over, looks},
    config::FEED_BATCH,
    feed::{ClientId, Read},
    http::{
        jobs::logs::event,
        page::Query,
        path::Id,
        socket::{self, Farewell, Gone, Heard, Socket},
    },
    state::{Shared, now},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// The number of the last news seen, as `GET /api/v1/jobs/{id}/logs` gives it.
    since: Option<u64>,
}

pub(crate) async fn connect(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Id(id): Id,
    Query(wish): Query<Wish>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, GatewayError> {
    let Admitted { upgrade, row, session, permit } = admit(&shared, &headers, JobId(id.0), upgrade).await?;
    let (job, client, wake) = (row.id, shared.number(), Arc::<Notify>::default());
    let full = |_| GatewayError::Busy { what: "this gateway follows as many jobs as it can" };
    shared.feeds.subscribe(job, row.terms, client, wake.clone()).map_err(full)?;
    let follows = Follows { shared: shared.clone(), job, client };
    wake.notify_one();
    let state = shared.clone();
    Ok(socket::upgrade(&state, upgrade, move |mut socket| async move {
        let farewell = stream(&shared, (job, &session), wish.since.unwrap_or(0), &wake, &mut socket).await;
        drop(follows);
        if let Ok(Some(farewell)) = farewell {
            socket.close(farewell).await;
        }
        drop(permit);
    }))
}

/// A place among the job's readers; it ends with this, also when the handshake is never finished.
struct Follows {
    shared: Shared,
    job: JobId,
    client: ClientId,
}

impl Drop for Follows {
    fn drop(&mut self) {
        self.shared.feeds.unsubscribe(self.job, self.client);
    }
}

/// Until the reader goes (none) or has to go. What he says is not looked at.
async fn stream(
    shared: &Shared,
    (job, session): (JobId, &Session),
    since: u64,
    wake: &Notify,
    socket: &mut Socket,
) -> Result<Option<Farewell>, Gone> {
    let (mut after, mut begun, mut looks) = (since, false, looks(shared));
    loop {
        tokio::select! {
            heard = socket.hear() => match heard {
                Heard::Said(_) => {}
                Heard::Closed => return Ok(None),
                Heard::Ends(farewell) => return Ok(Some(farewell)),
            },
            () = wake.notified() => match shared.feeds.read(job, after, FEED_BATCH) {
                Read::Events { texts, upto } => {
                    if texts.len() == FEED_BATCH {
                        wake.notify_one();
                    }
                    (after, begun) = (upto, true);
                    socket.send_all(texts.iter().filter_map(|text| line(text)).collect()).await?;
                }
                Read::Behind { .. } if begun => {
                    return Ok(Some(Farewell::again("too slow: the log moved on; connect again with since")));
                }
                Read::Behind { oldest } => {
                    after = oldest - 1;
                    wake.notify_one();
                }
            },
            _ = looks.tick() => if is_over(shared, session, now()).await {
                return Ok(Some(Farewell::over()));
            },
            () = shared.shutdown.cancelled() => return Ok(Some(Farewell::away())),
        }
    }
}

fn line(text: &str) -> Option<Utf8Bytes> {
    match event(text)?.news {
        JobNews::JobLog { line, .. } => Some(line.into()),
        _ => None,
    }
}
