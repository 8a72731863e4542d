//! Follows the chain: takes up new jobs, tells jobs what changed, keeps its place across restarts.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::B256;
use chain::{BlockEvents, EventStream, Item, MarketEvent, StreamConfig};
use market::{JobId, Status};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use wire::Terms;

use crate::backoff::Backoff;
use crate::host::Host;
use crate::job::{Folder, Job, Record};
use crate::limits::{CURSOR_EVERY, CURSOR_OVERLAP, JOBS_MAX};
use crate::{AgentError, disk};

/// Where an agent is on its chain.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Cursor {
    /// The resource that was looked for: another one begins anew.
    resource: String,
    /// The last blocks that were taken in, oldest first.
    delivered: VecDeque<(u64, B256)>,
}

/// Follows until the agent shuts down; jobs go to `jobs`.
pub(crate) async fn run(host: Arc<Host>, jobs: mpsc::Sender<Job>) -> Result<(), AgentError> {
    let path = host.config.state_dir.join("cursor.json");
    let resource = format!("{} on {}", host.resource, host.market.address());
    let mut cursor = disk::load::<Cursor>(&path)?.filter(|cursor| cursor.resource == resource);
    let mut cursor = cursor.take().unwrap_or_else(|| Cursor { resource, delivered: VecDeque::new() });
    let delivered: Vec<(u64, B256)> = cursor.delivered.iter().copied().collect();
    let (market, from) = (host.market.clone(), host.config.deployed_at);
    let mut stream = EventStream::resume(market, from, &delivered, StreamConfig::default());
    let mut follower = Follower { host: host.clone(), jobs, path, saved: 0 };
    loop {
        let item = tokio::select! {
            item = stream.next() => item?,
            () = host.shutdown.cancelled() => return follower.save(&cursor),
        };
        match item {
            Item::Block(block) => follower.block(&mut cursor, block).await?,
            Item::Rewind { to } => {
                tracing::warn!(to, "the chain was reorganised; every job looks again");
                cursor.delivered.retain(|(number, _)| *number <= to);
                for job in host.jobs() {
                    host.chain_changed(job);
                }
                follower.save(&cursor)?;
            }
        }
    }
}

struct Follower {
    host: Arc<Host>,
    jobs: mpsc::Sender<Job>,
    path: PathBuf,
    saved: u64,
}

impl Follower {
    async fn block(&mut self, cursor: &mut Cursor, block: BlockEvents) -> Result<(), AgentError> {
        self.host.clock.saw(block.timestamp);
        let has_events = !block.events.is_empty();
        for logged in block.events {
            match logged.event {
                MarketEvent::JobCreated { job, resource, terms, .. } if resource == self.host.resource => {
                    self.assigned(job, &terms).await?;
                }
                event => {
                    if let Some(job) = event.job() {
                        self.host.chain_changed(job);
                    }
                }
            }
        }
        cursor.delivered.push_back((block.number, block.hash));
        while cursor.delivered.len() as u64 > CURSOR_OVERLAP {
            cursor.delivered.pop_front();
        }
        if has_events || block.number >= self.saved + CURSOR_EVERY {
            self.saved = block.number;
            self.save(cursor)?;
        }
        Ok(())
    }

    fn save(&self, cursor: &Cursor) -> Result<(), AgentError> {
        // A place that cannot be kept is found again from an older one: a full disk stops no job.
        if let Err(error) = disk::save(&self.path, cursor) {
            tracing::error!(%error, "the place on the chain could not be written");
        }
        Ok(())
    }

    /// A job for this machine; one that is known, over or too many is left.
    async fn assigned(&self, job: JobId, terms: &Terms) -> Result<(), AgentError> {
        let host = &self.host;
        if host.jobs().contains(&job) {
            host.chain_changed(job);
            return Ok(());
        }
        match Folder::of(&host.config.state_dir, job).load() {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(()),
            Err(error) => {
                tracing::error!(%job, %error, "a job's record cannot be read; the job is passed over");
                return Ok(());
            }
        }
        let mut backoff = Backoff::default();
        let status = loop {
            match host.market.job(job).await {
                Ok(state) => break state.status,
                Err(error) if error.is_retryable() => backoff.wait().await,
                Err(error) => return Err(error.into()),
            }
        };
        if status.is_over() || status == Status::None {
            return Ok(());
        }
        if host.jobs().len() >= JOBS_MAX {
            tracing::warn!(%job, "too many jobs at once; this one is left to its deadline");
            return Ok(());
        }
        tracing::info!(%job, "assigned");
        // A full disk must not stop the jobs that run; the deadline gives the renter everything back.
        match Job::open(host, job, Record::new(terms)) {
            Ok(Some(opened)) => drop(self.jobs.send(opened).await),
            Ok(None) => {}
            Err(error) => tracing::error!(%job, %error, "a job could not be taken up"),
        }
        Ok(())
    }
}
