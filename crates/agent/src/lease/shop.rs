//! All leases of an agent: who is served, which channels pay, and who is told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::B256;
use market::{JobId, Mebibytes};
use tokio::sync::{Notify, broadcast, mpsc};
use wire::Terms;
use wire::link::{LeaseOffer, LeaseState};
use wire::x402::ChannelStateJson;

use super::account::Account;
use super::book::Book;
use super::escrow::Escrow;
use super::state::{Phase, Record, path, written_down};
use super::{forget, key};
use crate::config::LeaseConfig;
use crate::host::Host;
use crate::job::Folder;
use crate::limits::{JOBS_MAX, LEASE_NEWS_MAX};
use crate::{AgentError, disk};

/// Leases that are to be served, as they come.
pub(crate) type Opened = (JobId, Arc<Shared>);

/// Everything that leases share.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) config: LeaseConfig,
    pub(super) book: Book,
    pub(super) escrow: Escrow,
    leases: Mutex<HashMap<JobId, Arc<Shared>>>,
    /// Leases that went on, for the link.
    news: broadcast::Sender<JobId>,
    /// Hands new leases to whoever runs tasks.
    pub(super) opened: mpsc::Sender<Opened>,
    /// One lease is opened at a time: what the machine has is given away once.
    pub(super) opening: tokio::sync::Mutex<()>,
}

/// A lease's record, shared by the task that serves it and by whoever answers for it.
#[derive(Debug)]
pub(crate) struct Shared {
    path: PathBuf,
    record: Mutex<Record>,
    wake: Notify,
    stop: tokio::sync::watch::Sender<bool>,
}

/// What a lease's account says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Money {
    /// Seconds that are paid for.
    pub(crate) paid: u64,
    /// Nothing may be served for it any more.
    pub(crate) leaves: bool,
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is complete before anything in it can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(folder: &Folder, record: Record) -> Arc<Self> {
        let stop = tokio::sync::watch::Sender::new(record.stop_asked);
        Arc::new(Self { path: path(folder), record: Mutex::new(record), wake: Notify::new(), stop })
    }

    pub(crate) fn record(&self) -> Record {
        guard(&self.record).clone()
    }

    /// Writes the changed record down, and only then goes over to it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Record)) -> Result<(), AgentError> {
        let mut record = guard(&self.record);
        let mut next = record.clone();
        change(&mut next);
        disk::save(&self.path, &next)?;
        self.stop.send_replace(next.stop_asked);
        *record = next;
        Ok(())
    }

    /// Something happened that the lease should look at.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits for that, at most `limit`.
    pub(crate) async fn woken(&self, limit: Duration) {
        // Either way it looks again.
        drop(tokio::time::timeout(limit, self.wake.notified()).await);
    }

    /// Waits until its payer asked to stop it.
    pub(crate) async fn stop_asked(&self) {
        if self.stop.subscribe().wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Shop {
    /// Opens the channels and takes up the leases that an earlier run left; they go out through the second.
    pub(crate) async fn open(
        host: &Host,
        config: LeaseConfig,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Opened>), AgentError> {
        let escrow = Escrow::open(host, &config).await?;
        let (opened, new) = mpsc::channel(JOBS_MAX);
        let shop = Arc::new(Self {
            book: Book::open(&host.config.state_dir)?,
            escrow,
            config,
            leases: Mutex::default(),
            news: broadcast::Sender::new(LEASE_NEWS_MAX),
            opened,
            opening: tokio::sync::Mutex::new(()),
        });
        for (id, record) in written_down(&host.config.state_dir)? {
            let folder = Folder::of_lease(&host.config.state_dir, id);
            let has_paid = shop.account(record.channel, id).await.is_some();
            if record.phase == Phase::Removed || (record.phase == Phase::Opened && !has_paid) {
                forget(&folder)?;
                continue;
            }
            tracing::info!(lease = %id.short(), phase = ?record.phase, "taken up again");
            shop.add(id, Shared::new(&folder, record)).await;
        }
        Ok((shop, new))
    }

    /// Has a lease served.
    pub(super) async fn add(&self, id: JobId, shared: Arc<Shared>) {
        guard(&self.leases).insert(id, shared.clone());
        // Whoever runs tasks goes only with the agent.
        drop(self.opened.send((id, shared)).await);
    }

    pub(super) fn lease(&self, id: JobId) -> Option<Arc<Shared>> {
        guard(&self.leases).get(&id).cloned()
    }

    /// Every lease that is not removed.
    pub(crate) fn ids(&self) -> Vec<JobId> {
        guard(&self.leases).keys().copied().collect()
    }

    pub(super) fn removed(&self, id: JobId) {
        guard(&self.leases).remove(&id);
    }

    /// What leases hold of the machine now: how many, and their processors, memory and disk.
    pub(super) fn taken(&self) -> (usize, u64, Mebibytes, Mebibytes) {
        let mut sum = (0, 0, Mebibytes(0), Mebibytes(0));
        for shared in guard(&self.leases).values() {
            let record = guard(&shared.record);
            let Some(spec) = record.spec.as_ref().filter(|_| !matches!(record.phase, Phase::Done | Phase::Removed))
            else {
                continue;
            };
            let needs = spec.needs();
            sum.0 += 1;
            sum.1 += u64::from(needs.cpus);
            sum.2 = Mebibytes(sum.2.0 + needs.memory.0);
            sum.3 = Mebibytes(sum.3.0 + needs.disk.0);
        }
        sum
    }

    /// Whether a lease uses the machine now.
    pub(crate) fn is_busy(&self) -> bool {
        self.taken().0 > 0
    }

    /// How it sells.
    pub(crate) fn offer(&self) -> LeaseOffer {
        LeaseOffer {
            receiver: self.escrow.receiver(),
            token: self.escrow.token(),
            setup: self.config.setup,
            tick_s: self.config.tick_s,
            withdraw_delay: self.config.withdraw_delay,
        }
    }

    /// A lease went on.
    pub(super) fn tell(&self, id: JobId) {
        // Without a link nobody listens; a new link asks for all.
        drop(self.news.send(id));
    }

    /// Leases that go on from now on.
    pub(crate) fn news(&self) -> broadcast::Receiver<JobId> {
        self.news.subscribe()
    }

    /// A lease's account, as long as its channel has one.
    pub(super) async fn account(&self, channel: B256, id: JobId) -> Option<Account> {
        let held = self.book.hold(channel).await?;
        held.channel()?.accounts.get(&key(id)).cloned()
    }

    pub(super) async fn money(&self, channel: B256, id: JobId) -> Money {
        let Some(held) = self.book.hold(channel).await else { return Money::default() };
        held.channel().map_or_else(Money::default, |channel| Money {
            paid: channel.accounts.get(&key(id)).map_or(0, |account| account.paid),
            leaves: channel.withdraw_at.is_some(),
        })
    }

    /// Writes down what a lease has run; it never falls, and is final once the account is closed.
    pub(super) async fn served(&self, channel: B256, id: JobId, seconds: u64) -> Result<(), AgentError> {
        let Some(mut held) = self.book.hold(channel).await else { return Ok(()) };
        let change = |account: &mut Account| account.served = account.served.max(seconds);
        let is_open = |account: &&mut Account| !account.over;
        held.change(|channel| channel.accounts.get_mut(&key(id)).filter(is_open).map_or((), change)).map(drop)
    }

    /// Closes a lease's account: what is paid and was not served is its payer's again.
    pub(super) async fn close_account(&self, channel: B256, id: JobId, ours: bool) -> Result<(), AgentError> {
        let Some(mut held) = self.book.hold(channel).await else { return Ok(()) };
        held.change(|channel| {
            if let Some(account) = channel.accounts.get_mut(&key(id)) {
                (account.over, account.setup_returned) = (true, account.setup_returned || ours);
            }
        })?;
        let account = held.channel().and_then(|channel| channel.accounts.get(&key(id)).cloned());
        drop(held);
        match (account, self.lease(id)) {
            (Some(account), Some(lease)) => lease.change(|record| record.account = Some(account)),
            _ => Ok(()),
        }
    }

    /// A lease and its channel as its payer is told of them.
    pub(crate) async fn told(&self, id: JobId) -> Option<(LeaseState, ChannelStateJson)> {
        let record = self.lease(id)?.record();
        let held = self.book.hold(record.channel).await?;
        let channel = held.channel()?;
        let open = channel.accounts.get(&key(id));
        let account = open.or(record.account.as_ref());
        let reason = record.reason();
        let (signed, signature) = record.completion.map(|it| (it.record, it.signature)).unzip();
        let state = LeaseState {
            terms: record.terms,
            channel: record.channel,
            capability: record.capability,
            phase: record.phase.told(),
            paid_s: account.map_or(0, |account| account.paid),
            served_s: account.map_or(0, |account| account.served),
            charged: account.map_or(0, Account::charged),
            earned: account.map_or(0, Account::earned),
            reason,
            record: signed,
            signature,
        };
        Some((state, channel.told(record.channel).0))
    }

    /// Wakes the leases that this channel pays.
    pub(super) fn wake(&self, channel: B256) {
        let leases = guard(&self.leases);
        leases.values().filter(|lease| guard(&lease.record).channel == channel).for_each(|lease| lease.wake());
    }
}

/// The id of a lease: the hash of its terms, as a job's.
pub(super) fn id_of(host: &Host, terms: &Terms) -> JobId {
    host.market.job_id(terms)
}
