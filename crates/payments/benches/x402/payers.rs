//! Payers with a channel each, whose vouchers are signed before the clock starts.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U256};
use chain::Wallet;
use futures_util::future::join_all;
use payments::channel::Seen;
use payments::client::{Header, PayerChannel};
use testkit::TestMarket;
use tokio::time::sleep_until;
use wire::x402::{
    BATCH_SETTLEMENT, PAYMENT_REQUIRED, PAYMENT_RESPONSE, Payment, PaymentRequired, Requirements, SettleResponse,
    decode,
};

use crate::PRICE;
use crate::load::{Connection, header};

/// Channels that pay at once.
pub(crate) const CHANNELS: u8 = 16;
/// What each deposits: a dollar.
pub(crate) const DEPOSIT: u128 = 1_000_000;

/// Payers at one server.
pub(crate) struct Payers {
    host: SocketAddr,
    offer: Requirements,
    all: Vec<Payer>,
}

struct Payer {
    wallet: Wallet,
    charged: u128,
}

impl Payers {
    /// Opens the channels of payers whose keys begin with `first`.
    pub(crate) async fn open(market: &TestMarket, host: SocketAddr, first: u8) -> Self {
        let mut connection = Connection::open(host).await;
        let (status, head) = connection.ask(&request(host, "/sold", None)).await;
        assert_eq!(status, 402, "{head}");
        let told: PaymentRequired = decode("the offer", header(head, PAYMENT_REQUIRED).unwrap()).unwrap();
        let offer = told.accepts.into_iter().find(|offer| offer.scheme == BATCH_SETTLEMENT).unwrap();
        assert_eq!(offer.amount, PRICE);
        let mut all = Vec::new();
        for seed in first..first + CHANNELS {
            let wallet = Wallet::from_bytes(&[seed; 32]).unwrap();
            crate::dollar(market, &wallet).await;
            let payer = Payer { wallet, charged: 0 };
            let now = market.now().await.unwrap();
            let deposit = payer.channel(&offer).deposit(DEPOSIT, PRICE, U256::from(1), now).unwrap();
            let (status, head) = connection.ask(&request(host, "/sold", Some(&deposit))).await;
            assert_eq!(status, 200, "{head}");
            all.push(Payer { charged: PRICE, ..payer });
        }
        Self { host, offer, all }
    }

    /// Requests in a second when each payer sends the next as soon as the last was answered, `each` of each; and how long
    /// each request took.
    pub(crate) async fn hurry(&mut self, each: usize) -> (f64, Vec<Duration>) {
        let (host, mut ready) = (self.host, self.ready(each).await);
        let began = Instant::now();
        let times = join_all(ready.iter_mut().zip(&self.all).map(async |((connection, requests), payer)| {
            let mut times = Vec::with_capacity(requests.len());
            for (count, request) in requests.iter().enumerate() {
                let sent = Instant::now();
                let (status, head) = connection.ask(request).await;
                times.push(sent.elapsed());
                assert_eq!(status, 200, "{host}: {head}");
                if count + 1 == requests.len() {
                    payer.check(head);
                }
            }
            times
        }))
        .await;
        ((self.all.len() * each) as f64 / began.elapsed().as_secs_f64(), times.concat())
    }

    /// How long `count` requests take that are due one after the other at this pace, each from when it was due.
    pub(crate) async fn paced(&mut self, count: usize, pace: Duration) -> Vec<Duration> {
        let payers = self.all.len();
        let mut ready = self.ready(count / payers).await;
        let began = tokio::time::Instant::now();
        let times = join_all(ready.iter_mut().enumerate().map(async |(place, (connection, requests))| {
            let mut times = Vec::with_capacity(requests.len());
            for (turn, request) in requests.iter().enumerate() {
                let due = began + pace.mul_f64((turn * payers + place) as f64);
                sleep_until(due).await;
                let (status, head) = connection.ask(request).await;
                assert_eq!(status, 200, "{head}");
                times.push(due.elapsed());
            }
            times
        }));
        times.await.concat()
    }

    /// Requests in a second for the same route when it costs nothing.
    pub(crate) async fn free(&self) -> f64 {
        const EACH: usize = 200;
        let mut connections = Vec::new();
        for _ in &self.all {
            connections.push(Connection::open(self.host).await);
        }
        let request = request(self.host, "/free", None);
        let began = Instant::now();
        join_all(connections.iter_mut().map(async |connection| {
            for _ in 0..EACH {
                assert_eq!(connection.ask(&request).await.0, 200);
            }
        }))
        .await;
        (self.all.len() * EACH) as f64 / began.elapsed().as_secs_f64()
    }

    /// Connections, and the next `each` requests of each payer.
    async fn ready(&mut self, each: usize) -> Vec<(Connection, Vec<Vec<u8>>)> {
        let mut ready = Vec::new();
        for payer in &mut self.all {
            let mut requests = Vec::with_capacity(each);
            for _ in 0..each {
                let voucher = payer.channel(&self.offer).voucher(PRICE).unwrap();
                requests.push(request(self.host, "/sold", Some(&voucher)));
                payer.charged += PRICE;
            }
            ready.push((Connection::open(self.host).await, requests));
        }
        ready
    }
}

impl Payer {
    fn channel(&self, offer: &Requirements) -> PayerChannel {
        let seen = Seen { balance: if self.charged == 0 { 0 } else { DEPOSIT }, ..Seen::default() };
        PayerChannel::new(self.wallet.clone(), offer.clone(), B256::repeat_byte(1), seen, self.charged).unwrap()
    }

    /// The server charged what was signed, and nothing else.
    fn check(&self, head: &str) {
        let told: SettleResponse = decode("the settlement", header(head, PAYMENT_RESPONSE).unwrap()).unwrap();
        assert_eq!(told.extra["channelState"]["chargedCumulativeAmount"], self.charged.to_string());
    }
}

fn request(host: SocketAddr, path: &str, payment: Option<&Payment>) -> Vec<u8> {
    let paid = payment.map(|payment| Header::of(payment).unwrap());
    let paid = paid.map(|Header { name, value }| format!("{name}: {value}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{paid}\r\n").into_bytes()
}
