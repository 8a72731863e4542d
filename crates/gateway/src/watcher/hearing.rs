//! Whether this gateway could hear agents: only then does it say anything that it heard nothing.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::state::Shared;

/// Its own address must answer within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A look that comes later than this beside its time shows that nothing ran here.
const LATE: Duration = Duration::from_secs(10);
/// The answer is looked at so far.
const STATUS_LINE: &[u8] = b"HTTP/1.1 ";

pub(super) struct Hearing {
    /// Where the gateway itself is dialled.
    local: SocketAddr,
    open: bool,
    looked: (Instant, SystemTime),
}

impl Hearing {
    pub(super) fn new(local: SocketAddr) -> Self {
        let ip = match local.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self { local: SocketAddr::new(ip, local.port()), open: false, looked: (Instant::now(), SystemTime::now()) }
    }

    /// Agents could be heard when it was looked last.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Something that is needed for counting did not answer.
    pub(super) fn lost(&mut self) {
        self.open = false;
    }

    /// Looks, `every` so often. True when agents can be heard again after a time in which they could not.
    pub(super) async fn look(&mut self, shared: &Shared, chain: bool, every: Duration) -> bool {
        let slept = self.slept(every);
        let open = chain && has_room(shared) && answers(self.local).await;
        let before = std::mem::replace(&mut self.open, open);
        if before && !open {
            tracing::warn!(chain, "agents may not be heard now; no silence counts until they are again");
        }
        open && (!before || slept)
    }

    /// Whether this process stood still: the machine slept, or the process was stopped. Only one of the two clocks goes on
    /// while a machine sleeps.
    fn slept(&mut self, every: Duration) -> bool {
        let before = std::mem::replace(&mut self.looked, (Instant::now(), SystemTime::now()));
        let wall = self.looked.1.duration_since(before.1).unwrap_or_default();
        let passed = self.looked.0.duration_since(before.0).max(wall);
        passed > every + LATE
    }
}

/// An agent that comes now is let in.
fn has_room(shared: &Shared) -> bool {
    shared.pending_links.available_permits() > 0
}

/// Whether somebody who dials this gateway gets an answer, whatever it is.
async fn answers(local: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(local).await?;
        let request = format!("GET /api/v1/health HTTP/1.1\r\nHost: {local}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; STATUS_LINE.len()];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer == STATUS_LINE)
    };
    matches!(timeout(ANSWER_WITHIN, ask).await, Ok(Ok(true)))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_counts_as_heard_when_it_answers_as_a_server_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = listener.local_addr().unwrap();
        let answer = async |text: &str| {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
        };
        // Any answer will do: even a refusal shows that who dials is heard.
        assert!(tokio::join!(answers(local), answer("HTTP/1.1 429 Too Many Requests\r\n\r\n")).0);
        assert!(!tokio::join!(answers(local), answer("good day, who is there?")).0);
        assert!(!tokio::join!(answers(local), answer("")).0);
        drop(listener);
        assert!(!answers(local).await);
    }

    #[test]
    fn a_look_that_comes_much_too_late_shows_that_nothing_ran_here() {
        let mut hearing = Hearing::new("0.0.0.0:4510".parse().unwrap());
        assert_eq!(hearing.local.to_string(), "127.0.0.1:4510");
        let every = Duration::from_secs(15);
        assert!(!hearing.slept(every));
        hearing.looked.1 -= every + LATE + Duration::from_secs(1);
        assert!(hearing.slept(every), "the machine slept, and its steady clock with it");
        assert!(!hearing.slept(every));
    }
}
