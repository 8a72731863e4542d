//! An image in the content store, checked against its own rules before the engine sees it.

use std::sync::Arc;

use bytes::Bytes;
use cid::Cid;
use content::{BlockStore, ImageLimits, image};
use futures_util::Stream;

use crate::AgentError;

/// The digests by which an engine may name the image under `root`: that of its configuration, or that of its manifest
/// where the engine keeps images as containerd does. Both are verified.
pub(crate) async fn names(store: &Arc<BlockStore>, root: Cid) -> Result<[String; 2], AgentError> {
    let store = store.clone();
    checked(move || image::Image::inspect(&store, &root).map(|image| [image.config_digest, image.manifest_digest]))
        .await
}

/// What `docker load` reads, after every layer was verified.
pub(crate) async fn archive(
    store: &Arc<BlockStore>,
    root: Cid,
) -> Result<impl Stream<Item = Result<Bytes, content::Error>> + Send + use<>, AgentError> {
    let verified = store.clone();
    checked(move || image::Image::verify(&verified, &root, &ImageLimits::default()).map(drop)).await?;
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
