//! An image in the content store, checked against its own rules before the engine sees it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use cid::Cid;
use content::image::{Finding, Severity};
use content::{BlockStore, Digest, ImageLimits, ScanConfig, image};
use futures_util::Stream;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::AgentError;
use crate::housekeeping::IMAGES_PIN;

/// What is known of an image before the engine has it; all of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// The digests by which an engine may name it: that of its configuration, or that of its manifest where the
    /// engine keeps images as containerd does.
    pub(crate) names: [String; 2],
    /// Volumes that it declares.
    pub(crate) volumes: usize,
    /// Bytes of its layers as they are stored.
    pub(crate) bytes: u64,
}

/// The part of an image's configuration that is read here.
#[derive(Debug, Default, Deserialize)]
struct Configuration {
    config: Option<Defaults>,
}

#[derive(Debug, Default, Deserialize)]
struct Defaults {
    #[serde(rename = "Volumes", alias = "volumes")]
    volumes: Option<BTreeMap<String, IgnoredAny>>,
}

/// Reads what the image under `root` says of itself.
pub(crate) async fn describe(store: &Arc<BlockStore>, root: Cid) -> Result<Described, AgentError> {
    let store = store.clone();
    checked(move || {
        let image = image::Image::inspect(&store, &root)?;
        // The digest was checked by `inspect`.
        let blob = format!("blobs/sha256/{}", image.config_digest.trim_start_matches("sha256:"));
        let bytes = content::read_small(&store, &content::resolve(&store, &root, &blob)?, image::JSON_BYTES_MAX)?;
        let read: Configuration = serde_json::from_slice(&bytes)
            .map_err(|error| content::Error::BadImage { reason: format!("its configuration: {error}") })?;
        let volumes = read.config.and_then(|config| config.volumes).map_or(0, |volumes| volumes.len());
        Ok(Described { names: [image.config_digest, image.manifest_digest], volumes, bytes: image.size })
    })
    .await
}

/// Keeps an image for later jobs, as long as it is used: the next one fetches nothing.
pub(crate) fn keep(store: &BlockStore, root: &Cid) -> Result<(), AgentError> {
    Ok(store.pin_while_used(IMAGES_PIN, root, SystemTime::now())?)
}

/// What `docker load` reads, after every layer was verified, searched, and found to be at most `bytes_max` unpacked.
pub(crate) async fn archive(
    store: &Arc<BlockStore>,
    root: Cid,
    bytes_max: u64,
    known_bad: &HashSet<Digest>,
) -> Result<impl Stream<Item = Result<Bytes, content::Error>> + Send + use<>, AgentError> {
    let verified = store.clone();
    let limits = ImageLimits::default();
    let limits = ImageLimits { bytes_max: limits.bytes_max.min(bytes_max), ..limits };
    let searched = ScanConfig { known_bad: known_bad.clone(), ..ScanConfig::default() };
    let scan = checked(move || image::scan_image(&verified, &root, &limits, &searched)).await?;
    for Finding { id, severity, path, what, .. } in &scan.findings {
        tracing::info!(image = %root, id, ?severity, path, what, "found in an image");
    }
    if let Some(worst) = scan.findings.first().filter(|finding| finding.severity == Severity::Critical) {
        return Err(AgentError::refused(format!("image refused: {} in {}: {}", worst.id, worst.path, worst.what)));
    }
    Ok(image::docker_archive(store.clone(), root, None))
}

async fn checked<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, content::Error> + Send + 'static,
) -> Result<T, AgentError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| AgentError::ShuttingDown)?;
    done.map_err(|error| match error {
        content::Error::BadImage { .. } => AgentError::refused(error.to_string()),
        content::Error::Malformed { .. }
        | content::Error::NoSuchPath { .. }
        | content::Error::TooLarge { .. }
        | content::Error::UnsafePath { .. }
        | content::Error::WrongKind { .. } => AgentError::refused(format!("image refused: {error}")),
        other => other.into(),
    })
}
