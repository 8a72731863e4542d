//! A node between a market and its readers that can refuse what it is asked.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use testkit::TestMarket;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// The message of the error to answer a request with, or `None` to let the chain answer.
type Objection = Arc<dyn Fn(&str, &Value) -> Option<String> + Send + Sync>;
/// What becomes of the chain's answer.
type Change = Arc<dyn Fn(String) -> String + Send + Sync>;

/// Counts the requests that it lets through or refuses.
pub(crate) struct Node {
    pub(crate) rpc: String,
    asked: Arc<AtomicUsize>,
}

impl Node {
    pub(crate) async fn start(
        t: &TestMarket,
        objection: impl Fn(&str, &Value) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::between(t, Arc::new(objection), Arc::new(|answer| answer)).await
    }

    /// A node that answers everything, but otherwise. An answer must keep its length.
    pub(crate) async fn with_answers(
        t: &TestMarket,
        change: impl Fn(String) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::between(t, Arc::new(|_, _| None), Arc::new(change)).await
    }

    /// Both: what it refuses and how it answers otherwise.
    pub(crate) async fn between(t: &TestMarket, objection: Objection, change: Change) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rpc = format!("http://{}", listener.local_addr().unwrap());
        let chain = t.dev.rpc().socket_addrs(|| None).unwrap()[0];
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream, chain, objection.clone(), change.clone()));
            }
        });
        Self { rpc, asked }
    }

    /// Requests so far: each has a connection of its own.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(mut stream: TcpStream, chain: SocketAddr, objection: Objection, change: Change) {
    let mut reader = BufReader::new(&mut stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await.unwrap() == 0 {
            return;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let objected = objection(request["method"].as_str().unwrap_or_default(), &request["params"]);
    let said = match objected {
        Some(message) => {
            let error = json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": message}});
            message_of("HTTP/1.1 200 OK", error.to_string().as_bytes())
        }
        None => {
            let mut upstream = TcpStream::connect(chain).await.unwrap();
            upstream.write_all(&message_of("POST / HTTP/1.1\r\nhost: chain", &body)).await.unwrap();
            let mut answer = Vec::new();
            upstream.read_to_end(&mut answer).await.unwrap();
            change(String::from_utf8(answer).unwrap()).into_bytes()
        }
    };
    // A reader that was dropped meanwhile needs no answer.
    let _ = stream.write_all(&said).await;
}

fn message_of(head: &str, body: &[u8]) -> Vec<u8> {
    let rest = "content-type: application/json\r\nconnection: close";
    let head = format!("{head}\r\n{rest}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
