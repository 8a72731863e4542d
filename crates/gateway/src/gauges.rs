//! What agents measure and when they are heard: the last hour in memory, the rest in the store.
//!
//! ```text
//! link ─heard─▶ presence ─▶ status of providers, seconds of each hour ─┐
//!      ─metrics▶ machine ─▶ provider's topic ───────────────────────────┼─every ten seconds▶ store
//!              ▶ jobs ────▶ last hour of each job, for its parties
//! ```

mod presence;
pub(crate) use presence::Presences;

mod series;
pub(crate) use series::{Series, Touched};

mod writer;
pub(crate) use writer::{run, tell_presence};

use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy_primitives::Address;
use market::JobId;
use tokio::sync::watch;
use wire::http::{JobMetricsPoint, MetricsPoint, Presence};

use crate::config::Limits;

/// All gauges, shared by every connection. Each call holds a lock for a moment and never waits.
pub(crate) struct Gauges {
    presences: Mutex<Presences>,
    series: Mutex<Series>,
    unwritten: Mutex<Unwritten>,
    unwritten_max: usize,
}

/// Points that the store does not have yet.
#[derive(Default)]
struct Unwritten {
    points: Vec<(u32, MetricsPoint)>,
    /// Points that found no room since the last writing.
    lost: u64,
}

impl Gauges {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            presences: Mutex::new(Presences::new(limits)),
            series: Mutex::new(Series::new(limits)),
            unwritten: Mutex::default(),
            unwritten_max: limits.metrics_unwritten,
        }
    }

    /// The agent of these providers spoke at `now` (unix seconds). True when it was not online before.
    pub(crate) fn heard(&self, agent: Address, providers: &[u32], now: u64) -> bool {
        lock(&self.presences).heard(agent, providers, now)
    }

    /// When the agent last spoke to this gateway, in unix seconds.
    pub(crate) fn heard_at(&self, agent: Address) -> Option<u64> {
        lock(&self.presences).heard_at(agent)
    }

    /// Providers whose status is another one than was told, to be told now.
    pub(crate) fn changed(&self, now: u64) -> Vec<(u32, Presence)> {
        lock(&self.presences).changed(now)
    }

    /// Keeps a machine's measurement for the store.
    pub(crate) fn measured(&self, provider: u32, point: MetricsPoint) {
        let mut unwritten = lock(&self.unwritten);
        if unwritten.points.len() < self.unwritten_max {
            unwritten.points.push((provider, point));
        } else {
            unwritten.lost += 1;
        }
    }

    /// Keeps a job's measurement for its parties.
    pub(crate) fn job_measured(&self, job: JobId, point: JobMetricsPoint) {
        lock(&self.series).add(job, point);
    }

    /// A job's measurements of the last hour, oldest first.
    pub(crate) fn job(&self, job: JobId) -> Vec<JobMetricsPoint> {
        lock(&self.series).read(job)
    }

    /// Changes whenever the job was measured; an error when nobody measures it any more.
    pub(crate) fn follow(&self, job: JobId) -> watch::Receiver<Touched> {
        lock(&self.series).follow(job)
    }

    fn take(&self) -> (Vec<(u32, MetricsPoint)>, u64) {
        let mut unwritten = lock(&self.unwritten);
        (std::mem::take(&mut unwritten.points), std::mem::take(&mut unwritten.lost))
    }

    /// Gives back what could not be written; what came since stays, and what finds no room is lost. Gives how much was.
    fn put_back(&self, mut points: Vec<(u32, MetricsPoint)>) -> u64 {
        let mut unwritten = lock(&self.unwritten);
        let room = self.unwritten_max.saturating_sub(unwritten.points.len());
        // The newest are wanted most.
        let dropped = points.len().saturating_sub(room);
        points.drain(..dropped);
        points.append(&mut unwritten.points);
        unwritten.points = points;
        unwritten.lost += dropped as u64;
        unwritten.lost
    }

    fn take_hours(&self) -> Vec<(u32, u64, u32)> {
        lock(&self.presences).take_hours()
    }

    fn put_hours_back(&self, hours: Vec<(u32, u64, u32)>) {
        lock(&self.presences).put_hours_back(hours);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No change under these locks can panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
