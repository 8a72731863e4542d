//! What is over makes room: results whose time is over are let go, images that nobody used for long lapse, and what no pin
//! keeps is collected.

use std::sync::Arc;
use std::time::SystemTime;

use content::{CollectConfig, Collected};

use crate::AgentError;
use crate::agent::written_down;
use crate::host::{Host, wall};
use crate::job::Folder;
use crate::limits::{RESULT_KEPT, SWEEP_EVERY};

/// Under what name images are kept for later jobs, while they are used.
pub(crate) const IMAGES_PIN: &str = "images";

/// Makes room from time to time. Old jobs are forgotten at once after a start; collected is later, for what a job was
/// fetching when the last run ended is under no pin yet.
pub(crate) async fn run(host: Arc<Host>) {
    loop {
        if let Err(error) = forget_old_jobs(&host) {
            tracing::error!(%error, "old jobs could not be removed");
        }
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            () = host.shutdown.cancelled() => return,
        }
        match collect(&host).await {
            Ok(Collected { blocks: 0, .. }) => {}
            Ok(Collected { blocks, bytes, .. }) => tracing::info!(blocks, bytes, "content that nobody keeps is gone"),
            Err(error) => tracing::error!(%error, "content that nobody keeps could not be removed"),
        }
    }
}

/// Takes the pins off results whose time is over and forgets their jobs, once the chain has settled them.
fn forget_old_jobs(host: &Host) -> Result<(), AgentError> {
    for (id, record) in written_down(&host.config.state_dir)? {
        if !record.settled || record.done_at.is_none_or(|done| done + RESULT_KEPT.as_secs() > wall()) {
            continue;
        }
        host.unpin(id)?;
        host.feeds.remove(id);
        Folder::of(&host.config.state_dir, id).remove()?;
    }
    Ok(())
}

async fn collect(host: &Host) -> Result<Collected, AgentError> {
    let store = host.store.clone();
    let lapsed = tokio::task::spawn_blocking(move || store.lapse(SystemTime::now()));
    for pin in lapsed.await.map_err(|_| AgentError::ShuttingDown)?? {
        tracing::info!(root = %pin.root, "an image was not used for long and is let go");
    }
    Ok(host.store.collect_async(CollectConfig::default()).await?)
}
