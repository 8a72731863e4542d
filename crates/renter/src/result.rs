//! Content on its way out and back: pushed with a signed pass, fetched with every block verified.

use std::{path::Path, sync::Arc, time::Duration};

use cid::Cid;
use content::{BlockStore, ExportLimits, FetchConfig, FetchLimits, Fetcher, Progress};
use tokio::sync::watch;
use url::Url;
use wire::spec;

use crate::{FollowConfig, RenterError};

/// A result that was fetched and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchedResult {
    /// Bytes of the whole DAG.
    pub bytes: u64,
    /// Files written, when a place was given.
    pub files: u64,
}

/// Publishes the DAG under `root`.
pub(crate) async fn push(
    store: &Arc<BlockStore>,
    root: &Cid,
    gateway: &Url,
    pass: content::Pass<'_>,
    on: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<(), RenterError> {
    let (sender, told) = told(on);
    let pushed = content::push(store, root, gateway, pass, Some(sender)).await;
    told.await.ok();
    pushed?;
    Ok(())
}

/// Fetches and verifies the DAG under `root` and writes it to `dest` when one is given.
///
/// A result is delivered after the chain says that the job ended, so what is not there yet is waited for.
pub(crate) async fn fetch(
    store: &Arc<BlockStore>,
    root: &str,
    gateway: &Url,
    dest: Option<&Path>,
    patience: FollowConfig,
    on: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<FetchedResult, RenterError> {
    let root = spec::cid("the CID", root)?;
    let fetcher = Fetcher::new(vec![gateway.clone()], FetchConfig::default())?;
    let (sender, told) = told(on);
    let due = tokio::time::Instant::now() + patience.result_within;
    loop {
        match fetcher.fetch(store, &root, FetchLimits::default(), Some(&sender)).await {
            Ok(_) => break,
            Err(err) if patience.result_within.is_zero() => return Err(err.into()),
            Err(err) if tokio::time::Instant::now() >= due || !may_come(&err) => {
                return Err(RenterError::NoResult {
                    within_s: patience.result_within.as_secs(),
                    detail: err.to_string(),
                });
            }
            Err(_) => tokio::time::sleep(patience.retry.max(Duration::from_millis(100))).await,
        }
    }
    drop(sender);
    told.await.ok();
    let bytes = content::total_size(store, &root)?.bytes;
    let mut files = 0;
    if let Some(dest) = dest {
        let (store, dest) = (store.clone(), dest.to_owned());
        let written =
            tokio::task::spawn_blocking(move || content::export(&store, &root, &dest, &ExportLimits::default()))
                .await
                .map_err(|err| RenterError::BadJob(err.to_string()))??;
        files = written.files;
    }
    Ok(FetchedResult { bytes, files })
}

/// What is not found now may still be delivered; what is wrong stays wrong.
fn may_come(err: &content::Error) -> bool {
    err.is_retryable() || matches!(err, content::Error::NotFound { .. })
}

/// A progress channel that calls `on` until it is closed.
fn told(on: impl Fn(Progress) + Send + Sync + 'static) -> (watch::Sender<Progress>, tokio::task::JoinHandle<()>) {
    let (sender, mut receiver) = watch::channel(Progress::default());
    let task = tokio::spawn(async move {
        while receiver.changed().await.is_ok() {
            on(*receiver.borrow_and_update());
        }
    });
    (sender, task)
}
