//! Watches over jobs that name this gateway's key as their controller: lets their clocks start, counts beats, reports
//! silence, closes what its provider left past a deadline, finalizes what ended longer than the dispute window ago and
//! settles disputes that nobody decided. And keeps the completion record of every job that ends where
//! everybody finds it by the chain's digest.
//!
//! ```text
//! Waiting ─record right─▶ sign ─started─▶ Counting ─four beats missed─▶ report ─▶ Standing ─resumed─▶ Counting
//!    └───────────────────── the deadline of its state has passed ─▶ close ◀─────────┘
//! ```
//!
//! It stops no job before the chain lets anybody close it, and signs no record that is not what was ordered. A beat counts
//! as missed only when it could have been received: after a start, and after every time in which the chain or this
//! gateway's own address did not answer, counting begins anew. Of several gateways with one key and one database only the
//! one that holds the lease of an agent speaks of its silence, and who is linked to an agent holds it.

mod clock;
pub(crate) use clock::{BlockClock, Moment};

mod inbox;
pub(crate) use inbox::Watch;

mod records;
pub(crate) use records::kept;

mod deadline;
mod hearing;
mod job;
mod leases;
mod next;

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
use leases::Leases;
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
        acts: JoinSet::new(),
        acting: BTreeSet::new(),
        leases: None,
        shared,
    };
    let _: Option<()> = shutdown.run_until_cancelled(watcher.watch()).await;
}

/// What was tried for a job, and what came of it: nothing where the chain had gone on.
type Act = (JobId, &'static str, Result<Option<Mined>, ChainError>);

struct Watcher {
    shared: Shared,
    jobs: BTreeMap<JobId, Watched>,
    hearing: Hearing,
    /// What is on its way to the chain, and for which jobs.
    acts: JoinSet<Act>,
    acting: BTreeSet<JobId>,
    /// Whose agents' silence is this gateway's to report; none until it has a key to report with.
    leases: Option<Leases>,
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
                Some(Ok((job, what, done))) = self.acts.join_next() => self.done(job, what, done),
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
        if let Some(account) = &self.shared.watcher {
            let counted = self.jobs.values().filter(|job| job.is_counted()).map(|job| job.agent).collect();
            let leases = self.leases.get_or_insert_with(|| Leases::new(account.address(), self.shared.heartbeat));
            leases.look(&self.shared, &counted).await;
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
        let Self { shared, jobs, acts, acting, leases, .. } = self;
        for (id, job) in jobs {
            job.check_record(shared, *id, account.address()).await;
            job.hear(shared.watch.heard(*id));
            let step = match next(&job.phase, now, &job.rules(shared.heartbeat, hearing)) {
                Some(Step::Sign { record }) => {
                    job.sign(shared, *id, account, record, now);
                    continue;
                }
                Some(step) => step,
                None => continue,
            };
            if acts.len() >= REPORTS_AT_ONCE || acting.contains(id) {
                continue;
            }
            let is_ours = match leases {
                Some(leases) => leases.take(shared, job.agent).await,
                None => false,
            };
            let (id, account, seen) = (*id, account.clone(), job.seen());
            match step {
                Step::Report { last_seen } if is_ours => {
                    job.reported(now);
                    acts.spawn(async move { (id, "report", seen.report(&account, id, last_seen).await) });
                    acting.insert(id);
                }
                // Another gateway hears its agent: what was not heard here says nothing.
                Step::Report { .. } => job.begin_anew(now),
                _ => {
                    job.closed(now);
                    if is_ours {
                        acts.spawn(async move { (id, "close", seen.close(&account, id).await) });
                        acting.insert(id);
                    }
                }
            }
        }
    }

    fn done(&mut self, job: JobId, what: &str, done: Result<Option<Mined>, ChainError>) {
        self.acting.remove(&job);
        match done {
            Ok(Some(mined)) if what == "close" => {
                tracing::info!(%job, tx = %mined.tx, "a job was closed, or its money settled, past a deadline");
            }
            Ok(Some(mined)) => tracing::info!(%job, tx = %mined.tx, "a provider's silence was reported"),
            Ok(None) => tracing::debug!(%job, what, "the chain has gone on meanwhile; nothing is sent"),
            Err(error) => {
                tracing::warn!(%job, what, %error, "the watcher could not speak to the chain; it tries again");
            }
        }
    }
}

/// All jobs of `controller` that are not settled, up to the limit: the newest, for the oldest are the first to end.
async fn live(shared: &Shared, controller: Address) -> Result<Vec<JobRow>, StoreError> {
    let filter = JobFilter { controller: Some(controller), unsettled: true, ..JobFilter::default() };
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
