//! Facts of a disputed job: what the chain shows, and what the provider left under the digests that stand there.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use chain::{Market, MarketEvent};
use content::{BlockStore, FetchLimits, Fetcher};
use market::JobId;
use serde::de::DeserializeOwned;
use wire::{
    Document, JobSpec,
    record::{CompletionRecord, ReadyRecord},
};

use super::Facts;
use crate::OracleError;

/// What a provider left is had within this time, or it counts as not there.
const HAD_WITHIN: Duration = Duration::from_secs(600);
/// A record or spec is a single small block; what is larger is none.
const RECORD: FetchLimits = FetchLimits { bytes_max: 64 << 10, blocks_max: 1 };
/// As much of a result or log is fetched before it counts as there.
const SEEN_ENOUGH: FetchLimits = FetchLimits { bytes_max: 1 << 30, blocks_max: 100_000 };

/// Where judges look for what the parties published, and where they keep it. Every block is verified: whoever serves it
/// can hide it and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// Asks for it.
    pub fetcher: &'a Fetcher,
    /// Takes it.
    pub store: &'a Arc<BlockStore>,
}

/// Reads a job's events and, where somewhere to look is given, the records and the result that they name.
pub async fn gather(
    market: &Market,
    job: JobId,
    deployed_at: u64,
    published: Option<Published<'_>>,
) -> Result<Facts, OracleError> {
    let history = market.history(job, deployed_at, None).await?;
    let events: Vec<_> = history.into_iter().map(|(_, logged)| logged.event).collect();
    let (mut facts, named) = of(&events);
    if let Some(published) = published {
        published.add(job, &named, &mut facts).await;
    }
    Ok(facts)
}

/// The digests that the events name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Named {
    spec: Option<B256>,
    ready: Option<B256>,
    completion: Option<B256>,
}

fn of(events: &[MarketEvent]) -> (Facts, Named) {
    let (mut facts, mut named) = (Facts::default(), Named::default());
    for event in events {
        match event {
            MarketEvent::JobCreated { terms, .. } => named.spec = Some(terms.specDigest),
            MarketEvent::JobStarted { ready_record, .. } => named.ready = Some(*ready_record),
            MarketEvent::JobSilent { .. } => facts.silences += 1,
            MarketEvent::JobEnded { outcome, seconds, result_digest, .. } => {
                (facts.outcome, facts.ran) = (Some(*outcome), *seconds);
                facts.has_record = *result_digest != B256::ZERO;
                named.completion = facts.has_record.then_some(*result_digest);
            }
            _ => {}
        }
    }
    (facts, named)
}

/// Something that was asked for by its name.
enum Had<T> {
    /// It is there.
    There(T),
    /// It is not, as those say who were asked; or not in time.
    Gone,
    /// Nobody could be asked.
    Unknown,
}

impl Published<'_> {
    async fn add(&self, job: JobId, named: &Named, facts: &mut Facts) {
        if let Some(digest) = named.completion {
            match self.document::<CompletionRecord>(digest).await {
                Had::There(Some(record)) => {
                    // Its digest is the one that the agent put on chain: nobody else can have written it.
                    facts.record_holds = Some(record.job_id.0 == job.0);
                    facts.exit_code = record.exit_code;
                    if let Some(result) = &record.result {
                        facts.result_found = self.has(result).await;
                    }
                    if let Some(log) = &record.log {
                        // Verified block by block; a log that is gone speaks against nobody.
                        facts.log_holds = self.has(log).await.filter(|there| *there);
                    }
                }
                Had::There(None) => facts.record_holds = Some(false),
                Had::Gone | Had::Unknown => {}
            }
        }
        let (Some(spec), Some(ready)) = (named.spec, named.ready) else { return };
        let (spec, ready) = (self.document::<JobSpec>(spec).await, self.document::<ReadyRecord>(ready).await);
        if let (Had::There(Some(spec)), Had::There(ready)) = (spec, ready) {
            facts.image_holds = Some(ready.is_some_and(|ready| ready.job_id.0 == job.0 && ready.image == spec.image));
        }
    }

    /// The document with this digest; `There(None)` where those bytes are none of its kind.
    async fn document<T: DeserializeOwned>(&self, digest: B256) -> Had<Option<T>> {
        let Ok(cid) = Document::cid_of(digest) else { return Had::Unknown };
        match self.fetched(&cid, RECORD).await {
            Had::There(()) => match self.store.get_async(cid).await {
                Ok(Some(bytes)) => Had::There(serde_json::from_slice(&bytes).ok()),
                _ => Had::Unknown,
            },
            Had::Gone => Had::Gone,
            Had::Unknown => Had::Unknown,
        }
    }

    /// Whether what has this name can be had; a name that is none names nothing.
    async fn has(&self, name: &str) -> Option<bool> {
        let Ok(cid) = content::parse_cid(name) else { return Some(false) };
        match self.fetched(&cid, SEEN_ENOUGH).await {
            Had::There(()) => Some(true),
            Had::Gone => Some(false),
            Had::Unknown => None,
        }
    }

    async fn fetched(&self, cid: &cid::Cid, limits: FetchLimits) -> Had<()> {
        let fetching = self.fetcher.fetch(self.store, cid, limits, None);
        match tokio::time::timeout(HAD_WITHIN, fetching).await {
            Ok(Ok(_)) | Ok(Err(content::Error::TooLarge { .. })) => Had::There(()),
            Ok(Err(content::Error::NotFound { .. })) | Err(_) => Had::Gone,
            Ok(Err(error)) => {
                tracing::warn!(%cid, %error, "what a job left could not be asked for");
                Had::Unknown
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use market::{Amount, Outcome, Seconds, Timestamp};

    use super::*;

    #[test]
    fn the_chain_tells_end_record_and_silences() {
        let job = JobId([7; 32]);
        let silent = MarketEvent::JobSilent { job, clock_stands_at: Timestamp(5), reporter: Address::repeat_byte(1) };
        let ended = |digest| MarketEvent::JobEnded {
            job,
            by: Address::repeat_byte(2),
            outcome: Outcome::Failed,
            seconds: Seconds(60),
            refunded: Amount(1),
            result_digest: digest,
        };
        let (facts, named) = of(&[silent.clone(), silent, ended(B256::repeat_byte(3))]);
        let expected = Facts {
            outcome: Some(Outcome::Failed),
            ran: Seconds(60),
            has_record: true,
            silences: 2,
            ..Facts::default()
        };
        assert_eq!(facts, expected);
        assert_eq!(named, Named { completion: Some(B256::repeat_byte(3)), ..Named::default() });
        let (facts, named) = of(&[ended(B256::ZERO)]);
        assert_eq!((facts.has_record, named), (false, Named::default()));
        assert_eq!(of(&[]), Default::default());
    }
}
