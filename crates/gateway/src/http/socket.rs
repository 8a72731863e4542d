//! One WebSocket, with its limits: how long to wait for a write, when to ping, when to call the other side gone.

use std::{borrow::Cow, time::Duration};

use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    response::Response,
};
use futures_util::SinkExt;
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use wire::link::MESSAGE_BYTES_MAX;

use crate::{config::Limits, state::Shared};

/// The longest reason that a close frame carries (RFC 6455, section 5.5).
const REASON_BYTES_MAX: usize = 123;
/// Who was told goodbye gets this long to say so too.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// Takes an upgrade inside our limits; `talk` runs until the socket is done.
pub(crate) fn upgrade<F, T>(shared: &Shared, upgrade: WebSocketUpgrade, talk: F) -> Response
where
    F: FnOnce(Socket) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let limits = shared.limits.clone();
    let counted = shared.sockets.token();
    upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX).on_upgrade(move |socket| async move {
        talk(Socket::new(socket, &limits)).await;
        drop(counted);
    })
}

/// Why a connection ends, as its close frame says it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    code: u16,
    reason: Cow<'static, str>,
}

impl Farewell {
    /// The gateway stops.
    pub(crate) fn away() -> Self {
        Self { code: close_code::AWAY, reason: "the gateway stops; connect again".into() }
    }

    /// The other side broke a rule.
    pub(crate) fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: close_code::POLICY, reason: reason.into() }
    }

    /// What opened this connection opens it no more.
    pub(crate) fn over() -> Self {
        Self::refused("the session that opened this is over; sign in again")
    }

    /// The same may work later.
    pub(crate) fn again(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: close_code::AGAIN, reason: reason.into() }
    }
}

/// What came from the other side.
pub(crate) enum Heard {
    /// A text message.
    Said(Utf8Bytes),
    /// The connection is closed.
    Closed,
    /// The connection must be closed.
    Ends(Farewell),
}

/// The other side cannot be written to any more.
#[derive(Debug)]
pub(crate) struct Gone;

pub(crate) struct Socket {
    socket: WebSocket,
    send_within: Duration,
    idle_after: Duration,
    ping: Interval,
    heard: Instant,
}

impl Socket {
    fn new(socket: WebSocket, limits: &Limits) -> Self {
        let mut ping = interval_at(Instant::now() + limits.ping_every, limits.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let heard = Instant::now();
        Self { socket, send_within: limits.send_within, idle_after: limits.idle_after, ping, heard }
    }

    /// The next message. Nothing is lost when the caller stops waiting.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            tokio::select! {
                message = self.socket.recv() => {
                    self.heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => return Heard::Said(text),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Binary(_))) => {
                            let reason = "messages are JSON texts, not binary".into();
                            return Heard::Ends(Farewell { code: close_code::UNSUPPORTED, reason });
                        }
                        Some(Err(error)) => return broken(&error),
                        Some(Ok(Message::Close(_))) | None => return Heard::Closed,
                    }
                }
                _ = self.ping.tick() => {
                    if self.heard.elapsed() >= self.idle_after {
                        return Heard::Ends(Farewell::again("nothing was heard for too long; connect again"));
                    }
                    if self.write(Message::Ping(Default::default())).await.is_err() {
                        return Heard::Closed;
                    }
                }
            }
        }
    }

    /// Sends a document as JSON.
    pub(crate) async fn send(&mut self, document: &(impl Serialize + Sync)) -> Result<(), Gone> {
        let text = serde_json::to_string(document).map_err(|_| Gone)?;
        self.write(Message::text(text)).await
    }

    /// Sends texts with one flush.
    pub(crate) async fn send_all(&mut self, texts: Vec<Utf8Bytes>) -> Result<(), Gone> {
        for text in texts {
            self.in_time(async |socket| socket.feed(Message::Text(text)).await).await?;
        }
        self.in_time(async |socket| socket.flush().await).await
    }

    /// Says why, and waits a little until the other side has heard it: closing at once could lose the words.
    pub(crate) async fn close(mut self, farewell: Farewell) {
        let mut reason = farewell.reason.into_owned();
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        let frame = CloseFrame { code: farewell.code, reason: reason.into() };
        if self.write(Message::Close(Some(frame))).await.is_ok() {
            let drained = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            // Whether it answered makes no difference any more.
            let _ = timeout(FAREWELL_WITHIN, drained).await;
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        self.in_time(async |socket| socket.send(message).await).await
    }

    async fn in_time(
        &mut self,
        write: impl AsyncFnOnce(&mut WebSocket) -> Result<(), axum::Error>,
    ) -> Result<(), Gone> {
        match timeout(self.send_within, write(&mut self.socket)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

fn broken(error: &axum::Error) -> Heard {
    tracing::debug!(%error, "a socket broke");
    let reason = format!("the message could not be read; one has at most {MESSAGE_BYTES_MAX} bytes");
    Heard::Ends(Farewell { code: close_code::SIZE, reason: reason.into() })
}
