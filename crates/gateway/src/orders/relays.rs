//! Jobs that are on their way to the chain: one transaction at a time for each, however often it is asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use market::JobId;
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

use crate::GatewayError;

/// Jobs under way at once: several times what fits into a block of a slow chain.
const RELAYS_MAX: usize = 256;

/// Shared by all requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relays(Arc<Mutex<HashMap<JobId, Arc<Lock<()>>>>>);

/// It is this one's turn; others with the same job wait until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    relays: Relays,
    job: JobId,
    held: Option<OwnedMutexGuard<()>>,
}

impl Relays {
    /// Waits until nobody else is at this job. The future must be driven to its end.
    pub(crate) async fn turn(&self, job: JobId) -> Result<Turn, GatewayError> {
        let lock = {
            let mut jobs = self.jobs();
            if !jobs.contains_key(&job) && jobs.len() >= RELAYS_MAX {
                return Err(GatewayError::Busy { what: "too many jobs are being created or stopped" });
            }
            jobs.entry(job).or_default().clone()
        };
        Ok(Turn { relays: self.clone(), job, held: Some(lock.lock_owned().await) })
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Lock<()>>>> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut jobs = self.relays.jobs();
        self.held.take();
        // Whoever waits holds the lock too.
        if jobs.get(&self.job).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            jobs.remove(&self.job);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_kept() {
        let (relays, inside, done) = (Relays::default(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..20).map(|number| {
            let (relays, inside, done) = (relays.clone(), inside.clone(), done.clone());
            tokio::spawn(async move {
                let turn = relays.turn(JobId([number % 2; 32])).await.unwrap();
                assert!(inside.fetch_add(1, Ordering::SeqCst) < 2, "two jobs, each once");
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(turn);
                done.fetch_add(1, Ordering::SeqCst);
            })
        });
        for task in work.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!((done.load(Ordering::SeqCst), relays.jobs().len()), (20, 0));
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_jobs_and_each_again() {
        let relays = Relays::default();
        let mut turns = Vec::new();
        for number in 0..RELAYS_MAX {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_le_bytes());
            turns.push(relays.turn(JobId(id)).await.unwrap());
        }
        relays.turn(JobId([9; 32])).await.unwrap_err();
        turns.pop();
        relays.turn(JobId([9; 32])).await.unwrap();
    }
}
