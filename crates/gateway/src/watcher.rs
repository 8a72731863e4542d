//! Watches over jobs that name this gateway's key as their controller: lets their clocks start, counts beats, reports
//! silence. And keeps the completion record of every job that ends where everybody finds it by the chain's digest.
//!
//! ```text
//! Waiting ─record right─▶ sign ─started─▶ Counting ─four beats missed─▶ report ─▶ Standing ─resumed─▶ Counting
//! ```
//!
//! It stops no job, moves no money, and signs no record that is not what was ordered. A beat counts as missed only when
//! it could have been received: after a start, and after every time in which the chain or this gateway's own address did
//! not answer, counting begins anew. One key belongs to one gateway: another one does not hear the first one's agents.

mod clock;
pub(crate) use clock::{BlockClock, Moment};

mod inbox;
pub(crate) use inbox::Watch;

mod hearing;
mod job;
mod next;
mod records;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    time::Duration,
};

use alloy_primitives::Address;
use chain::{Account, ChainError, Mined};
use market::JobId;
use store::{JobFilter, JobRow, StoreError};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use crate::{
    config::REPORTS_AT_ONCE,
    state::{Shared, now},
};
use hearing::Hearing;
use job::Watched;
use next::{Step, next};

/// Looks at the chain's head and at itself at least this often.
const LOOK_EVERY_MAX: Duration = Duration::from_secs(15);
/// And no oftener.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(50);
/// Looks within one heartbeat: an outage that none of them sees hides less than one beat.
const LOOKS_PER_BEAT: u32 = 4;
/// Between two passes over its jobs: whoever tells much makes it look no oftener.
const PASSES_APART: Duration = Duration::from_millis(50);
/// Jobs of one read of the store.
const PAGE: u64 = 200;

/// Until the gateway stops. Without a key only records are kept.
pub(crate) async fn run(shared: Shared, local: SocketAddr) {
    let shutdown = shared.shutdown.clone();
    let watcher = Watcher {
        hearing: Hearing::new(local),
        jobs: BTreeMap::new(),
        reports: JoinSet::new(),
        reporting: BTreeSet::new(),
        shared,
    };
    let _: Option<()> = shutdown.run_until_cancelled(watcher.watch()).await;
}

struct Watcher {
    shared: Shared,
    jobs: BTreeMap<JobId, Watched>,
    hearing: Hearing,
    /// Reports on their way, and of which jobs.
    reports: JoinSet<(JobId, Result<Option<Mined>, ChainError>)>,
    reporting: BTreeSet<JobId>,
}

impl Watcher {
    async fn watch(mut self) {
        let mut index = self.shared.index.clone();
        let every = (self.shared.heartbeat / LOOKS_PER_BEAT).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX);
        let mut look = interval(every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_pass = Instant::now();
        loop {
            sleep_until(next_pass).await;
            next_pass = Instant::now() + PASSES_APART;
            tokio::select! {
                _ = look.tick() => self.look(every).await,
                Ok(()) = index.changed() => {}
                () = self.shared.watch.woken() => {}
                Some(Ok((job, reported))) = self.reports.join_next() => self.reported(job, reported),
            }
            let head = index.borrow_and_update().head;
            if let Some(head) = head
                && self.shared.watch.reached(head.number, head.at)
            {
                self.begin_anew();
            }
            records::settle(&self.shared).await;
            let Some(account) = self.shared.watcher.clone() else {
                continue;
            };
            match self.read(account.address()).await {
                Ok(()) => self.act(&account).await,
                Err(error) => {
                    // What is not known of the jobs is not known of their silence.
                    self.hearing.lost();
                    tracing::warn!(%error, "the watcher cannot read its jobs");
                }
            }
        }
    }

    /// Whether agents can be heard; after a time in which they could not, counting begins anew.
    async fn look(&mut self, every: Duration) {
        let within = self.shared.limits.chain_within;
        let head = match timeout(within, self.shared.market.chain().head()).await {
            Ok(Ok(head)) => Some(head),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the watcher cannot read the chain");
                None
            }
            Err(_) => None,
        };
        let old = head.as_ref().is_some_and(|head| self.shared.watch.reached(head.number, head.timestamp));
        if self.hearing.look(&self.shared, head.is_some(), every).await || old {
            self.begin_anew();
        }
    }

    fn begin_anew(&mut self) {
        if let Some(now) = self.shared.watch.moment() {
            self.jobs.values_mut().for_each(|job| job.begin_anew(now));
        }
    }

    /// The jobs that this key controls, as the index has them.
    async fn read(&mut self, controller: Address) -> Result<(), StoreError> {
        let Some(now) = self.shared.watch.moment() else {
            return Ok(());
        };
        let rows = live(&self.shared, controller).await?;
        let agents = self.shared.board.providers();
        let mut before = std::mem::take(&mut self.jobs);
        let mut counted = HashMap::new();
        for row in rows {
            let agent = match agents.get(&row.provider) {
                Some(agent) => *agent,
                None => match self.shared.store.provider(row.provider).await? {
                    Some(provider) => provider.agent,
                    None => continue,
                },
            };
            let id = row.id;
            let mut job = before.remove(&id).unwrap_or_else(|| Watched::new(&row, agent));
            job.is_now(&row, agent, now);
            if job.is_counted() {
                counted.insert(id, agent);
            }
            self.jobs.insert(id, job);
        }
        self.shared.watch.count(counted);
        Ok(())
    }

    async fn act(&mut self, account: &Account) {
        let Some(now) = self.shared.watch.moment() else {
            return;
        };
        let hearing = self.hearing.is_open();
        let Self { shared, jobs, reports, reporting, .. } = self;
        for (id, job) in jobs {
            job.check_record(shared, *id, account.address()).await;
            job.hear(shared.watch.heard(*id));
            match next(&job.phase, now, &job.rules(shared.heartbeat, hearing)) {
                Some(Step::Sign { record }) => job.sign(shared, *id, account, record, now),
                Some(Step::Report { last_seen }) if reports.len() < REPORTS_AT_ONCE && reporting.insert(*id) => {
                    job.reported(now);
                    let (id, account, terms, since) = (*id, account.clone(), job.terms.clone(), job.since);
                    reports.spawn(async move { (id, job::report(&account, id, &terms, since, last_seen).await) });
                }
                _ => {}
            }
        }
    }

    fn reported(&mut self, job: JobId, reported: Result<Option<Mined>, ChainError>) {
        self.reporting.remove(&job);
        match reported {
            Ok(Some(mined)) => tracing::info!(%job, tx = %mined.tx, "a provider's silence was reported"),
            Ok(None) => tracing::debug!(%job, "its clock does not run any more; nothing is reported"),
            Err(error) => tracing::warn!(%job, %error, "a provider's silence could not be reported; it is tried again"),
        }
    }
}

/// All jobs of `controller` that are not over, up to the limit: the newest, for the oldest are the first to end.
async fn live(shared: &Shared, controller: Address) -> Result<Vec<JobRow>, StoreError> {
    let filter = JobFilter { controller: Some(controller), live: true, ..JobFilter::default() };
    let mut rows: Vec<JobRow> = Vec::new();
    loop {
        let before = rows.last().map(|row| row.created);
        let page = shared.store.jobs(&filter, before, PAGE).await?;
        let is_last = (page.len() as u64) < PAGE;
        rows.extend(page);
        if rows.len() >= shared.limits.jobs_watched && !is_last {
            tracing::warn!(watched = rows.len(), at = now(), "more jobs name this watcher than it watches over");
            return Ok(rows);
        }
        if is_last {
            return Ok(rows);
        }
    }
}
