//! What all jobs of an agent share: keys, chain, engine, content, feeds, and who is alive.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use content::{BlockStore, Fetcher};
use market::{JobId, ResourceId, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use wire::{SignatureBytes, feed::BeatJson, http::ReadyBody, link::Announced};

use crate::engine::{Engine, Images};
use crate::feeds::Feeds;
use crate::job::Nudge;
use crate::lease::Shop;
use crate::metrics::Measured;
use crate::probe::Machine;
use crate::{AgentConfig, AgentError};

/// Everything that a job's steps need.
pub(crate) struct Host {
    pub(crate) config: AgentConfig,
    pub(crate) market: chain::Market,
    pub(crate) account: chain::Account,
    pub(crate) engine: Engine,
    pub(crate) images: Images,
    pub(crate) store: Arc<BlockStore>,
    pub(crate) fetcher: Fetcher,
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) machine: Machine,
    pub(crate) resource: ResourceId,
    pub(crate) clock: ChainClock,
    /// The last beat, for the link.
    pub(crate) beats: watch::Sender<Option<(BeatJson, SignatureBytes)>>,
    /// What was measured last, for the link.
    pub(crate) measured: watch::Sender<Option<Measured>>,
    pub(crate) shutdown: CancellationToken,
    /// Time sold by the tick, where it is.
    pub(crate) leases: OnceLock<Arc<Shop>>,
    alive: Mutex<BTreeSet<JobId>>,
    /// Jobs that use the machine, or are about to.
    busy: Mutex<BTreeSet<JobId>>,
    mail: Mutex<HashMap<JobId, mpsc::Sender<Nudge>>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({} for {})", self.account.address(), self.resource)
    }
}

/// Everything that opens before the host stands.
pub(crate) struct Parts {
    pub(crate) config: AgentConfig,
    pub(crate) market: chain::Market,
    pub(crate) account: chain::Account,
    pub(crate) machine: Machine,
    pub(crate) resource: ResourceId,
    pub(crate) shutdown: CancellationToken,
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is complete before anything in it can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    pub(crate) fn open(parts: Parts) -> Result<Self, AgentError> {
        let Parts { config, market, account, machine, resource, shutdown } = parts;
        let limits = content::StoreConfig { bytes_max: config.store_bytes_max, ..Default::default() };
        let store = Arc::new(BlockStore::open(config.state_dir.join("content"), limits)?);
        let sources = config.content_sources.iter().chain(&config.gateway).cloned().collect();
        let fetching = content::FetchConfig { give_up: config.fetch_within, ..Default::default() };
        let fetcher = Fetcher::new(sources, fetching)?;
        let engine = Engine::new(config.docker.clone(), account.address().to_string());
        let images = Images::open(config.state_dir.join("images.json"))?;
        Ok(Self {
            config,
            market,
            account,
            engine,
            images,
            store,
            fetcher,
            feeds: Arc::new(Feeds::default()),
            machine,
            resource,
            clock: ChainClock::default(),
            beats: watch::Sender::new(None),
            measured: watch::Sender::new(None),
            shutdown,
            leases: OnceLock::new(),
            alive: Mutex::default(),
            busy: Mutex::default(),
            mail: Mutex::default(),
        })
    }

    /// What is announced to a gateway.
    pub(crate) fn announced(&self) -> Announced {
        Announced { id: B256::from(self.resource.0), hardware: (&self.machine.hardware).into() }
    }

    /// Takes a job's pins off its content.
    pub(crate) fn unpin(&self, job: JobId) -> Result<(), AgentError> {
        let name = pin_name(job);
        for pin in self.store.pins().into_iter().filter(|pin| pin.name == name) {
            self.store.unpin(&pin.name, &pin.root)?;
        }
        Ok(())
    }

    /// Says whether a job's container is known to live.
    pub(crate) fn set_alive(&self, job: JobId, alive: bool) {
        let mut set = guard(&self.alive);
        if alive {
            set.insert(job);
        } else {
            set.remove(&job);
        }
    }

    /// The jobs whose containers are known to live.
    pub(crate) fn alive(&self) -> Vec<JobId> {
        guard(&self.alive).iter().copied().collect()
    }

    /// Says whether a job uses the machine, or is about to. One whose letter box opens does, until it says otherwise.
    pub(crate) fn set_busy(&self, job: JobId, busy: bool) {
        let mut set = guard(&self.busy);
        if busy {
            set.insert(job);
        } else {
            set.remove(&job);
        }
    }

    /// The jobs that use the machine, or are about to.
    pub(crate) fn busy_jobs(&self) -> Vec<JobId> {
        guard(&self.busy).iter().copied().collect()
    }

    /// Whether the machine is let by the tick now.
    pub(crate) fn is_leased(&self) -> bool {
        self.leases.get().is_some_and(|shop| shop.is_busy())
    }

    /// Jobs and leases whose containers are ours.
    pub(crate) fn served(&self) -> Vec<JobId> {
        [self.jobs(), self.leases.get().map(|shop| shop.ids()).unwrap_or_default()].concat()
    }

    /// Opens a job's letter box; `None` where it has one.
    pub(crate) fn open_mail(&self, job: JobId) -> Option<(mpsc::Sender<Nudge>, mpsc::Receiver<Nudge>)> {
        let mut mail = guard(&self.mail);
        if mail.contains_key(&job) {
            return None;
        }
        let (sender, receiver) = mpsc::channel(crate::limits::NUDGES_MAX);
        mail.insert(job, sender.clone());
        guard(&self.busy).insert(job);
        Some((sender, receiver))
    }

    /// Closes it.
    pub(crate) fn close_mail(&self, job: JobId) {
        guard(&self.mail).remove(&job);
        self.set_alive(job, false);
        self.set_busy(job, false);
    }

    /// Jobs that have one.
    pub(crate) fn jobs(&self) -> Vec<JobId> {
        guard(&self.mail).keys().copied().collect()
    }

    /// Tells a job that the chain says something new of it. A full letter box has enough reason to look already.
    pub(crate) fn chain_changed(&self, job: JobId) {
        if let Some(sender) = guard(&self.mail).get(&job) {
            drop(sender.try_send(Nudge::Chain));
        }
    }

    /// Hands a job what its controller is said to have signed.
    pub(crate) fn ready(&self, job: JobId, body: ReadyBody) {
        let sent = guard(&self.mail).get(&job).is_some_and(|sender| sender.try_send(Nudge::Ready(body)).is_ok());
        if !sent {
            tracing::warn!(%job, "a Ready came for a job that does not wait for one");
        }
    }
}

/// Chain time between blocks: the newest block's time and how long ago it was seen.
#[derive(Debug)]
pub(crate) struct ChainClock(watch::Sender<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    time: Timestamp,
    at: Instant,
    /// When any block was last heard of.
    heard: Instant,
}

impl Default for ChainClock {
    fn default() -> Self {
        let now = Instant::now();
        Self(watch::Sender::new(Seen { time: Timestamp(0), at: now, heard: now }))
    }
}

impl ChainClock {
    /// A block was seen.
    pub(crate) fn saw(&self, block_time: Timestamp) {
        let now = Instant::now();
        self.0.send_modify(|last| {
            last.heard = now;
            if block_time > last.time.after(market::Seconds(last.at.elapsed().as_secs())) {
                (last.time, last.at) = (block_time, now);
            }
        });
    }

    /// The time that the next block would have.
    pub(crate) fn now(&self) -> Timestamp {
        let last = *self.0.borrow();
        last.time.after(market::Seconds(last.at.elapsed().as_secs()))
    }

    /// For how long no block was heard of.
    pub(crate) fn quiet(&self) -> std::time::Duration {
        self.0.borrow().heard.elapsed()
    }
}

/// The name under which a job's content is pinned.
pub(crate) fn pin_name(job: JobId) -> String {
    format!("job:{job}")
}

/// This machine's clock in Unix seconds.
pub(crate) fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
