//! The same frames over HTTP: one request each, many connections, the client on the same core.

use std::net::SocketAddr;
use std::time::Instant;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use futures_util::future::join_all;
use payments::channel::Desk;
use tokio::net::TcpListener;
use wire::x402::VoucherFields;

use crate::load::Connection;
use crate::{CHANNELS, NOW, PRICE, Signed, check};

/// Vouchers of each channel.
const VOUCHERS: usize = 16;

async fn take(State(desk): State<Desk>, body: Bytes) -> StatusCode {
    let Ok(frame) = body.as_ref().try_into() else { return StatusCode::BAD_REQUEST };
    match desk.take(&VoucherFields::of_frame(frame), PRICE, NOW).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::PAYMENT_REQUIRED,
    }
}

/// Vouchers in a second; a connection for each channel.
pub(crate) async fn measure(desk: &Desk, all: &[Signed]) -> f64 {
    let app = Router::new().route("/voucher", post(take)).with_state(desk.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    let serves = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut payers = Vec::new();
    for (_, frames) in all {
        let requests: Vec<_> = frames.iter().take(VOUCHERS).map(|frame| request(host, frame)).collect();
        payers.push((Connection::open(host).await, requests));
    }
    let began = Instant::now();
    join_all(payers.iter_mut().map(async |(connection, requests)| {
        for request in requests {
            assert_eq!(connection.ask(request).await.0, 204);
        }
    }))
    .await;
    let took = began.elapsed();
    serves.abort();
    check(desk, all, VOUCHERS).await;
    (CHANNELS * VOUCHERS) as f64 / took.as_secs_f64()
}

fn request(host: SocketAddr, frame: &[u8]) -> Vec<u8> {
    let head = format!("POST /voucher HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n", frame.len());
    [head.as_bytes(), frame].concat()
}
