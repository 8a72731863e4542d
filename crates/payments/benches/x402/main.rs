//! Paid requests in a second, and how long they take, beside the official TypeScript server: `bench: name=value unit`
//! lines on standard output.
//!
//! The same client replays vouchers that were signed before to a route behind our layer and to the official Express
//! middleware with the official facilitator, over the same chain, taking turns. Ours keeps each voucher and answer on
//! disk (SQLite, synced) and runs in the client's process; the official server keeps them in memory and has a process of
//! its own. Both routes answer the same JSON. The profile is the one that people run in development.
//!
//! `p99_ms` is at one pace for both, from when a request was due: half of what the slower server can do. `full_p99_ms` is
//! from when a request was sent, with sixteen payers that wait for nothing but their answers: each server at its own most,
//! so that the quicker one carries many times the load of the other.
#![expect(clippy::unwrap_used, reason = "a measure that cannot be taken ends the program with the reason")]

use std::time::Duration;

use alloy_primitives::{U256, hex};
use chain::Wallet;
use market::Amount;
use serde_json::Value;
use testkit::{Peer, TestMarket, TestMarketConfig};

#[path = "../common/load.rs"]
mod load;
mod ours;
mod payers;
#[path = "../common/report.rs"]
mod report;

use payers::Payers;
use report::{bench, median, note};

/// Rounds in which the servers take turns; the median counts.
const ROUNDS: usize = 5;
/// A hundredth of a cent for each request: one deposit lasts for all rounds.
const PRICE: u128 = 100;
/// Requests of each channel in a round: about a second of ours, and more of the slower server's.
const OURS: usize = 80;
const OFFICIAL: usize = 20;
/// Requests of one round at a steady pace, all channels together.
const PACED: usize = 240;

/// The address that a program says it serves at.
async fn serves(peer: &mut Peer) -> String {
    let said: Value = serde_json::from_str(&peer.hear().await).unwrap();
    said["url"].as_str().unwrap().trim_start_matches("http://").to_owned()
}

/// The official facilitator, and a server that uses it; both end when they are dropped.
async fn official(market: &TestMarket) -> Option<(Peer, Peer, String)> {
    let key = hex::encode_prefixed([0xfa; 32]);
    let wallet = Wallet::from_hex(&key).unwrap();
    market.dev.fund(wallet.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    let mut facilitator = Peer::start("x402-facilitator.mjs", &[market.dev.rpc().as_str(), &key])?;
    let url = format!("http://{}", serves(&mut facilitator).await);
    let receiver = market.owner.address().to_string();
    let mut server = Peer::start("x402-server.mjs", &[&url, &receiver, "$0.0001", "batch-settlement"])?;
    let host = serves(&mut server).await;
    Some((facilitator, server, host))
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let market = TestMarket::with(TestMarketConfig { x402: true, ..TestMarketConfig::default() }).await.unwrap();
        let (ours, _database) = ours::serve(&market).await;
        let Some((_facilitator, _server, theirs)) = official(&market).await else { return };
        let mut payers = Vec::new();
        for (host, first) in [(ours, 1), (theirs.parse().unwrap(), 101)] {
            payers.push(Payers::open(&market, host, first).await);
        }
        let (mut rates, mut times) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let mut full = [Vec::new(), Vec::new()];
        let mut free = Vec::new();
        for round in 1..=ROUNDS {
            let [ours, theirs] = &mut payers[..] else { return };
            free.push(ours.free().await);
            for (place, (rate, took)) in [ours.hurry(OURS).await, theirs.hurry(OFFICIAL).await].into_iter().enumerate()
            {
                rates[place].push(rate);
                full[place].extend(took);
            }
            // A pace that the slower one can keep.
            let pace = Duration::from_secs_f64(2.0 / rates[0][round - 1].min(rates[1][round - 1]));
            times[0].extend(ours.paced(PACED, pace).await);
            times[1].extend(theirs.paced(PACED, pace).await);
            note(&format!("round {round}: {rates:.0?} requests/s, one every {pace:.1?}; load {}", report::load()));
        }
        bench("x402.req_per_s", median(&rates[0]), "requests/s");
        bench("x402.official_req_per_s", median(&rates[1]), "requests/s");
        bench("x402.p99_ms", p99(&mut times[0]), "ms");
        bench("x402.official_p99_ms", p99(&mut times[1]), "ms");
        bench("x402.full_p99_ms", p99(&mut full[0]), "ms");
        bench("x402.official_full_p99_ms", p99(&mut full[1]), "ms");
        // What client and machine can do at most.
        bench("x402.unpaid_req_per_s", median(&free), "requests/s");
    });
}

/// The time within which 99 of 100 were answered, in milliseconds.
fn p99(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1000.0
}

/// Dollars for a payer.
async fn dollar(market: &TestMarket, wallet: &Wallet) {
    market.deployer.mint(wallet.address(), Amount(payers::DEPOSIT)).await.unwrap();
}
