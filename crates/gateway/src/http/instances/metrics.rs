//! `GET /api/v1/instances/{id}/metrics?since=`: a WebSocket whose messages are what the job's container uses.

use axum::{
    extract::{
        State,
        ws::{Utf8Bytes, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use jiff::Timestamp;
use market::JobId;
use serde::Deserialize;

use super::{Admitted, admit};
use crate::{
    GatewayError,
    auth::{Headers, Session},
    client::{is_over, looks},
    http::{
        page::Query,
        path::Id,
        socket::{self, Farewell, Gone, Heard, Socket},
    },
    state::{Shared, now},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// The time of the last measurement seen.
    since: Option<Timestamp>,
}

pub(crate) async fn connect(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Id(id): Id,
    Query(wish): Query<Wish>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, GatewayError> {
    let Admitted { upgrade, row, session, permit } = admit(&shared, &headers, JobId(id.0), upgrade).await?;
    let state = shared.clone();
    Ok(socket::upgrade(&state, upgrade, move |mut socket| async move {
        if let Ok(Some(farewell)) = stream(&shared, (row.id, &session), wish.since, &mut socket).await {
            socket.close(farewell).await;
        }
        drop(permit);
    }))
}

/// Until the reader goes (none) or has to go. A slow one gets what is held when he comes to it: at most an hour.
async fn stream(
    shared: &Shared,
    (job, session): (JobId, &Session),
    mut since: Option<Timestamp>,
    socket: &mut Socket,
) -> Result<Option<Farewell>, Gone> {
    let mut touched = shared.gauges.follow(job);
    touched.mark_changed();
    let mut looks = looks(shared);
    loop {
        tokio::select! {
            heard = socket.hear() => match heard {
                Heard::Said(_) => {}
                Heard::Closed => return Ok(None),
                Heard::Ends(farewell) => return Ok(Some(farewell)),
            },
            changed = touched.changed() => {
                if changed.is_err() {
                    return Ok(Some(Farewell::again("more jobs are measured than are held; connect again")));
                }
                let points = shared.gauges.job(job).into_iter().filter(|point| since.is_none_or(|since| point.at > since));
                let points: Vec<_> = points.collect();
                since = points.last().map(|point| point.at).or(since);
                // Every part of a point has a JSON form.
                let texts = points.iter().map(|point| Utf8Bytes::from(serde_json::to_string(point).unwrap_or_default()));
                socket.send_all(texts.collect()).await?;
            }
            _ = looks.tick() => if is_over(shared, session, now()).await {
                return Ok(Some(Farewell::over()));
            },
            () = shared.shutdown.cancelled() => return Ok(Some(Farewell::away())),
        }
    }
}
