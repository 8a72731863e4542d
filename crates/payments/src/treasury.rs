//! The market's own key on one chain: what comes in becomes somebody's, what goes out is a row before it is broadcast.
//!
//! The key must send nothing else. Jobs that the treasury pays for are signed for by it and sent by a gas wallet.

mod deposits;
mod gas;
mod withdrawals;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use chain::{Teller, Wallet};
use market::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::PaymentsError;
use crate::assets::Held;
use crate::ledger::Ledger;

pub use gas::{GAS_A_DAY_WEI, GasBudget};
pub use withdrawals::{Step, WithdrawalAsk, request_withdrawal, withdrawal_id};

/// Between two looks at the chain.
pub const POLL: Duration = Duration::from_secs(2);
/// A process that is not heard by the database for so long has lost its place to another.
pub const LEASE_S: u64 = 60;
/// The same bytes are handed in again after this long: longer than a block takes.
pub const RESEND_AFTER: Duration = Duration::from_secs(30);
/// What is not in a block after so long is signed again for more: blocks became dearer.
pub const DEARER_AFTER: Duration = Duration::from_secs(180);
/// Signatures of one withdrawal: each offers a tenth more at least, and sixteen are more than four times the first.
pub const SIGNATURES_MAX: usize = 16;
/// Looks in a row in which a nonce is used up for good and nothing is found, before a withdrawal counts as lost: nodes
/// behind one address may differ for some blocks.
pub const LOST_AFTER: u32 = 5;
/// Blocks that one look reads; who was away for long reads them in turns.
pub const BLOCKS_MAX: u64 = 5000;
/// Withdrawals that are on their way at once. Nodes keep sixteen transactions of one key ready to be mined.
pub const IN_FLIGHT_MAX: usize = 16;

const _: () = assert!(DEARER_AFTER.as_secs() > RESEND_AFTER.as_secs(), "it may only have been forgotten");
const _: () = assert!(LEASE_S > 4 * POLL.as_secs(), "a slow look must not lose the lease");

/// How a treasury is kept.
#[derive(Clone, Debug)]
pub struct TreasuryConfig {
    /// This process's name in the lease of the key.
    pub holder: String,
    /// The block before which nothing can have come in.
    pub from_block: u64,
    /// Blocks on a deposit, its own included, before it is credited.
    pub confirmations: u64,
    /// The contract that deposits name their account to.
    pub till: Option<Address>,
    /// Contracts whose transfers to the treasury are no deposits: the market, which gives back what jobs did not use.
    pub own: Vec<Address>,
    /// Most smallest units of each asset that go out in an hour: what a thief of the process can take.
    pub hourly_max: i64,
    /// Most wei that the key spends on gas in a day: what a thief of the process can burn.
    pub gas_a_day_wei: u128,
    /// See [`RESEND_AFTER`].
    pub resend_after: Duration,
    /// See [`DEARER_AFTER`].
    pub dearer_after: Duration,
    /// See [`LEASE_S`].
    pub lease_s: u64,
    /// For tests of crashes: after this step a look ends as if the process had died there.
    pub dies_at: Option<Step>,
}

impl TreasuryConfig {
    /// The usual limits.
    #[must_use]
    pub fn new(holder: impl Into<String>, confirmations: u64, hourly_max: i64) -> Self {
        Self {
            holder: holder.into(),
            from_block: 0,
            confirmations: confirmations.max(1),
            till: None,
            own: vec![],
            hourly_max,
            gas_a_day_wei: GAS_A_DAY_WEI,
            resend_after: RESEND_AFTER,
            dearer_after: DEARER_AFTER,
            lease_s: LEASE_S,
            dies_at: None,
        }
    }
}

/// When bytes were handed in by this process.
#[derive(Clone, Copy, Debug)]
struct Handed {
    first: Instant,
    last: Instant,
}

/// A treasury. What it holds between two looks can all be lost.
#[derive(Debug)]
pub struct Treasury {
    config: TreasuryConfig,
    teller: Teller,
    assets: Vec<Held>,
    ledger: Ledger,
    gas: GasBudget,
    handed: HashMap<B256, Handed>,
    lost: HashMap<B256, withdrawals::Taken>,
}

impl Treasury {
    /// The treasury of this key for these assets, which are on the teller's chain.
    #[must_use]
    pub fn new(config: TreasuryConfig, teller: Teller, assets: Vec<Held>, ledger: Ledger) -> Self {
        let store = ledger.store().clone();
        let gas = GasBudget::new(store, teller.chain().id(), teller.address(), config.gas_a_day_wei);
        Self { config, teller, assets, ledger, gas, handed: HashMap::new(), lost: HashMap::new() }
    }

    /// Where deposits go.
    #[must_use]
    pub fn address(&self) -> Address {
        self.teller.address()
    }

    /// The key.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        self.teller.wallet()
    }

    /// The name of the lease under which alone this key signs.
    #[must_use]
    pub fn lease(&self) -> String {
        format!("treasury:{}:{}", self.teller.chain().id(), self.address())
    }

    /// One look at the chain: deposits, then withdrawals. False while another process has the key's lease.
    pub async fn look(&mut self, now: Timestamp) -> Result<bool, PaymentsError> {
        let lease = self.lease();
        if !self.ledger.store().lease(&lease, &self.config.holder, self.config.lease_s).await? {
            tracing::debug!(lease, "another process keeps this treasury");
            return Ok(false);
        }
        // What cannot be paid out does not keep deposits from being credited.
        let came = self.look_for_deposits(now).await;
        let went = self.follow_withdrawals(now).await;
        came.and(went).map(|()| true)
    }

    /// Looks until `shutdown`. It can be ended, or killed, at any time. `clock` is asked for the time.
    pub async fn run(mut self, clock: impl Fn() -> Timestamp, shutdown: CancellationToken) {
        let mut failures = 0_u32;
        while !shutdown.is_cancelled() {
            let looked = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                looked = self.look(clock()) => looked,
            };
            match looked {
                Ok(_) if failures > 0 => {
                    tracing::info!(failures, "the treasury goes on");
                    failures = 0;
                }
                Ok(_) => {}
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "the treasury waits; nothing is lost");
                    }
                    failures = failures.saturating_add(1);
                }
            }
            let pause = POLL * (1 << failures.min(4));
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
