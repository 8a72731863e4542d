//! Transactions for others: each purpose has one, whose signed bytes are on disk before anybody sees them.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use chain::{Call, ChainError, NonceAt, Receipt, Teller};
use jiff::Timestamp as Clock;
use market::Timestamp;
use store::{SendRow, SendState, Store};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::PaymentsError;
use crate::treasury::{GAS_A_DAY_WEI, GasBudget};

/// A transaction that is not mined for so long is offered for more.
const DEARER_AFTER: Duration = Duration::from_secs(20);
/// Raises of one transaction: seven make twice the first fee.
const RAISES_MAX: usize = 7;

/// How transactions are followed.
#[derive(Clone, Copy, Debug)]
pub struct FollowConfig {
    /// Blocks on top of and including the transaction's own before it counts.
    pub confirmations: u64,
    /// A transaction that is not so deep after this long has an unknown outcome, for now. Official clients wait for 90 s.
    pub wait: Duration,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self { confirmations: 1, wait: Duration::from_secs(60) }
    }
}

/// What became of a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Mined, deep enough, and not reverted. Whether money moved is in the logs.
    Done(Box<Receipt>),
    /// Mined and reverted, or it never will be mined.
    Reverted {
        /// The transaction.
        tx: B256,
    },
    /// Nobody knows yet: ask again for the same purpose, and never do it in another way.
    Unknown {
        /// The transaction.
        tx: B256,
    },
}

/// Sends with one key that nothing else sends with. Clones share it.
#[derive(Clone)]
pub struct Sender {
    inner: Arc<Inner>,
}

struct Inner {
    teller: Teller,
    store: Store,
    follow: FollowConfig,
    gas: GasBudget,
    /// One nonce after the other.
    lane: Mutex<()>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sender({:?})", self.inner.teller)
    }
}

impl Sender {
    /// Sends what `teller` signs, for as much gas in a day as [`GAS_A_DAY_WEI`] says.
    #[must_use]
    pub fn new(teller: Teller, store: Store, follow: FollowConfig) -> Self {
        Self::capped(teller, store, follow, GAS_A_DAY_WEI)
    }

    /// The same with a cap of one's own, in wei a day.
    #[must_use]
    pub fn capped(teller: Teller, store: Store, follow: FollowConfig, gas_a_day_wei: u128) -> Self {
        let gas = GasBudget::new(store.clone(), teller.chain().id(), teller.address(), gas_a_day_wei);
        Self { inner: Arc::new(Inner { teller, store, follow, gas, lane: Mutex::default() }) }
    }

    /// The key.
    #[must_use]
    pub fn teller(&self) -> &Teller {
        &self.inner.teller
    }

    /// Does `call` once for `purpose`, however often it is asked, in this process or after it. A call that would revert
    /// now is not sent, and the error says why.
    pub async fn carry_out(&self, purpose: &str, call: &Call) -> Result<Sent, PaymentsError> {
        let row = match self.inner.store.send(purpose).await? {
            Some(row) => row,
            None => self.begin(purpose, call).await?,
        };
        self.follow(row).await
    }

    /// What became of a purpose that may have been begun; nothing when it was not.
    pub async fn outcome(&self, purpose: &str) -> Result<Option<Sent>, PaymentsError> {
        match self.inner.store.send(purpose).await? {
            Some(row) => self.follow(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// After a start: hands to the node again what was signed and not seen mined.
    pub async fn resume(&self) -> Result<(), PaymentsError> {
        let Inner { teller, store, .. } = &*self.inner;
        for row in store.sends_open(teller.address(), teller.chain().id()).await? {
            if let Err(error) = teller.send(&row.raw).await {
                tracing::warn!(%error, purpose = row.purpose, "a kept transaction is not taken by the node now");
            }
        }
        Ok(())
    }

    async fn begin(&self, purpose: &str, call: &Call) -> Result<SendRow, PaymentsError> {
        let Inner { teller, store, lane, gas, .. } = &*self.inner;
        let _turn = lane.lock().await;
        if let Some(row) = store.send(purpose).await? {
            return Ok(row);
        }
        let open = store.sends_open(teller.address(), teller.chain().id()).await?;
        let after = open.last().map_or(0, |row| row.nonce + 1);
        let nonce = teller.nonce(NonceAt::Pending).await?.max(after);
        let signed = teller.prepare(call, nonce).await?;
        gas.take(&signed, now()).await?;
        let row = SendRow {
            purpose: purpose.to_owned(),
            chain_id: teller.chain().id(),
            sender: teller.address(),
            nonce,
            tx: signed.tx,
            raw: signed.raw,
            earlier: Vec::new(),
            state: SendState::Sending,
            begun_at: now(),
        };
        if !store.put_send(&row).await? {
            // Another process was quicker: its bytes are the ones.
            let held = store.send(purpose).await?;
            return held.ok_or(PaymentsError::NotKept);
        }
        if let Err(error) = teller.send(&row.raw).await {
            tracing::warn!(%error, purpose, "the node did not take a transaction yet; it goes out again");
        }
        Ok(row)
    }

    async fn follow(&self, mut row: SendRow) -> Result<Sent, PaymentsError> {
        let Inner { teller, follow, .. } = &*self.inner;
        let until = Instant::now() + follow.wait;
        let mut dearer = Instant::now() + DEARER_AFTER;
        loop {
            if let Some(sent) = self.look(&mut row).await? {
                return Ok(sent);
            }
            if Instant::now() >= until {
                return Ok(Sent::Unknown { tx: row.tx });
            }
            if Instant::now() >= dearer && row.earlier.len() < RAISES_MAX {
                self.raise(&mut row).await;
                dearer = Instant::now() + DEARER_AFTER;
            }
            tokio::time::sleep(teller.chain().config().poll).await;
        }
    }

    /// One look at the chain; nothing while it is open.
    async fn look(&self, row: &mut SendRow) -> Result<Option<Sent>, PaymentsError> {
        let Inner { teller, store, follow, .. } = &*self.inner;
        if row.state == SendState::Lost {
            return Ok(Some(Sent::Reverted { tx: row.tx }));
        }
        for tx in std::iter::once(row.tx).chain(row.earlier.iter().copied()).collect::<Vec<_>>() {
            let receipt = match teller.look_up(tx).await {
                Ok(Some(receipt)) => receipt,
                Ok(None) => continue,
                Err(error) if error.is_retryable() => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let block = receipt.inclusion.block;
            let head = teller.chain().head().await.map_or(block, |head| head.number);
            if head.saturating_sub(block) + 1 < follow.confirmations {
                return Ok(None);
            }
            let state = match receipt.inclusion.succeeded {
                true => SendState::Mined { block },
                false => SendState::Reverted { block },
            };
            if row.state != state {
                row.state = state;
                store.set_send(row).await?;
            }
            return Ok(Some(match receipt.inclusion.succeeded {
                true => Sent::Done(Box::new(receipt)),
                false => Sent::Reverted { tx },
            }));
        }
        Ok(None)
    }

    /// Offers more. What fails here is tried again later: the bytes on disk stay good.
    async fn raise(&self, row: &mut SendRow) {
        let Inner { teller, store, gas, .. } = &*self.inner;
        let raised = async {
            let signed = match teller.prepare_dearer(&row.raw).await {
                Ok(signed) => signed,
                Err(ChainError::FeeTooHigh { .. }) => return Ok(()),
                Err(error) => return Err(PaymentsError::from(error)),
            };
            gas.take(&signed, now()).await?;
            let mut next = row.clone();
            next.earlier.push(next.tx);
            (next.tx, next.raw) = (signed.tx, signed.raw);
            store.set_send(&next).await?;
            *row = next;
            Ok(teller.send(&row.raw).await?)
        };
        if let Err(error) = raised.await {
            tracing::warn!(%error, purpose = row.purpose, "a transaction is not mined, and could not be offered for more");
        }
    }
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    Timestamp(Clock::now().as_second().try_into().unwrap_or(0))
}
