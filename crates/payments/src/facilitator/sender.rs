//! Transactions for others: each purpose has one, whose signed bytes are on disk before anybody sees them.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use chain::{Call, ChainError, NonceAt, Receipt, Teller};
use jiff::Timestamp as Clock;
use market::Timestamp;
use store::{SendRow, SendState, Store, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::PaymentsError;
use crate::treasury::{GAS_A_DAY_WEI, GasBudget};

mod tend;

/// Transactions of one purpose: a reverted one did nothing and may be tried again, but not for ever at the key's cost.
const ATTEMPTS_MAX: u32 = 8;
/// Transactions of a key that wait at once; nodes keep no more than some dozen of one sender.
const OPEN_MAX: usize = 64;

/// How transactions are followed.
#[derive(Clone, Copy, Debug)]
pub struct FollowConfig {
    /// Blocks on top of and including the transaction's own before it counts.
    pub confirmations: u64,
    /// A transaction that is not so deep after this long has an unknown outcome, for now. Official clients wait for 90 s.
    pub wait: Duration,
    /// What is not mined goes out again so often, whether somebody waits for it or not: a node that forgot one holds up
    /// everything behind it.
    pub resend: Duration,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self { confirmations: 1, wait: Duration::from_secs(60), resend: Duration::from_secs(5) }
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

/// Whose gas a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purse {
    /// What the market owes somebody: it may spend all of the day's gas.
    Whole,
    /// What anybody may ask for: half of the day's gas is left to the others.
    Half,
}

/// Sends with one key that nothing else sends with. What is not mined goes out again by itself until the last clone is
/// gone. Clones share it.
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
    /// Sends what `teller` signs, for as much gas in a day as [`GAS_A_DAY_WEI`] says. Must be called in a runtime.
    #[must_use]
    pub fn new(teller: Teller, store: Store, follow: FollowConfig) -> Self {
        Self::capped(teller, store, follow, GAS_A_DAY_WEI)
    }

    /// The same with a cap of one's own, in wei a day.
    #[must_use]
    pub fn capped(teller: Teller, store: Store, follow: FollowConfig, gas_a_day_wei: u128) -> Self {
        let gas = GasBudget::new(store.clone(), teller.chain().id(), teller.address(), gas_a_day_wei);
        let inner = Arc::new(Inner { teller, store, follow, gas, lane: Mutex::default() });
        tokio::spawn(tend::run(Arc::downgrade(&inner), follow.resend));
        Self { inner }
    }

    /// The key.
    #[must_use]
    pub fn teller(&self) -> &Teller {
        &self.inner.teller
    }

    /// Does `call` once for `purpose`, however often it is asked, in this process or after it. A call that would revert
    /// now is not sent, and the error says why. A transaction that reverted did nothing: whoever asks again gets another.
    pub async fn carry_out(&self, purpose: &str, call: &Call) -> Result<Sent, PaymentsError> {
        self.carried_out(purpose, call, Purse::Whole).await
    }

    /// The same for what anybody may ask for: half of the day's gas stays for what the market owes, which
    /// [`carry_out`](Self::carry_out) may spend.
    pub async fn carry_out_spare(&self, purpose: &str, call: &Call) -> Result<Sent, PaymentsError> {
        self.carried_out(purpose, call, Purse::Half).await
    }

    async fn carried_out(&self, purpose: &str, call: &Call, purse: Purse) -> Result<Sent, PaymentsError> {
        let row = match self.newest(purpose).await? {
            None => self.begin(purpose, call, purse).await?,
            Some((number, row)) if failed(&row) && number < ATTEMPTS_MAX => {
                self.begin(&attempt(purpose, number + 1), call, purse).await?
            }
            Some((_, row)) => row,
        };
        self.follow(row).await
    }

    /// What became of a purpose that may have been begun; nothing when it was not.
    pub async fn outcome(&self, purpose: &str) -> Result<Option<Sent>, PaymentsError> {
        match self.newest(purpose).await? {
            Some((_, row)) => self.follow(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same without waiting: what is known now.
    pub async fn peek(&self, purpose: &str) -> Result<Option<Sent>, PaymentsError> {
        let Some((_, mut row)) = self.newest(purpose).await? else { return Ok(None) };
        let unknown = Sent::Unknown { tx: row.tx };
        Ok(Some(self.inner.look(&mut row).await?.unwrap_or(unknown)))
    }

    /// Whether a purpose is done or on its way: asking for it again sends nothing.
    pub async fn begun(&self, purpose: &str) -> Result<bool, PaymentsError> {
        Ok(self.newest(purpose).await?.is_some_and(|(_, row)| !failed(&row)))
    }

    /// The last transaction of a purpose, and the how manyth it is.
    async fn newest(&self, purpose: &str) -> Result<Option<(u32, SendRow)>, PaymentsError> {
        let mut newest = None;
        for number in 1..=ATTEMPTS_MAX {
            let Some(row) = self.inner.store.send(&attempt(purpose, number)).await? else { break };
            let over = !failed(&row);
            newest = Some((number, row));
            if over {
                break;
            }
        }
        Ok(newest)
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

    async fn begin(&self, purpose: &str, call: &Call, purse: Purse) -> Result<SendRow, PaymentsError> {
        let Inner { teller, store, lane, gas, .. } = &*self.inner;
        let _turn = lane.lock().await;
        if let Some(row) = store.send(purpose).await? {
            return Ok(row);
        }
        let open = store.sends_open(teller.address(), teller.chain().id()).await?;
        if open.len() >= OPEN_MAX {
            return Err(StoreError::Busy { reason: "too many transactions of this key wait to be mined".into() }.into());
        }
        let after = open.last().map_or(0, |row| row.nonce + 1);
        let nonce = teller.nonce(NonceAt::Pending).await?.max(after);
        let signed = teller.prepare(call, nonce).await?;
        match purse {
            Purse::Whole => gas.take(&signed, now()).await?,
            Purse::Half => gas.take_spare(&signed, now()).await?,
        }
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
        let Inner { teller, store, follow, .. } = &*self.inner;
        let until = Instant::now() + follow.wait;
        loop {
            if let Some(sent) = self.inner.look(&mut row).await? {
                return Ok(sent);
            }
            if Instant::now() >= until {
                return Ok(Sent::Unknown { tx: row.tx });
            }
            tokio::time::sleep(teller.chain().config().poll).await;
            // It may have been signed again for more.
            row = store.send(&row.purpose).await?.unwrap_or(row);
        }
    }
}

impl Inner {
    /// One look at the chain; nothing while it is open.
    async fn look(&self, row: &mut SendRow) -> Result<Option<Sent>, PaymentsError> {
        if row.state == SendState::Lost {
            return Ok(Some(Sent::Reverted { tx: row.tx }));
        }
        match self.receipt(row).await {
            Ok(Some(receipt)) => self.settled(row, receipt).await,
            Ok(None) => Ok(None),
            Err(error) if error.is_retryable() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Where any of a purpose's transactions was mined.
    async fn receipt(&self, row: &SendRow) -> Result<Option<Receipt>, ChainError> {
        for tx in std::iter::once(row.tx).chain(row.earlier.iter().copied()) {
            if let Some(receipt) = self.teller.look_up(tx).await? {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// Notes where it was mined; nothing while that is not deep enough.
    async fn settled(&self, row: &mut SendRow, receipt: Receipt) -> Result<Option<Sent>, PaymentsError> {
        let block = receipt.inclusion.block;
        let head = self.teller.chain().head().await.map_or(block, |head| head.number);
        if head.saturating_sub(block) + 1 < self.follow.confirmations {
            return Ok(None);
        }
        let succeeded = receipt.inclusion.succeeded;
        let state = if succeeded { SendState::Mined { block } } else { SendState::Reverted { block } };
        if row.state != state {
            row.state = state;
            self.store.set_send(row).await?;
        }
        Ok(Some(if succeeded { Sent::Done(Box::new(receipt)) } else { Sent::Reverted { tx: row.tx } }))
    }
}

/// It did nothing, and never will.
fn failed(row: &SendRow) -> bool {
    matches!(row.state, SendState::Reverted { .. } | SendState::Lost)
}

/// Names a purpose's transactions; the first has the purpose's own name.
fn attempt(purpose: &str, number: u32) -> String {
    if number == 1 { purpose.to_owned() } else { format!("{purpose}#{number}") }
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    Timestamp(Clock::now().as_second().try_into().unwrap_or(0))
}
