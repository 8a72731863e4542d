//! Specs of jobs that were priced. They are in memory until the chain has the job: only what is paid for goes to disk,
//! where nothing is ever taken away.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256};
use content::ImportConfig;
use store::{JobFilter, JobRow};
use wire::Document;

use crate::{
    GatewayError,
    config::{PAGE_MAX, QUOTED_OF_RENTER_MAX, QUOTED_SPECS_MAX},
    state::Shared,
};

/// Shared by all requests; the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Quoted(Mutex<VecDeque<(Address, Arc<Document>)>>);

impl Quoted {
    /// Holds a spec that `renter` had priced. The oldest of his go first, then the oldest of all.
    pub(crate) fn hold(&self, renter: Address, document: Document) {
        let mut held = self.held();
        held.retain(|(who, other)| *who != renter || other.digest != document.digest);
        let of_his = held.iter().filter(|(who, _)| *who == renter).count();
        if of_his >= QUOTED_OF_RENTER_MAX {
            let oldest = held.iter().position(|(who, _)| *who == renter);
            oldest.and_then(|place| held.remove(place));
        } else if held.len() >= QUOTED_SPECS_MAX {
            held.pop_front();
        }
        held.push_back((renter, Arc::new(document)));
    }

    pub(crate) fn get(&self, digest: B256) -> Option<Document> {
        let held = self.held();
        held.iter().find(|(_, document)| document.digest == digest).map(|(_, document)| Document::clone(document))
    }

    /// Takes out the spec that this job was made from.
    fn take(&self, renter: Address, digest: B256) -> Option<Arc<Document>> {
        let mut held = self.held();
        let place = held.iter().position(|(who, document)| *who == renter && document.digest == digest)?;
        held.remove(place).map(|(_, document)| document)
    }

    fn is_empty(&self) -> bool {
        self.held().is_empty()
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<(Address, Arc<Document>)>> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the spec where the provider's agent will look for it, in the name of who ordered it.
pub(crate) async fn publish(shared: &Shared, renter: Address, document: Document) -> Result<(), GatewayError> {
    let blocks = shared.blocks.clone();
    let kept = tokio::task::spawn_blocking(move || {
        content::add_bytes(&blocks, &document.bytes, &ImportConfig::default())?;
        blocks.pin(&renter.to_string(), &document.cid)
    });
    let failed = |reason: String| GatewayError::Unavailable { what: format!("the spec cannot be kept here: {reason}") };
    match kept.await {
        Ok(kept) => kept.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("this gateway stops".into())),
    }
}

/// Keeps the specs of jobs whose renters sent the transaction themselves, until the gateway stops.
pub(crate) async fn follow(shared: Shared) {
    let work = async {
        let mut index = shared.index.clone();
        let mut seen = index.borrow_and_update().head.map_or(0, |head| head.number);
        while index.changed().await.is_ok() {
            let Some(head) = index.borrow_and_update().head else { continue };
            // After a reorganisation the head may be lower: what is there is looked at again.
            let from = seen.min(head.number.saturating_sub(1));
            if !shared.quoted.is_empty()
                && let Err(error) = keep_ordered(&shared, from).await
            {
                tracing::warn!(%error, "a spec that was ordered is not kept yet");
                continue;
            }
            seen = head.number;
        }
    };
    let _: Option<()> = shared.shutdown.run_until_cancelled(work).await;
}

/// Publishes what jobs that were created after block `from` were made from.
async fn keep_ordered(shared: &Shared, from: u64) -> Result<(), GatewayError> {
    let mut before = None;
    loop {
        let jobs: Vec<JobRow> = shared.store.jobs(&JobFilter::default(), before, PAGE_MAX as u64).await?;
        let Some(oldest) = jobs.last().map(|job| job.created) else { return Ok(()) };
        for job in jobs.iter().filter(|job| job.created.0 > from) {
            let renter = job.terms.renter;
            if let Some(document) = shared.quoted.take(renter, job.terms.specDigest) {
                let kept = publish(shared, renter, Document::clone(&document)).await;
                kept.inspect_err(|_| shared.quoted.hold(renter, Document::clone(&document)))?;
            }
        }
        if oldest.0 <= from {
            return Ok(());
        }
        before = Some(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(number: u64) -> Document {
        wire::document(&number).unwrap()
    }

    fn renter(number: u64) -> Address {
        Address::left_padding_from(&number.to_be_bytes())
    }

    #[test]
    fn one_renter_holds_few_and_displaces_only_his_own() {
        let quoted = Quoted::default();
        quoted.hold(renter(1), spec(0));
        for number in 1..=QUOTED_OF_RENTER_MAX as u64 + 1 {
            quoted.hold(renter(2), spec(number));
        }
        assert_eq!(quoted.held().len(), 1 + QUOTED_OF_RENTER_MAX);
        assert!(quoted.get(spec(0).digest).is_some() && quoted.get(spec(1).digest).is_none());
        // The same again is the youngest, and no second one.
        quoted.hold(renter(2), spec(2));
        quoted.hold(renter(2), spec(99));
        assert_eq!(quoted.held().len(), 1 + QUOTED_OF_RENTER_MAX);
        assert!(quoted.get(spec(2).digest).is_some() && quoted.get(spec(3).digest).is_none());
    }

    #[test]
    fn all_together_hold_so_many() {
        let quoted = Quoted::default();
        for number in 0..=QUOTED_SPECS_MAX as u64 {
            quoted.hold(renter(number), spec(number));
        }
        assert_eq!(quoted.held().len(), QUOTED_SPECS_MAX);
        assert!(quoted.get(spec(0).digest).is_none());
        assert!(quoted.take(renter(2), spec(1).digest).is_none(), "another's");
        assert!(quoted.take(renter(1), spec(1).digest).is_some() && quoted.get(spec(1).digest).is_none());
    }
}
