//! Keeps the board up with the index.

use std::{collections::HashMap, time::Duration};

use indexer::Progress;
use store::StoreError;
use tokio::time::{MissedTickBehavior, interval};

use crate::state::{Shared, now};

/// After a failed read of the database, it gets this long to come back.
const AFTER_FAILED_READ: Duration = Duration::from_secs(1);
/// Uptime is the share of this time.
const UPTIME_HOURS: u64 = 7 * 24;
const HOUR_S: u64 = 3600;
/// Hundredths of a percent in the whole.
const WHOLE_BPS: u64 = 10_000;

/// What of the index the board has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Had {
    /// Everything that changed up to this block.
    block: u64,
    rewinds: u64,
}

/// Reads the index as it is now and gives what was read. A board that cannot be read yet is empty; [`follow`] tries
/// again.
pub(crate) async fn load(shared: &Shared) -> Option<Had> {
    let had = had(&shared.index.borrow());
    let read = async {
        refresh(shared, None).await?;
        uptimes(shared).await
    };
    match read.await {
        Ok(()) => Some(had),
        Err(error) => {
            tracing::warn!(%error, "the listings cannot be read yet");
            None
        }
    }
}

/// Until the gateway stops, from what [`load`] read.
pub(crate) async fn follow(shared: Shared, mut had: Option<Had>) {
    let work = async {
        let mut index = shared.index.clone();
        let mut uptime_due = interval(shared.limits.uptime_fresh);
        uptime_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let progress = *index.borrow_and_update();
            match refresh(&shared, had.filter(|had: &Had| had.rewinds == progress.rewinds)).await {
                Ok(()) => had = Some(self::had(&progress)),
                Err(error) => {
                    tracing::warn!(%error, "the listings cannot be read");
                    tokio::time::sleep(AFTER_FAILED_READ).await;
                    continue;
                }
            }
            // Every block moves the index on; only what changed is read.
            loop {
                tokio::select! {
                    changed = index.changed() => match changed {
                        Ok(()) => break,
                        // The indexer ended: nothing changes any more.
                        Err(_) => std::future::pending().await,
                    },
                    _ = uptime_due.tick() => {
                        if let Err(error) = uptimes(&shared).await {
                            tracing::warn!(%error, "uptimes cannot be read");
                        }
                    }
                }
            }
        }
    };
    let _: Option<()> = shared.shutdown.run_until_cancelled(work).await;
}

fn had(progress: &Progress) -> Had {
    Had { block: progress.head.map_or(0, |head| head.number), rewinds: progress.rewinds }
}

/// Reads what changed after `had`, or everything.
async fn refresh(shared: &Shared, had: Option<Had>) -> Result<(), StoreError> {
    let rows = shared.store.resources_changed(had.map_or(0, |had| had.block)).await?;
    if rows.is_empty() && had.is_some() {
        return Ok(());
    }
    let changed = shared.board.apply(rows, had.is_none());
    let shown = shared.gpus();
    for id in changed {
        if let Some(entry) = shown.get(id) {
            // Nobody may be listening.
            let _ = shared.board.changes.send(entry.clone());
        }
    }
    Ok(())
}

/// Reads how long each agent was heard.
async fn uptimes(shared: &Shared) -> Result<(), StoreError> {
    let at = now();
    let mut uptimes = HashMap::new();
    for (provider, _) in shared.board.providers() {
        let since = (at / HOUR_S).saturating_sub(UPTIME_HOURS);
        let heard = shared.store.uptime(provider, since).await?;
        if let Some(uptime) = heard.and_then(|heard| uptime(heard, since, at)) {
            uptimes.insert(provider, uptime);
        }
    }
    shared.board.set_uptimes(uptimes);
    Ok(())
}

/// The share of the time since an agent was first heard, `since` at the earliest, in which it was heard.
fn uptime((first_hour, seconds): (u64, u64), since: u64, at: u64) -> Option<u16> {
    let begun = first_hour.max(since) * HOUR_S;
    let whole = at.saturating_sub(begun);
    let share = seconds.saturating_mul(WHOLE_BPS).checked_div(whole)?;
    u16::try_from(share.min(WHOLE_BPS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_counts_from_the_first_time_heard_or_seven_days() {
        let at = 1000 * HOUR_S;
        let since = 1000 - UPTIME_HOURS;
        assert_eq!(uptime((990, 5 * HOUR_S), since, at), Some(5_000));
        assert_eq!(uptime((999, 2 * HOUR_S), since, at), Some(10_000), "an hour has no more seconds");
        assert_eq!(uptime((0, UPTIME_HOURS * HOUR_S / 4), since, at), Some(2_500));
        assert_eq!(uptime((1000, 0), since, at), None);
    }
}
