//! Claims in time: when enough is unclaimed, when it waited long enough, and at once when a payer asks to withdraw.

use std::time::Duration;

use alloy_primitives::B256;
use alloy_sol_types::{SolEvent, sol};
use market::Timestamp;
use store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use wire::x402::VoucherClaim;

use super::{Batch, now};
use crate::PaymentsError;
use crate::channel::{CLAIM_ROWS_MAX, ChannelState, ClaimPolicy, Desk, due, row_of};

/// Blocks that one look reads: what a node gives in one answer.
pub const WATCH_BLOCKS_MAX: u64 = 1000;

/// How often [`Claimer::run`] looks: a payer's shortest delay is thirty times that.
pub const CLAIM_EVERY: Duration = Duration::from_secs(30);

sol! {
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);
}

/// Watches the channels of one contract, and claims with the key that is their receiver or its authorizer.
#[derive(Clone, Debug)]
pub struct Claimer {
    batch: Batch,
    desk: Desk,
    store: Store,
    policy: ClaimPolicy,
}

impl Claimer {
    /// Claims for the key that `batch` sends with.
    #[must_use]
    pub fn new(batch: Batch, desk: Desk, store: Store, policy: ClaimPolicy) -> Self {
        Self { batch, desk, store, policy }
    }

    /// Watches, and claims what is due, every `every` until `shutdown`. It begins with the newest block: who asked to
    /// withdraw before is found among the channels whose contract was not asked for long. What fails is logged and tried
    /// again at the next turn; a claim that was begun is finished by the same purpose.
    pub async fn run(self, every: Duration, shutdown: CancellationToken) {
        let mut turns = interval(every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut after = None;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = turns.tick() => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.turn(&mut after) => {}
            }
        }
    }

    /// One turn; `after` is the newest block that was read.
    async fn turn(&self, after: &mut Option<u64>) {
        let watched = async {
            let from = match *after {
                Some(from) => from,
                None => self.batch.channels().chain().head().await?.number,
            };
            *after = Some(from);
            self.watch(from, now()).await
        };
        match watched.await {
            Ok(until) => *after = Some(until),
            Err(error) => tracing::warn!(%error, "nobody could tell who asked to withdraw; asking again"),
        }
        match self.claim_due(now()).await {
            Ok(claimed) if claimed.is_empty() => {}
            Ok(claimed) => tracing::info!(channels = claimed.len(), "claimed what vouchers allow"),
            Err(error) => tracing::warn!(%error, "what is due could not be claimed; trying again"),
        }
    }

    /// Reads who asked to withdraw in the blocks after `after`, asks the contract about those channels, and returns up to
    /// which block it read. From then on their vouchers are refused.
    pub async fn watch(&self, after: u64, now: Timestamp) -> Result<u64, PaymentsError> {
        let head = self.batch.channels().chain().head().await?.number;
        let until = head.min(after.saturating_add(WATCH_BLOCKS_MAX));
        if until <= after {
            return Ok(after);
        }
        let topics = [Some(WithdrawInitiated::SIGNATURE_HASH)];
        let (chain, at) = (self.batch.channels().chain(), self.batch.channels().address());
        for log in chain.logs(at, &topics, after + 1, Some(until)).await? {
            let Some(id) = log.topics.get(1) else { continue };
            self.refresh(*id, now).await?;
        }
        Ok(until)
    }

    /// Asks the contract about a channel, if it is known here.
    pub async fn refresh(&self, id: B256, now: Timestamp) -> Result<Option<ChannelState>, PaymentsError> {
        let Some((state, _)) = self.desk.channel(id).await? else { return Ok(None) };
        let seen = self.batch.look(id).await?;
        self.desk.sync(&state, seen, now.0).await.map(Some)
    }

    /// Claims whatever is due, and returns the ids of the channels that were claimed. Channels whose contract was not
    /// asked for long are asked first: an event may be lost, and a withdrawal must not be. One that fails holds up none of
    /// the others; its error is returned where nothing was claimed.
    pub async fn claim_due(&self, now: Timestamp) -> Result<Vec<B256>, PaymentsError> {
        let (mut after, mut rows, mut turn) = (None, Vec::new(), Turn::default());
        let own = self.batch.sender().teller().address();
        loop {
            let page = self.store.channels_after(after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for row in page {
                if row.config.receiver_authorizer != own && row.config.receiver != own {
                    continue;
                }
                match self.due(row.id, now).await {
                    Ok(due) => rows.extend(due),
                    Err(error) => turn.note(error),
                }
                if rows.len() == CLAIM_ROWS_MAX {
                    turn.add(self.claim(&std::mem::take(&mut rows), now).await);
                }
            }
        }
        turn.add(self.claim(&rows, now).await);
        match turn.failed {
            Some(error) if turn.claimed.is_empty() => Err(error),
            _ => Ok(turn.claimed),
        }
    }

    /// The row that claims a channel now, if it is due.
    async fn due(&self, id: B256, now: Timestamp) -> Result<Option<VoucherClaim>, PaymentsError> {
        let Some((mut state, claimed_at)) = self.desk.channel(id).await? else { return Ok(None) };
        if now.0.saturating_sub(state.synced_at) > state.fresh_s() {
            state = self.desk.sync(&state, self.batch.look(id).await?, now.0).await?;
        }
        if !due(&state, claimed_at, self.policy, now.0) {
            return Ok(None);
        }
        self.desk.publish(&state).await?;
        Ok(row_of(&state))
    }

    async fn claim(&self, rows: &[VoucherClaim], now: Timestamp) -> Result<Vec<B256>, PaymentsError> {
        let claimed = self.batch.claim(rows).await?;
        for id in &claimed {
            self.refresh(*id, now).await?;
        }
        Ok(claimed)
    }
}

/// What one look at all channels came to.
#[derive(Default)]
struct Turn {
    claimed: Vec<B256>,
    failed: Option<PaymentsError>,
}

impl Turn {
    fn add(&mut self, claimed: Result<Vec<B256>, PaymentsError>) {
        match claimed {
            Ok(claimed) => self.claimed.extend(claimed),
            Err(error) => self.note(error),
        }
    }

    fn note(&mut self, error: PaymentsError) {
        tracing::warn!(%error, "a claim waits for the next turn");
        self.failed = Some(error);
    }
}
