//! Images in the engine: loaded by their content, kept for later jobs up to a limit, the longest unused removed first.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bollard::query_parameters as query;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Engine, LOAD_WITHIN, REQUEST_WITHIN};
use crate::image::Described;
use crate::limits::{IMAGE_VOLUMES_MAX, IMAGES_KEPT_BYTES_MAX, IMAGES_KEPT_MAX};
use crate::{AgentError, disk};

/// What the engine says of an image, and by which digest it knows it.
#[derive(Clone, Debug)]
pub(crate) struct ImageFacts {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) volumes: Vec<String>,
    pub(crate) bytes: u64,
}

/// The images that this agent loaded, by digest. Images that were there before are not ours to remove.
#[derive(Debug)]
pub(crate) struct Images {
    path: PathBuf,
    kept: Mutex<BTreeMap<String, Kept>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    /// Rises with each use.
    used: u64,
    bytes: u64,
}

impl Images {
    /// Reads the list at `path`.
    pub(crate) fn open(path: PathBuf) -> Result<Self, AgentError> {
        let kept = disk::load(&path)?.unwrap_or_default();
        Ok(Self { path, kept: Mutex::new(kept) })
    }

    /// Makes sure that the engine has the image, and says by which digest. `archive` is awaited only where it has not.
    pub(crate) async fn ensure<S>(
        &self,
        engine: &Engine,
        image: &Described,
        archive: impl Future<Output = Result<S, AgentError>>,
    ) -> Result<ImageFacts, AgentError>
    where
        S: Stream<Item = Result<Bytes, content::Error>> + Send + 'static,
    {
        // One load at a time: two jobs with one image would load it twice.
        let mut kept = self.kept.lock().await;
        check_volumes(image.volumes)?;
        let found = engine.image(&image.names).await?;
        let is_new = found.is_none();
        let facts = match found {
            Some(facts) => facts,
            None => {
                let archive = archive.await?;
                // On disk before anything is loaded: who is cut off in the middle still knows what is his.
                note(&mut kept, &image.names, image.bytes);
                disk::save(&self.path, &*kept)?;
                match load(engine, image, archive).await {
                    Ok(facts) => facts,
                    Err(error) => {
                        forget(engine, &mut kept, &image.names).await;
                        disk::save(&self.path, &*kept)?;
                        return Err(error);
                    }
                }
            }
        };
        check_volumes(facts.volumes.len())?;
        if is_new || kept.contains_key(&facts.id) {
            kept.retain(|name, _| !image.names.contains(name));
            note(&mut kept, std::slice::from_ref(&facts.id), facts.bytes);
            for old in over_limit(&kept) {
                if engine.remove_image(&old).await.is_ok() {
                    kept.remove(&old);
                }
            }
            disk::save(&self.path, &*kept)?;
        }
        Ok(facts)
    }
}

/// Loads an image and makes sure that it is the one that was meant.
async fn load<S>(engine: &Engine, image: &Described, archive: S) -> Result<ImageFacts, AgentError>
where
    S: Stream<Item = Result<Bytes, content::Error>> + Send + 'static,
{
    engine.load(archive).await?;
    let Some(facts) = engine.image(&image.names).await? else {
        let names = image.names.join(" or ");
        return Err(AgentError::refused(format!("image refused: what was loaded is not {names}")));
    };
    check_volumes(facts.volumes.len())?;
    Ok(facts)
}

fn check_volumes(count: usize) -> Result<(), AgentError> {
    if count <= IMAGE_VOLUMES_MAX {
        return Ok(());
    }
    let reason = format!("image refused: it declares {count} volumes, at most {IMAGE_VOLUMES_MAX} are allowed");
    Err(AgentError::refused(reason))
}

/// Counts images as used last.
fn note(kept: &mut BTreeMap<String, Kept>, names: &[String], bytes: u64) {
    let used = kept.values().map(|image| image.used).max().unwrap_or_default() + 1;
    kept.extend(names.iter().map(|name| (name.clone(), Kept { used, bytes })));
}

/// Removes images that were refused; one that the engine keeps stays on the list and is tried again later.
async fn forget(engine: &Engine, kept: &mut BTreeMap<String, Kept>, names: &[String]) {
    for name in names {
        if engine.remove_image(name).await.is_ok() {
            kept.remove(name);
        }
    }
}

/// Which images go so that the rest is within the limits: the longest unused first. An image that a container
/// holds is refused by the engine and tried again next time.
fn over_limit(kept: &BTreeMap<String, Kept>) -> Vec<String> {
    let mut by_use: Vec<_> = kept.iter().collect();
    by_use.sort_by_key(|(_, image)| std::cmp::Reverse(image.used));
    let (mut count, mut bytes, mut gone) = (0, 0, Vec::new());
    for (position, (id, image)) in by_use.into_iter().enumerate() {
        count += 1;
        bytes += image.bytes;
        let is_over = count > IMAGES_KEPT_MAX || bytes > IMAGES_KEPT_BYTES_MAX;
        // The newest is the one that was just asked for.
        if is_over && position > 0 {
            count -= 1;
            bytes -= image.bytes;
            gone.push(id.clone());
        }
    }
    gone
}

impl Engine {
    /// The image under the first of these digests by which the engine knows it.
    async fn image(&self, names: &[String]) -> Result<Option<ImageFacts>, AgentError> {
        let docker = self.docker().await?;
        for name in names {
            let found = match self.ask("describe the image", REQUEST_WITHIN, docker.inspect_image(name)).await {
                Ok(found) => found,
                Err(AgentError::Engine { reason, .. }) if reason.contains("No such image") => continue,
                Err(error) => return Err(error),
            };
            if found.id.as_ref() != Some(name) {
                continue;
            }
            let config = found.config.unwrap_or_default();
            return Ok(Some(ImageFacts {
                id: name.clone(),
                user: config.user.unwrap_or_default(),
                volumes: config.volumes.unwrap_or_default(),
                bytes: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            }));
        }
        Ok(None)
    }

    async fn load<S>(&self, archive: S) -> Result<(), AgentError>
    where
        S: Stream<Item = Result<Bytes, content::Error>> + Send + 'static,
    {
        let docker = self.docker().await?;
        let options = query::ImportImageOptions { quiet: true, ..Default::default() };
        let mut answers = docker.import_image_stream(options, archive, None);
        let all = async {
            while let Some(answer) = answers.next().await {
                answer?;
            }
            Ok(())
        };
        self.ask("load the image", LOAD_WITHIN, all).await
    }

    async fn remove_image(&self, id: &str) -> Result<(), AgentError> {
        let docker = self.docker().await?;
        let options = query::RemoveImageOptions { force: false, ..Default::default() };
        let remove = docker.remove_image(id, Some(options), None);
        match self.ask("remove the image", REQUEST_WITHIN, remove).await {
            Err(AgentError::Engine { reason, .. }) if reason.contains("No such image") => Ok(()),
            other => other.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_go_first() {
        let kept: BTreeMap<String, Kept> =
            (0..IMAGES_KEPT_MAX as u64 + 3).map(|used| (format!("i{used:03}"), Kept { used, bytes: 1 })).collect();
        assert_eq!(over_limit(&kept), ["i002", "i001", "i000"]);
        let large = BTreeMap::from([
            ("a".to_owned(), Kept { used: 1, bytes: 1 }),
            ("b".to_owned(), Kept { used: 2, bytes: IMAGES_KEPT_BYTES_MAX }),
        ]);
        assert_eq!(over_limit(&large), ["a"]);
    }
}
