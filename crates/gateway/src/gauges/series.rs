//! The measurements of jobs' containers: the last hour of each.

use std::collections::{HashMap, VecDeque};

use jiff::SignedDuration;
use market::JobId;
use tokio::sync::watch;
use wire::{http::JobMetricsPoint, link::METRICS_EVERY_S};

use crate::config::Limits;

/// How far back a job's measurements are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Points of one job: an hour of them at twice the usual pace.
const POINTS_MAX: usize = 2 * 3600 / METRICS_EVERY_S as usize;

/// Counts the measurements of one job.
pub(crate) type Touched = u64;

/// The series by job.
pub(crate) struct Series {
    jobs: HashMap<JobId, Gauge>,
    jobs_max: usize,
    uses: u64,
}

struct Gauge {
    points: VecDeque<JobMetricsPoint>,
    touched: watch::Sender<Touched>,
    used: u64,
}

impl Series {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { jobs: HashMap::new(), jobs_max: limits.jobs_measured, uses: 0 }
    }

    /// A point that is not later than the last one is passed over.
    pub(crate) fn add(&mut self, job: JobId, point: JobMetricsPoint) {
        let gauge = self.gauge(job);
        if gauge.points.back().is_some_and(|last| last.at >= point.at) {
            return;
        }
        gauge.points.push_back(point);
        while gauge.points.len() > POINTS_MAX
            || gauge.points.front().is_some_and(|first| point.at.duration_since(first.at) > KEPT)
        {
            gauge.points.pop_front();
        }
        gauge.touched.send_modify(|touched| *touched += 1);
    }

    pub(crate) fn read(&self, job: JobId) -> Vec<JobMetricsPoint> {
        self.jobs.get(&job).map(|gauge| gauge.points.iter().copied().collect()).unwrap_or_default()
    }

    pub(crate) fn follow(&mut self, job: JobId) -> watch::Receiver<Touched> {
        self.gauge(job).touched.subscribe()
    }

    /// The job's gauge. Beyond the limit the one that was not used for the longest time goes; who follows it hears that.
    fn gauge(&mut self, job: JobId) -> &mut Gauge {
        self.uses += 1;
        if !self.jobs.contains_key(&job)
            && self.jobs.len() >= self.jobs_max
            && let Some(oldest) = self.jobs.iter().min_by_key(|(_, gauge)| gauge.used).map(|(job, _)| *job)
        {
            self.jobs.remove(&oldest);
        }
        let gauge = self.jobs.entry(job).or_insert_with(|| Gauge {
            points: VecDeque::new(),
            touched: watch::Sender::default(),
            used: 0,
        });
        gauge.used = self.uses;
        gauge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64) -> JobMetricsPoint {
        let at = jiff::Timestamp::from_second(at).unwrap();
        JobMetricsPoint { at, cpu_pct: 1, memory_mib: 2, gpu_pct: 3, gpu_memory_mib: 4 }
    }

    fn held(series: &Series, job: u8) -> Vec<i64> {
        series.read(JobId([job; 32])).iter().map(|point| point.at.as_second()).collect()
    }

    #[test]
    fn an_hour_is_kept_in_order_and_the_least_used_job_goes_first() {
        let mut series = Series::new(&Limits { jobs_measured: 2, ..Limits::default() });
        let mut follower = series.follow(JobId([1; 32]));
        for at in [0, 10, 10, 5, 3600, 3611] {
            series.add(JobId([1; 32]), point(at));
        }
        assert_eq!(held(&series, 1), [3600, 3611]);
        assert_eq!(*follower.borrow_and_update(), 4);
        (0..2000).for_each(|at| series.add(JobId([2; 32]), point(at)));
        assert_eq!(held(&series, 2).len(), POINTS_MAX);
        series.add(JobId([3; 32]), point(1));
        assert_eq!(held(&series, 1), [] as [i64; 0]);
        assert!(follower.has_changed().is_err());
    }
}
