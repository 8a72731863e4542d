//! Measurements for who looks: the machine, and what each running job uses. Nothing depends on them: what cannot be
//! measured is left out, and no job waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use jiff::Timestamp;
use market::JobId;
use wire::http::{JobMetricsPoint, MetricsPoint};
use wire::link::{JobMetrics, METRICS_EVERY_S};

use crate::AgentError;
use crate::engine::Usage;
use crate::host::Host;
use crate::probe::{Cards, Gauge};

/// One round of measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) machine: MetricsPoint,
    pub(crate) jobs: Vec<JobMetrics>,
}

/// A job's processor time when it was last looked at.
struct Before {
    processors: Duration,
    at: Instant,
}

/// Measures until the agent shuts down.
pub(crate) async fn run(host: Arc<Host>, cards: Arc<Cards>) {
    let mut gauge = Gauge::new(cards.clone());
    let mut seen = BTreeMap::new();
    // A market that beats faster is looked at as often.
    let every = Duration::from_secs(METRICS_EVERY_S).min(host.config.heartbeat);
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = host.shutdown.cancelled() => return,
        }
        let machine = gauge.read();
        let jobs = tokio::select! {
            jobs = jobs(&host, &cards, &mut seen) => jobs,
            () = host.shutdown.cancelled() => return,
        };
        host.measured.send_replace(Some(Measured { machine, jobs }));
    }
}

async fn jobs(host: &Host, cards: &Cards, seen: &mut BTreeMap<JobId, Before>) -> Vec<JobMetrics> {
    let alive = host.alive();
    seen.retain(|job, _| alive.contains(job));
    let mut found = Vec::new();
    for job in alive {
        match one(host, cards, seen, job).await {
            Ok(metrics) => found.push(JobMetrics { job: B256::from(job.0), metrics }),
            // It may have ended this very moment.
            Err(error) => tracing::debug!(job = %job.short(), %error, "a job was not measured"),
        }
    }
    found
}

async fn one(
    host: &Host,
    cards: &Cards,
    seen: &mut BTreeMap<JobId, Before>,
    job: JobId,
) -> Result<JobMetricsPoint, AgentError> {
    let usage = host.engine.usage(job).await?;
    let now = Instant::now();
    let (used, within) = match seen.get(&job) {
        Some(before) => (usage.processors.saturating_sub(before.processors), now - before.at),
        // The first time: all that it used since its start.
        None => (usage.processors, since(host.engine.started(job).await?)),
    };
    seen.insert(job, Before { processors: usage.processors, at: now });
    // A resource serves one job at a time: its cards are the job's, and those that it did not ask for are idle.
    let (gpu_pct, gpu_memory) = cards.usage(&host.machine.gpus);
    Ok(JobMetricsPoint {
        at: Timestamp::now(),
        cpu_pct: percent(used, within),
        memory_mib: mebibytes(&usage),
        gpu_pct,
        gpu_memory_mib: u32::try_from(gpu_memory.0).unwrap_or(u32::MAX),
    })
}

fn since(started: Option<Timestamp>) -> Duration {
    started.and_then(|at| Timestamp::now().duration_since(at).try_into().ok()).unwrap_or_default()
}

/// `used` of one processor, in percent of `within`.
fn percent(used: Duration, within: Duration) -> u32 {
    u32::try_from((used.as_nanos() * 100).checked_div(within.as_nanos()).unwrap_or_default()).unwrap_or(u32::MAX)
}

fn mebibytes(usage: &Usage) -> u32 {
    u32::try_from(usage.memory_bytes >> 20).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_of_one_processor() {
        let s = Duration::from_secs;
        assert_eq!(percent(s(5), s(10)), 50);
        assert_eq!(percent(s(40), s(10)), 400, "four processors");
        assert_eq!(percent(s(0), s(10)), 0);
        assert_eq!(percent(s(1), s(0)), 0, "no time, no figure");
    }
}
