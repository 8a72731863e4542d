//! How many vouchers a core takes: `bench: name=value unit` lines on standard output.
//!
//! A voucher arrives as a native frame, is hashed (EIP-712) and checked under a key that is known, and counts when the
//! newest voucher of its channel is on disk (SQLite, synced), many in one commit. Beside it stand a bare recovery of
//! signers by the same library, and the same frames over HTTP, client and all; everything on one core, taking turns. The
//! profile is the one that people run in development.
#![expect(clippy::unwrap_used, reason = "a measure that cannot be taken ends the program with the reason")]

use std::process::Command;
use std::time::Instant;

use alloy_primitives::{Address, B256, U256};
use chain::Wallet;
use futures_util::{StreamExt, future::join_all, stream};
use payments::channel::{ChannelState, Desk, Seen, recover};
use store::{Store, StoreConfig};
use testkit::TestDatabase;
use wire::x402::{ChannelConfig, VOUCHER_FRAME_BYTES, VoucherFields, typed};

mod http;
#[path = "../common/load.rs"]
mod load;
#[path = "../common/report.rs"]
mod report;

use report::{bench, median, note};

/// Channels that pay at once.
const CHANNELS: usize = 256;
/// Vouchers of each in a round.
const VOUCHERS: usize = 64;
/// Vouchers of one channel that are on their way: a payer's second starts before the first is acknowledged.
const AHEAD: usize = 16;
/// Rounds in which they take turns; the median counts.
const ROUNDS: usize = 5;
/// What a voucher pays.
const PRICE: u128 = 100;
const NOW: u64 = 1_800_000_000;

type Frame = [u8; VOUCHER_FRAME_BYTES];
/// A channel and its vouchers, signed before.
type Signed = (ChannelState, Vec<Frame>);

fn signed(separator: B256, salt: usize) -> Vec<Signed> {
    let one = |number: usize| {
        let mut seed = [1; 32];
        seed[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
        let wallet = Wallet::from_bytes(&seed).unwrap();
        let config = ChannelConfig {
            payer: wallet.address(),
            payer_authorizer: wallet.address(),
            receiver: Address::repeat_byte(1),
            receiver_authorizer: Address::repeat_byte(2),
            token: Address::repeat_byte(3),
            withdraw_delay: 3600,
            salt: B256::from(U256::from(salt)),
        };
        let state = ChannelState::new(config, separator);
        let voucher = |count: usize| {
            let total = (count as u128 + 1) * PRICE;
            let signature = wallet.sign_digest(typed::voucher_digest(&separator, &state.id, total)).unwrap();
            VoucherFields { channel_id: state.id, max_claimable_amount: total, signature }.to_frame()
        };
        let frames = (0..VOUCHERS).map(voucher).collect();
        (state, frames)
    };
    (0..CHANNELS).map(one).collect()
}

/// Recovers who signed, and nothing else; in a second.
fn bare(separator: &B256, all: &[Signed]) -> f64 {
    let digested = |frame: &Frame| {
        let voucher = VoucherFields::of_frame(frame);
        (typed::voucher_digest(separator, &voucher.channel_id, voucher.max_claimable_amount), voucher.signature)
    };
    let digested: Vec<_> = all.iter().flat_map(|(_, frames)| frames).map(digested).collect();
    let began = Instant::now();
    let found = digested.iter().filter(|(digest, signature)| recover(digest, signature).is_some()).count();
    let took = began.elapsed();
    assert_eq!(found, CHANNELS * VOUCHERS);
    found as f64 / took.as_secs_f64()
}

/// A desk that knows the channels, on a database of its own.
async fn desk(database: &TestDatabase, separator: B256, all: &[Signed]) -> Desk {
    let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
    let desk = Desk::start(store, separator);
    for (state, _) in all {
        desk.sync(state, Seen { balance: u128::MAX, ..Seen::default() }, NOW).await.unwrap();
    }
    desk
}

/// Takes every voucher, each counted when it is on disk; in a second.
async fn taken(desk: &Desk, all: &[Signed]) -> f64 {
    let began = Instant::now();
    join_all(all.iter().map(|(_, frames)| async {
        let takes = frames.iter().map(|frame| async {
            desk.take(&VoucherFields::of_frame(frame), PRICE, NOW).await.unwrap();
        });
        stream::iter(takes).buffered(AHEAD).for_each(async |()| ()).await;
    }))
    .await;
    let took = began.elapsed();
    check(desk, all, VOUCHERS).await;
    (CHANNELS * VOUCHERS) as f64 / took.as_secs_f64()
}

/// Every channel was charged for so many vouchers.
async fn check(desk: &Desk, all: &[Signed], vouchers: usize) {
    for (state, _) in all {
        let (kept, _) = desk.channel(state.id).await.unwrap().unwrap();
        assert_eq!(kept.charged, vouchers as u128 * PRICE);
    }
}

/// All threads that this process starts from here on run on its first core, those of the database too.
fn one_core() {
    let pinned = Command::new("taskset").args(["-cp", "0", &std::process::id().to_string()]).output();
    if !pinned.is_ok_and(|done| done.status.success()) {
        note("taskset is missing or refused: the figures are not those of one core");
    }
}

fn main() {
    one_core();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let separator = typed::batch_domain(84_532, typed::BATCH_SETTLEMENT).separator();
        let (mut takes, mut plain, mut over_http) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            let all = signed(separator, round);
            plain.push(bare(&separator, &all));
            let database = TestDatabase::sqlite();
            takes.push(taken(&desk(&database, separator, &all).await, &all).await);
            let database = TestDatabase::sqlite();
            over_http.push(http::measure(&desk(&database, separator, &all).await, &all).await);
            note(&format!(
                "round {round}: {takes:.0?}, bare {plain:.0?}, HTTP {over_http:.0?}; load {}",
                report::load()
            ));
        }
        bench("voucher.per_s", median(&takes), "vouchers/s");
        bench("voucher.bare_recover_per_s", median(&plain), "signatures/s");
        bench("voucher.http_per_s", median(&over_http), "vouchers/s");
    });
}
