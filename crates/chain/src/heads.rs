//! New blocks as the node announces them, over a WebSocket: nobody has to ask for them then.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::{self, Message, protocol::WebSocketConfig};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::{
    Block, Chain,
    chain::{Header, failure},
};

/// A header has two or three KiB; what is much larger is none.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// The first wait after a lost connection; it doubles up to [`BACKOFF_MAX`].
const BACKOFF: Duration = Duration::from_millis(100);
/// A node without WebSockets is asked for them no oftener than this: it may have been started anew with them.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// A connection that held for this long was a good one.
const STABLE: Duration = Duration::from_secs(10);
/// Without a word for this long the node is asked for a sign of life, and must give it within the same time: a
/// connection that was cut without notice says nothing either.
const QUIET_MAX: Duration = Duration::from_secs(15);

/// What is announced.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Announced {
    /// Since when every new block is announced; `None` while nobody does.
    pub(crate) since: Option<Instant>,
    /// The last block that was, and when.
    pub(crate) head: Option<(Instant, Block)>,
}

/// A subscription to new blocks, kept up until it is dropped.
pub(crate) struct Heads {
    announced: watch::Receiver<Announced>,
    _task: AbortOnDropHandle<()>,
}

impl Heads {
    /// Subscribes at `ws`, now and whenever the connection was lost.
    pub(crate) fn subscribe(ws: Url, connect_within: Duration) -> Self {
        let (tell, announced) = watch::channel(Announced::default());
        let task = AbortOnDropHandle::new(tokio::spawn(keep_up(ws, connect_within, tell)));
        Self { announced, _task: task }
    }

    /// What is announced now and from now on.
    pub(crate) fn announced(&self) -> watch::Receiver<Announced> {
        let mut announced = self.announced.clone();
        announced.mark_unchanged();
        announced
    }
}

/// Waits for the next block.
pub(crate) struct News(Option<watch::Receiver<Announced>>);

impl News {
    pub(crate) fn of(announced: Option<watch::Receiver<Announced>>) -> Self {
        Self(announced)
    }

    /// Takes note of what was announced so far, and tells how long nobody need ask.
    pub(crate) fn note(&mut self, chain: &Chain) -> Duration {
        let announced = self.0.as_mut().map(|announced| *announced.borrow_and_update());
        chain.patience(&announced.unwrap_or_default())
    }

    /// Waits this long, or until something is announced that was not noted.
    pub(crate) async fn within(&mut self, pause: Duration) {
        let Some(announced) = &mut self.0 else { return tokio::time::sleep(pause).await };
        if let Ok(Err(_)) = tokio::time::timeout(pause, announced.changed()).await {
            // Nobody announces any more.
            self.0 = None;
            tokio::time::sleep(pause).await;
        }
    }
}

async fn keep_up(ws: Url, connect_within: Duration, tell: watch::Sender<Announced>) {
    let mut pause = BACKOFF;
    loop {
        let Err(why) = listen(&ws, connect_within, &tell).await;
        let since = tell.borrow().since;
        if since.is_some() {
            // Whoever waits must ask for himself again.
            tell.send_modify(|announced| announced.since = None);
        }
        if since.is_some_and(|since| since.elapsed() >= STABLE) {
            pause = BACKOFF;
        }
        tracing::debug!(why, pause_ms = pause.as_millis(), "new blocks are not announced; asking for them");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(BACKOFF_MAX);
    }
}

/// What a node says: the answer to the subscription, or a block.
#[derive(Debug, Deserialize)]
struct Said {
    result: Option<serde_json::Value>,
    error: Option<Refusal>,
    params: Option<Announcement>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Announcement {
    result: Header,
}

/// Tells of every block until the connection ends; the reason is what it returns.
async fn listen(
    ws: &Url,
    connect_within: Duration,
    tell: &watch::Sender<Announced>,
) -> Result<std::convert::Infallible, String> {
    let failed = |error: tungstenite::Error| failure::unreachable(ws, &error).to_string();
    let config =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX)).max_frame_size(Some(MESSAGE_BYTES_MAX));
    let connecting = tokio_tungstenite::connect_async_with_config(ws.as_str(), Some(config), true);
    let connected = tokio::time::timeout(connect_within, connecting).await.map_err(|_| "no answer")?;
    let (mut socket, _) = connected.map_err(failed)?;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;
    socket.send(Message::text(subscribe)).await.map_err(failed)?;
    let mut asked = false;
    loop {
        let Ok(message) = tokio::time::timeout(QUIET_MAX, socket.next()).await else {
            if asked {
                return Err("the node fell silent".into());
            }
            asked = true;
            socket.send(Message::Ping(tungstenite::Bytes::new())).await.map_err(failed)?;
            continue;
        };
        asked = false;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => return Err("the node ended the connection".into()),
            Some(Ok(_)) => continue,
            Some(Err(error)) => return Err(failed(error)),
        };
        let said: Said = serde_json::from_str(&text).map_err(|error| format!("not understood: {error}"))?;
        if let Some(Refusal { message }) = said.error {
            return Err(message);
        }
        let now = Instant::now();
        if let Some(Announcement { result }) = said.params {
            tell.send_modify(|announced| announced.head = Some((now, result.into())));
            // Any word carries the acknowledgement at once. Without it a node that gathers small messages keeps a block
            // that comes right after another to itself, for the 40 ms that an acknowledgement may take.
            socket.send(Message::Pong(tungstenite::Bytes::new())).await.map_err(failed)?;
        } else if said.result.is_some() {
            tell.send_modify(|announced| announced.since = Some(now));
        }
    }
}
