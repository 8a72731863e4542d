//! A client that costs little: one keep-alive connection, one request at a time, bytes that were built before.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer that is read: twenty times that of the servers measured here.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(host: SocketAddr) -> Self {
        let stream = TcpStream::connect(host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::with_capacity(ANSWER_BYTES_MAX) }
    }

    /// Sends a request and reads the whole answer; its status and head.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, &str) {
        self.read.clear();
        self.stream.write_all(request).await.unwrap();
        let mut whole = None;
        while whole.is_none_or(|(_, end)| self.read.len() < end) {
            assert!(self.read.len() < ANSWER_BYTES_MAX, "the answer does not end");
            assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "the server closed");
            if whole.is_none()
                && let Some(at) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n")
            {
                let length = header(std::str::from_utf8(&self.read[..at]).unwrap(), "content-length");
                whole = Some((at, at + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap())));
            }
        }
        let head = std::str::from_utf8(&self.read[..whole.unwrap().0]).unwrap();
        (head[9..12].parse().unwrap(), head)
    }
}

/// A header of an answer's head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let named = |line: &'a str| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    };
    head.lines().skip(1).find_map(named)
}
