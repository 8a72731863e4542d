//! Content that nobody keeps any more makes room: uploads that were given up, documents of orders that never were.

use std::time::{Duration, SystemTime};

use content::{CollectConfig, Collected};
use tokio::time::{MissedTickBehavior, interval};

use crate::state::Shared;

/// How often is collected. A store that is full does so by itself.
const COLLECT_EVERY: Duration = Duration::from_secs(3600);

pub(crate) async fn run(shared: Shared) {
    let mut due = interval(COLLECT_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    due.tick().await;
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = shared.shutdown.cancelled() => return,
        }
        match collect(&shared).await {
            Ok(Collected { blocks: 0, .. }) => {}
            Ok(Collected { blocks, bytes, .. }) => tracing::info!(blocks, bytes, "content that nobody keeps is gone"),
            Err(error) => tracing::error!(%error, "content that nobody keeps could not be removed"),
        }
    }
}

async fn collect(shared: &Shared) -> content::Result<Collected> {
    // One sync an hour, and only when something lapses.
    for pin in shared.blocks.lapse(SystemTime::now())? {
        tracing::info!(name = pin.name, root = %pin.root, "content was not used for long and is let go");
    }
    shared.blocks.collect_async(CollectConfig::default()).await
}
