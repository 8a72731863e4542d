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
use crate::host::{Host, Parts, wall};
use crate::job::{Folder, Job, Phase, Record};
use crate::journal::Journal;
use crate::limits::{JOBS_MAX, RESULT_KEPT};
use crate::probe::{self, Cards};
use crate::{AgentConfig, AgentError, beat, follow, link, listing};

/// Done jobs are looked through for results whose time is over.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(3600);

/// Lists this machine and serves jobs until `shutdown`. Programs that run then are left alone: the next run with the
/// same state folder takes them up.
pub async fn run(config: AgentConfig, shutdown: CancellationToken) -> Result<(), AgentError> {
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

fn lock(state_dir: &Path) -> Result<File, AgentError> {
    let path = state_dir.join("lock");
    let file = File::create(&path).map_err(AgentError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(AgentError::Locked { path: state_dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(AgentError::Io { path, source }),
    }
}

struct Opened {
    host: Arc<Host>,
    cards: Cards,
}

/// Opens chain, machine, listing and stores; waits for a chain that does not answer.
async fn open(config: AgentConfig, shutdown: CancellationToken) -> Result<Opened, AgentError> {
    let mut backoff = Backoff::default();
    let cards = Cards::open();
    let machine = probe::machine(&config.state_dir, &config.offered, config.simulate, &cards)?;
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
    let head = market.chain().head().await?;
    let host = Host::open(Parts { config, market, account, machine, resource, shutdown })?;
    host.clock.saw(head.timestamp);
    Ok(Opened { host: Arc::new(host), cards })
}

async fn serve(Opened { host, cards }: Opened) -> Result<(), AgentError> {
    // Everything runs in this set: when this function is left, nothing of the agent goes on.
    let mut tasks = JoinSet::new();
    let (jobs, mut new_jobs) = mpsc::channel(JOBS_MAX);
    remove_leftovers(&host.config.state_dir)?;
    for (id, record) in written_down(&host.config.state_dir)? {
        if record.phase == Phase::Done {
            let folder = Folder::of(&host.config.state_dir, id);
            host.feeds.add(id, record.terms.clone(), Journal::open(&folder.journal(), host.feeds.changed.clone())?);
        } else if let Some(job) = Job::open(&host, id, record)? {
            tracing::info!(job = %id.short(), "taken up again");
            tasks.spawn(job.run());
        }
    }
    tasks.spawn(remove_strays(host.clone()));
    tasks.spawn(beat::run(host.clone(), cards));
    tasks.spawn(sweep(host.clone()));
    if let Some(gateway) = host.config.gateway.clone() {
        tasks.spawn(link::run(host.clone(), gateway));
    }
    let mut following = tokio::spawn(follow::run(host.clone(), jobs));
    let ended = loop {
        tokio::select! {
            Some(job) = new_jobs.recv() => drop(tasks.spawn(job.run())),
            ended = &mut following => break ended.unwrap_or(Err(AgentError::ShuttingDown)),
            // Jobs come and go; whoever else ends has been told to.
            Some(_) = tasks.join_next() => {}
        }
    };
    host.shutdown.cancel();
    while tasks.join_next().await.is_some() {}
    ended
}

/// The jobs that are written down.
fn written_down(state_dir: &Path) -> Result<Vec<(JobId, Record)>, AgentError> {
    let mut found = Vec::new();
    for (id, folder) in folders(state_dir)? {
        found.extend(folder.load()?.map(|record| (id, record)));
    }
    Ok(found)
}

/// Removes folders that a crash left without a record. Only before new jobs are taken: theirs begin like that.
fn remove_leftovers(state_dir: &Path) -> Result<(), AgentError> {
    for (_, folder) in folders(state_dir)? {
        if folder.load()?.is_none() {
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
async fn remove_strays(host: Arc<Host>) {
    let mut backoff = Backoff::default();
    loop {
        match host.engine.remove_strays(|| host.jobs()).await {
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

/// Lets go of results whose time is over.
async fn sweep(host: Arc<Host>) {
    loop {
        if let Err(error) = sweep_once(&host) {
            tracing::error!(%error, "old jobs could not be removed");
        }
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            () = host.shutdown.cancelled() => return,
        }
    }
}

fn sweep_once(host: &Host) -> Result<(), AgentError> {
    for (id, record) in written_down(&host.config.state_dir)? {
        if record.done_at.is_none_or(|done| done + RESULT_KEPT.as_secs() > wall()) {
            continue;
        }
        let name = format!("job:{id}");
        for pin in host.store.pins().into_iter().filter(|pin| pin.name == name) {
            host.store.unpin(&pin.name, &pin.root)?;
        }
        host.feeds.remove(id);
        Folder::of(&host.config.state_dir, id).remove()?;
    }
    Ok(())
}
