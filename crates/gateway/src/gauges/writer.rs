//! The loop beside the gauges: tells what changed with time alone, and writes to the store.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{MissedTickBehavior, interval},
};
use wire::http::ProviderNews;

use crate::{
    board::Entry,
    state::{Shared, now},
};

/// Between two looks at who was not heard: short beside a minute, long beside a look.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often rows that are too old leave the store.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Until the gateway stops; then what is left is written.
pub(crate) async fn run(shared: Shared) {
    let mut look = interval(LOOK_EVERY);
    let mut write = interval(shared.limits.metrics_written_every);
    let mut prune = interval(PRUNE_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    write.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = shared.board.changes();
    loop {
        tokio::select! {
            changed = changes.recv() => match changed {
                Ok(entry) => tell(&shared, &entry),
                // More changed at once than is held: everything may have.
                Err(RecvError::Lagged(_)) => shared.gpus().all().iter().for_each(|entry| tell(&shared, entry)),
                // The board lives as long as the state that we hold.
                Err(RecvError::Closed) => return,
            },
            _ = look.tick() => tell_presence(&shared, now()),
            _ = write.tick() => write_all(&shared).await,
            _ = prune.tick() => {
                if let Err(error) = shared.store.prune(market::Timestamp(now())).await {
                    tracing::warn!(%error, "old rows could not be removed from the store");
                }
            }
            () = shared.shutdown.cancelled() => return write_all(&shared).await,
        }
    }
}

/// Tells those who follow providers whose status changed, by a word of theirs or by time alone.
pub(crate) fn tell_presence(shared: &Shared, now: u64) {
    for (provider, status) in shared.gauges.changed(now) {
        shared.providers.tell(provider, ProviderNews::ProviderStatusChanged { status }, Timestamp::now());
    }
}

fn tell(shared: &Shared, entry: &Entry) {
    shared.providers.tell(entry.provider, ProviderNews::GpuChanged { gpu: entry.gpu.clone() }, Timestamp::now());
}

async fn write_all(shared: &Shared) {
    let (points, lost) = shared.gauges.take();
    if lost > 0 {
        tracing::warn!(lost, "measurements were lost: more came than could be written");
    }
    if !points.is_empty()
        && let Err(error) = shared.store.add_metrics(&points).await
    {
        let lost = shared.gauges.put_back(points);
        tracing::warn!(%error, lost, "measurements could not be written; they are kept for the next time");
    }
    let hours = shared.gauges.take_hours();
    if !hours.is_empty()
        && let Err(error) = shared.store.add_presence(&hours).await
    {
        shared.gauges.put_hours_back(hours);
        tracing::warn!(%error, "seconds of presence could not be written; they are kept for the next time");
    }
}
