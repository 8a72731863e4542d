//! Where vouchers are taken: a lock for each channel, and one writer that keeps the newest voucher of each on disk,
//! many in one commit, before anybody has what it pays for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Short, PoisonError};

use alloy_primitives::B256;
use market::Timestamp;
use secp256k1::PublicKey;
use store::{AnswerRow, ChannelRow, Store, VoucherRow};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use wire::x402::VoucherFields;

use super::key::{made_by, recover};
use super::{ChannelRefusal, ChannelState, Seen};
use crate::PaymentsError;

/// Vouchers that wait for the disk. Each has a caller who waits too, so that more are callers that will give up.
pub const QUEUED_MAX: usize = 4096;
/// Channels in memory; those that nobody uses are read from disk again.
pub const CHANNELS_MAX: usize = 65_536;

/// Takes vouchers. Clones share it.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    separator: B256,
    slots: Short<HashMap<B256, Arc<Slot>>>,
    queue: mpsc::Sender<Save>,
}

#[derive(Debug)]
struct Slot {
    place: Arc<Mutex<Place>>,
    /// The disk refused what memory has: it is read again.
    broken: AtomicBool,
}

#[derive(Debug)]
struct Place {
    state: ChannelState,
    /// When a claim was last made.
    claimed_at: u64,
    /// The key of its vouchers, once it is known.
    key: Option<PublicKey>,
    /// Vouchers up to this total were sent to the contract, where everybody reads them.
    published: u128,
    closing: Closing,
}

/// Whether money of a channel is on its way back, so that its balance is not what it seems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    No,
    /// Read from disk, and what was sent for it was not looked at since.
    Unchecked,
    Yes,
}

/// Something to keep, and who waits for it.
struct Save {
    row: VoucherRow,
    answer: Option<AnswerRow>,
    kept: oneshot::Sender<bool>,
}

/// A voucher that was taken and is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The channel after it.
    pub state: ChannelState,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({} channels)", self.slots().len())
    }
}

impl Desk {
    /// Takes vouchers of channels whose contract has this domain separator. Ends with the last clone.
    #[must_use]
    pub fn start(store: Store, separator: B256) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUED_MAX);
        tokio::spawn(keep(store.clone(), waiting));
        Self { inner: Arc::new(Inner { store, separator, slots: Short::default(), queue }) }
    }

    /// The separator of the domain that vouchers are signed under.
    #[must_use]
    pub fn separator(&self) -> B256 {
        self.inner.separator
    }

    /// Notes what the contract says of a channel; the first time that makes the channel known here.
    pub async fn sync(&self, state: &ChannelState, seen: Seen, now: u64) -> Result<ChannelState, PaymentsError> {
        let slot = match self.slot(state.id).await? {
            Some(slot) => slot,
            None => self.remember(state.id, state.clone(), now, Closing::No),
        };
        let mut place = slot.place.clone().lock_owned().await;
        let state = place.state.synced(seen, now);
        let claimed_at = if state.claimed > place.state.claimed { now } else { place.claimed_at };
        self.inner.store.put_channel(&row(&state, claimed_at)).await?;
        (place.state, place.claimed_at) = (state.clone(), claimed_at);
        Ok(state)
    }

    /// A channel as it stands, and when a claim was last made; nothing where it is not known here.
    pub async fn channel(&self, id: B256) -> Result<Option<(ChannelState, u64)>, PaymentsError> {
        let Some(slot) = self.slot(id).await? else { return Ok(None) };
        let place = slot.place.lock().await;
        Ok(Some((place.state.clone(), place.claimed_at)))
    }

    /// Takes a voucher that pays `amount`: when this returns it is on disk and counts. Any number may wait at once.
    pub async fn take(&self, voucher: &VoucherFields, amount: u128, now: u64) -> Result<Taken, PaymentsError> {
        let slot = self.known(voucher.channel_id).await?;
        let mut place = slot.place.lock().await;
        if slot.broken.load(Ordering::Acquire) {
            return Err(PaymentsError::NotKept);
        }
        if place.closing == Closing::Yes {
            return Err(ChannelRefusal::Busy.into());
        }
        let state = place.checked(voucher)?.follows(voucher, amount, now)?;
        let kept = self.queue(&state, None).await?;
        place.state = state.clone();
        drop(place);
        self.wait(kept, &slot).await?;
        Ok(Taken { state })
    }

    /// What this very voucher bought, when it is the newest one and was charged. Nothing once it was sent to the contract:
    /// then it proves no longer who asks.
    pub async fn bought(&self, voucher: &VoucherFields) -> Result<Option<Vec<u8>>, PaymentsError> {
        let (id, total) = (voucher.channel_id, voucher.max_claimable_amount);
        let Some(slot) = self.slot(id).await? else { return Ok(None) };
        {
            // Whoever is being served is told that by `hold`.
            let Ok(place) = slot.place.try_lock() else { return Ok(None) };
            let state = &place.state;
            let newest = state.signature == Some(voucher.signature) && state.signed_max == total;
            if !newest || state.charged != total || state.claimed.max(place.published) >= total {
                return Ok(None);
            }
        }
        let found = self.inner.store.channel_answer(id).await?;
        Ok(found.filter(|answer| answer.total == total).map(|answer| answer.body))
    }

    /// Notes that the newest voucher of a channel is about to be sent to the contract.
    pub async fn publish(&self, state: &ChannelState) -> Result<(), PaymentsError> {
        if let Some(slot) = self.slot(state.id).await? {
            let mut place = slot.place.lock().await;
            place.published = place.published.max(state.signed_max);
        }
        Ok(())
    }

    /// Holds a channel while a request of it is served. Refused while another is.
    pub async fn hold(&self, id: B256) -> Result<Held, PaymentsError> {
        let slot = self.known(id).await?;
        let place = slot.place.clone().try_lock_owned().map_err(|_| ChannelRefusal::Busy)?;
        if slot.broken.load(Ordering::Acquire) {
            return Err(PaymentsError::NotKept);
        }
        Ok(Held { desk: self.clone(), slot, place })
    }

    async fn known(&self, id: B256) -> Result<Arc<Slot>, PaymentsError> {
        self.slot(id).await?.ok_or(PaymentsError::NoChannel { id })
    }

    async fn slot(&self, id: B256) -> Result<Option<Arc<Slot>>, PaymentsError> {
        if let Some(slot) = self.slots().get(&id) {
            return Ok(Some(slot.clone()));
        }
        let Some((channel, newest)) = self.inner.store.channel(id).await? else { return Ok(None) };
        let claimed_at = channel.claimed_at.0;
        let state = loaded(channel, newest, self.inner.separator);
        Ok(Some(self.remember(id, state, claimed_at, Closing::Unchecked)))
    }

    fn remember(&self, id: B256, state: ChannelState, claimed_at: u64, closing: Closing) -> Arc<Slot> {
        let mut slots = self.slots();
        if slots.len() >= CHANNELS_MAX {
            // One that is read again is looked at again: what is on its way back is on disk.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || Arc::strong_count(&slot.place) > 1);
        }
        let fresh = || {
            let place = Arc::new(Mutex::new(Place { state, claimed_at, key: None, published: 0, closing }));
            Arc::new(Slot { place, broken: AtomicBool::new(false) })
        };
        // Two may have read it at once: the first one's is everybody's.
        slots.entry(id).or_insert_with(fresh).clone()
    }

    async fn queue(
        &self,
        state: &ChannelState,
        answer: Option<AnswerRow>,
    ) -> Result<oneshot::Receiver<bool>, PaymentsError> {
        let (kept, waits) = oneshot::channel();
        let save = Save { row: newest(state), answer, kept };
        self.inner.queue.send(save).await.map_err(|_| PaymentsError::NotKept)?;
        Ok(waits)
    }

    async fn wait(&self, kept: oneshot::Receiver<bool>, slot: &Arc<Slot>) -> Result<(), PaymentsError> {
        if kept.await == Ok(true) {
            return Ok(());
        }
        // Memory is ahead of the disk: the next request reads what the disk has.
        slot.broken.store(true, Ordering::Release);
        self.slots().retain(|_, other| !Arc::ptr_eq(other, slot));
        Err(PaymentsError::NotKept)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<B256, Arc<Slot>>> {
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The channel, once the voucher's signature is known to be its payer's.
    fn checked(&mut self, voucher: &VoucherFields) -> Result<&ChannelState, ChannelRefusal> {
        self.state.belongs(voucher)?;
        let expected = self.state.config.payer_authorizer;
        let digest = self.state.digest(voucher);
        if let Some(key) = &self.key {
            return made_by(key, &digest, &voucher.signature)
                .then_some(&self.state)
                .ok_or(ChannelRefusal::Signature { expected });
        }
        match recover(&digest, &voucher.signature) {
            Some((signer, key)) if signer == expected => self.key = Some(key),
            _ => return Err(ChannelRefusal::Signature { expected }),
        }
        Ok(&self.state)
    }
}

/// A channel that nobody else can pay from meanwhile.
#[derive(Debug)]
pub struct Held {
    desk: Desk,
    slot: Arc<Slot>,
    place: OwnedMutexGuard<Place>,
}

impl Held {
    /// The channel as it stands.
    #[must_use]
    pub fn state(&self) -> &ChannelState {
        &self.place.state
    }

    /// Whether money of the channel is on its way back, or that was not looked at since the channel was read from disk.
    /// Then its balance is not to be believed before [`opened`](Self::opened).
    #[must_use]
    pub fn may_be_closing(&self) -> bool {
        self.place.closing != Closing::No
    }

    /// Notes that money is about to be sent back: whoever holds the channel next finds that.
    pub fn close(&mut self) {
        self.place.closing = Closing::Yes;
    }

    /// Notes that nothing is on its way back, and that the contract was asked since.
    pub fn opened(&mut self) {
        self.place.closing = Closing::No;
    }

    /// Notes what the contract says of the channel.
    pub async fn sync(&mut self, seen: Seen, now: u64) -> Result<(), PaymentsError> {
        let state = self.place.state.synced(seen, now);
        let claimed_at = if state.claimed > self.place.state.claimed { now } else { self.place.claimed_at };
        self.desk.inner.store.put_channel(&row(&state, claimed_at)).await?;
        (self.place.state, self.place.claimed_at) = (state, claimed_at);
        Ok(())
    }

    /// Checks a voucher that pays `amount`: the request may be served now. Nothing is charged, and nothing is kept, before
    /// [`Reserved::commit`].
    pub fn reserve(mut self, voucher: &VoucherFields, amount: u128, now: u64) -> Result<Reserved, PaymentsError> {
        let after = self.place.checked(voucher)?.follows(voucher, amount, now)?;
        Ok(Reserved { held: self, after })
    }
}

/// A channel with a good voucher, whose request is being served. Dropped without [`commit`](Self::commit), as by the end
/// of the process, nothing is charged: the same voucher buys the next try.
#[derive(Debug)]
pub struct Reserved {
    held: Held,
    /// The channel once all is charged that the voucher allows.
    after: ChannelState,
}

impl Reserved {
    /// The channel as it will be once `amount`, at most what was reserved, is charged.
    #[must_use]
    pub fn charged(&self, amount: u128) -> ChannelState {
        let charged = self.held.place.state.charged.saturating_add(amount).min(self.after.signed_max);
        ChannelState { charged, ..self.after.clone() }
    }

    /// Charges `amount`, at most what was reserved, after the request was served and before it is answered: voucher,
    /// charge and answer go to disk together, so that nobody has an answer that is not paid for, and nobody paid for one
    /// that is lost. The answer has at most [`store::CHANNEL_ANSWER_BYTES_MAX`]; [`Desk::bought`] finds it.
    pub async fn commit(mut self, amount: u128, answer: Option<Vec<u8>>) -> Result<ChannelState, PaymentsError> {
        let state = self.charged(amount);
        let answer = answer.map(|body| AnswerRow { id: state.id, total: state.charged, body });
        let Held { desk, slot, place } = &mut self.held;
        let kept = desk.queue(&state, answer).await?;
        desk.wait(kept, slot).await?;
        place.state = state.clone();
        Ok(state)
    }
}

/// Keeps what waits, the newest voucher of each channel, in one commit after the other.
async fn keep(store: Store, mut waiting: mpsc::Receiver<Save>) {
    let mut saves = Vec::with_capacity(QUEUED_MAX);
    while waiting.recv_many(&mut saves, QUEUED_MAX).await > 0 {
        let newest: HashMap<B256, VoucherRow> = saves.iter().map(|save| (save.row.id, save.row)).collect();
        let rows: Vec<_> = newest.into_values().collect();
        let answers = saves.iter_mut().filter_map(|save| save.answer.take());
        let answers: HashMap<B256, AnswerRow> = answers.map(|answer| (answer.id, answer)).collect();
        let kept = store.put_vouchers_with(&rows, answers.into_values().collect()).await;
        if let Err(error) = &kept {
            tracing::error!(%error, vouchers = saves.len(), "vouchers could not be kept, and nobody is served for them");
        }
        for save in saves.drain(..) {
            // Whoever gave up waiting finds the voucher taken.
            save.kept.send(kept.is_ok()).ok();
        }
    }
}

fn newest(state: &ChannelState) -> VoucherRow {
    VoucherRow { id: state.id, charged: state.charged, signed_max: state.signed_max, signature: state.signature }
}

fn row(state: &ChannelState, claimed_at: u64) -> ChannelRow {
    ChannelRow {
        id: state.id,
        config: state.config.clone(),
        balance: state.balance,
        claimed: state.claimed,
        withdraw_at: state.withdraw_at.map(Timestamp),
        refund_nonce: state.refund_nonce,
        synced_at: Timestamp(state.synced_at),
        claimed_at: Timestamp(claimed_at),
    }
}

fn loaded(channel: ChannelRow, newest: Option<VoucherRow>, separator: B256) -> ChannelState {
    let voucher = newest.unwrap_or(VoucherRow { id: channel.id, charged: 0, signed_max: 0, signature: None });
    ChannelState {
        id: channel.id,
        config: channel.config,
        separator,
        balance: channel.balance,
        claimed: channel.claimed,
        // Money that was claimed without a voucher that is kept here is gone all the same.
        charged: voucher.charged.max(channel.claimed),
        signed_max: voucher.signed_max.max(channel.claimed),
        signature: voucher.signature,
        withdraw_at: channel.withdraw_at.map(|at| at.0),
        refund_nonce: channel.refund_nonce,
        synced_at: channel.synced_at.0,
    }
}
