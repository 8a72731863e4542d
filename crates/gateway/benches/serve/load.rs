//! The client: keep-alive connections, each with one request at a time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::Outcome;

/// Connections at once.
const CONNECTIONS: usize = 32;
/// How long one round measures.
const ROUND: Duration = Duration::from_secs(2);
/// Requests before it measures.
const WARM: Duration = Duration::from_millis(300);

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) body: Bytes,
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    read: Vec<u8>,
}

impl Connection {
    async fn open(host: SocketAddr, path: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes();
        Ok(Self { stream, request, read: Vec::with_capacity(256 << 10) })
    }

    /// Asks and reads the whole answer; gives where its body begins.
    async fn ask(&mut self) -> Outcome<usize> {
        self.read.clear();
        self.stream.write_all(&self.request).await?;
        let mut whole = None;
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err("the server closed".into());
            }
            if whole.is_none()
                && let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n")
            {
                let begin = end + 4;
                whole = Some((begin, begin + length(&self.read[..begin])?));
            }
            if let Some((begin, end)) = whole
                && self.read.len() >= end
            {
                return Ok(begin);
            }
        }
    }
}

fn length(head: &[u8]) -> Outcome<usize> {
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(head.to_owned().into());
    }
    let line =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    Ok(line.ok_or("no content-length")?.trim().parse()?)
}

/// One request.
pub(crate) async fn once(host: SocketAddr, path: &str) -> Outcome<Answer> {
    let mut connection = Connection::open(host, path).await?;
    let begin = connection.ask().await?;
    Ok(Answer { body: Bytes::copy_from_slice(&connection.read[begin..]) })
}

/// What is answered in a second to all connections together.
pub(crate) async fn requests_per_s(host: SocketAddr, path: &str) -> Outcome<f64> {
    let mut asking = JoinSet::new();
    let begin = Instant::now() + WARM;
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(host, path).await?;
        asking.spawn(async move {
            let mut count = 0u32;
            while begin.elapsed() < ROUND {
                connection.ask().await?;
                count += u32::from(Instant::now() >= begin);
            }
            Outcome::Ok(count)
        });
    }
    let mut total = 0.0;
    while let Some(count) = asking.join_next().await {
        total += f64::from(count??);
    }
    Ok(total / ROUND.as_secs_f64())
}
