//! The daemon: opens everything, takes up what an earlier run left, and runs until it is told to stop.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use chain::{Account, Chain, Market, SendConfig};
use market::JobId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::host::{Host, Parts};
use crate::job::{Folder, Job, Phase, Record};
use crate::journal::Journal;
use crate::lease::{self, Shared, Shop};
use crate::limits::JOBS_MAX;
use crate::probe::{self, Cards};
use crate::{AgentConfig, AgentError, beat, follow, housekeeping, link, listing, metrics, settle};

/// Lists this machine and serves jobs until `shutdown`. Programs that run then are left alone: the next run with the
/// same state folder takes them up.
pub async fn run(config: AgentConfig, shutdown: CancellationToken) -> Result<(), AgentError> {
    config.gateway.iter().try_for_each(|gateway| link::check(gateway, config.allow_plain_gateway))?;
    config.region.iter().try_for_each(|region| wire::details::check_region(region))?;
    std::fs::create_dir_all(config.state_dir.join("jobs")).map_err(AgentError::io(&config.state_dir))?;
    let _lock = lock(&config.state_dir)?;
    // Boxed: whoever composes the program carries a small future.
    let opening = Box::pin(open(config, shutdown.clone()));
    let opened = tokio::select! {
        opened = opening => opened?,
        () = shutdown.cancelled() => return Ok(()),
    };
    Box::pin(serve(opened)).await
}

/// The state folder is ours as long as this lives.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started at this moment still holds a copy.
        drop(self.0.unlock());
    }
}

fn lock(state_dir: &Path) -> Result<Lock, AgentError> {
    let path = state_dir.join("lock");
    let file = File::create(&path).map_err(AgentError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(AgentError::Locked { path: state_dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(AgentError::Io { path, source }),
    }
}

/// Leases as they are opened.
type OpenedLeases = mpsc::Receiver<(JobId, Arc<Shared>)>;

struct Opened {
    host: Arc<Host>,
    cards: Arc<Cards>,
    /// Time sold by the tick, and leases as they are opened.
    leases: Option<(Arc<Shop>, OpenedLeases)>,
}

/// Opens chain, machine, listing and stores; waits for a chain that does not answer.
async fn open(config: AgentConfig, shutdown: CancellationToken) -> Result<Opened, AgentError> {
    let mut backoff = Backoff::default();
    let cards = Cards::open();
    let mut machine = probe::machine(&config.state_dir, &config.offered, config.simulate, &cards)?;
    let (market, account, resource) = loop {
        let opening = async {
            let chain = Chain::connect(config.chain.clone()).await?;
            let market = Market::open(chain, config.market).await?;
            let account = Account::new(market.clone(), config.agent.clone(), SendConfig::default());
            let resource = listing::ensure(&config, &market, &account, &machine).await?;
            Ok::<_, AgentError>((market, account, resource))
        };
        match opening.await {
            Ok(opened) => break opened,
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "not open yet; trying again");
                backoff.wait().await;
            }
            Err(error) => return Err(error),
        }
    };
    machine.hardware = listing::as_listed(&market, resource, &config, machine.hardware).await?;
    let head = market.chain().head().await?;
    let host = Host::open(Parts { config, market, account, machine, resource, shutdown })?;
    host.clock.saw(head.timestamp);
    let leases = match host.config.leases.clone() {
        None => None,
        Some(config) => loop {
            match Shop::open(&host, config.clone()).await {
                Ok(opened) => break Some(opened),
                Err(error) if error.is_retryable() => backoff.wait().await,
                Err(error) => return Err(error),
            }
        },
    };
    if let Some((shop, _)) = &leases {
        host.leases.get_or_init(|| shop.clone());
    }
    Ok(Opened { host: Arc::new(host), cards: Arc::new(cards), leases })
}

async fn serve(Opened { host, cards, leases }: Opened) -> Result<(), AgentError> {
    // Everything runs in this set: when this function is left, nothing of the agent goes on.
    let mut tasks = JoinSet::new();
    let (jobs, mut new_jobs) = mpsc::channel(JOBS_MAX);
    set_aside_unreadable(&host.config.state_dir)?;
    remove_leftovers(&host.config.state_dir)?;
    let mut known = Vec::new();
    for (id, record) in written_down(&host.config.state_dir)? {
        if record.phase != Phase::Done {
            known.push(id);
        }
        tasks.spawn(take_up(host.clone(), id, record));
    }
    tasks.spawn(remove_strays(host.clone(), known));
    tasks.spawn(beat::run(host.clone(), cards.clone()));
    tasks.spawn(metrics::run(host.clone(), cards));
    tasks.spawn(housekeeping::run(host.clone()));
    tasks.spawn(settle::run(host.clone()));
    if let Some(gateway) = host.config.gateway.clone() {
        tasks.spawn(link::run(host.clone(), gateway));
    }
    let (shop, mut new_leases) = leases.unzip();
    if let Some(shop) = &shop {
        tasks.spawn(lease::look_after(host.clone(), shop.clone()));
    }
    let mut following = tokio::spawn(follow::run(host.clone(), jobs));
    let ended = loop {
        tokio::select! {
            Some(job) = new_jobs.recv() => drop(tasks.spawn(job.run())),
            Some((id, shared)) = next_lease(&mut new_leases) => {
                if let Some(shop) = &shop {
                    tasks.spawn(lease::serve(host.clone(), shop.clone(), id, shared));
                }
            }
            ended = &mut following => break ended.unwrap_or(Err(AgentError::ShuttingDown)),
            // Jobs come and go; whoever else ends has been told to.
            Some(_) = tasks.join_next() => {}
        }
    };
    host.shutdown.cancel();
    while tasks.join_next().await.is_some() {}
    ended
}

/// The next lease that is opened; never where none are.
async fn next_lease(new: &mut Option<mpsc::Receiver<(JobId, Arc<Shared>)>>) -> Option<(JobId, Arc<Shared>)> {
    match new {
        Some(new) => new.recv().await,
        None => std::future::pending().await,
    }
}

/// Takes up a job that an earlier run left; one whose files cannot be opened now, on a disk that is full, is tried
/// again while the others go on.
async fn take_up(host: Arc<Host>, id: JobId, record: Record) {
    let mut backoff = Backoff::default();
    loop {
        match open_again(&host, id, &record) {
            Ok(Some(job)) => {
                tracing::info!(job = %id.short(), "taken up again");
                return job.run().await;
            }
            Ok(None) => return,
            Err(error) => tracing::error!(job = %id, %error, "a job could not be taken up again; trying again"),
        }
        tokio::select! {
            () = backoff.wait() => {}
            () = host.shutdown.cancelled() => return,
        }
    }
}

/// A job to be served; of one that is done only the feed is kept.
fn open_again(host: &Arc<Host>, id: JobId, record: &Record) -> Result<Option<Job>, AgentError> {
    if record.phase != Phase::Done {
        return Job::open(host, id, record.clone());
    }
    let folder = Folder::of(&host.config.state_dir, id);
    host.feeds.add(id, record.terms.clone(), Journal::open(&folder.journal(), host.feeds.changed.clone())?);
    Ok(None)
}

/// The jobs that are written down.
pub(crate) fn written_down(state_dir: &Path) -> Result<Vec<(JobId, Record)>, AgentError> {
    let mut found = Vec::new();
    for (id, folder) in folders(state_dir)? {
        match folder.load() {
            Ok(record) => found.extend(record.map(|record| (id, record))),
            Err(error) => tracing::error!(job = %id, %error, "a job's record cannot be read; the job is passed over"),
        }
    }
    Ok(found)
}

/// Moves jobs aside whose records hold something else: one of them must not take the others with it.
fn set_aside_unreadable(state_dir: &Path) -> Result<(), AgentError> {
    for (id, folder) in folders(state_dir)? {
        if let Err(error @ AgentError::BadState { .. }) = folder.load() {
            let aside = folder.set_aside()?;
            tracing::error!(
                job = %id, %error, aside = %aside.display(),
                "a JOB IS NOT SERVED ANY MORE: its record cannot be read. It was set aside; its renter will be refunded \
                 when its deadlines pass"
            );
        }
    }
    Ok(())
}

/// Removes folders that a crash left without a record. Only before new jobs are taken: theirs begin like that.
fn remove_leftovers(state_dir: &Path) -> Result<(), AgentError> {
    for (_, folder) in folders(state_dir)? {
        if matches!(folder.load(), Ok(None)) {
            folder.remove()?;
        }
    }
    Ok(())
}

fn folders(state_dir: &Path) -> Result<Vec<(JobId, Folder)>, AgentError> {
    let jobs = state_dir.join("jobs");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&jobs).map_err(AgentError::io(&jobs))? {
        let name = entry.map_err(AgentError::io(&jobs))?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<alloy_primitives::B256>().ok()) else { continue };
        found.push((JobId(id.0), Folder::of(state_dir, JobId(id.0))));
    }
    Ok(found)
}

/// Removes containers of ours that belong to no job, as soon as the engine answers.
async fn remove_strays(host: Arc<Host>, known: Vec<JobId>) {
    let mut backoff = Backoff::default();
    loop {
        match host.engine.remove_strays(|| [host.served(), known.clone()].concat()).await {
            Ok(0) => return,
            Ok(count) => return tracing::warn!(count, "containers without a job were removed"),
            Err(error) => tracing::debug!(%error, "strays were not looked for"),
        }
        tokio::select! {
            () = backoff.wait() => {}
            () = host.shutdown.cancelled() => return,
        }
    }
}
