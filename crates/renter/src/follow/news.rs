//! What the agent says of a followed job, believed only as far as it is signed.

use alloy_primitives::B256;
use wire::{
    JobNews, JobSpec, SignatureBytes, WireError, document,
    record::{CompletionRecord, ReadyRecord},
};

use super::{Follower, Update};
use crate::RenterError;

impl Follower<'_> {
    pub(super) fn news(&mut self, news: JobNews) {
        match news {
            JobNews::JobStatusChanged { phase } => (self.on)(Update::Phase(phase)),
            JobNews::JobFetch { what, bytes, total_bytes } => (self.on)(Update::Fetch { what, bytes, total_bytes }),
            JobNews::JobLog { stream, line } => (self.on)(Update::Log { stream, line }),
            JobNews::JobProgress { percent, message } => {
                (self.on)(Update::Progress { percent, message });
            }
            JobNews::JobDeclined { reason } => {
                (self.on)(Update::Note(format!("the provider declines: {reason}")));
            }
            JobNews::JobBeat { beat, signature } => self.beat(&beat, &signature),
            JobNews::JobReady { record, signature } => self.stands_ready(record, &signature),
            JobNews::JobCompleted { record, signature } => self.completed(record, &signature),
        }
    }

    fn stands_ready(&mut self, record: ReadyRecord, signature: &SignatureBytes) {
        let Some(spec) = &self.spec else {
            return;
        };
        match self.checked(spec, &record, signature) {
            Ok(digest) => {
                self.ready = Some(digest);
                if !self.view.ready {
                    (self.on)(Update::Ready(record));
                }
                self.view.ready = true;
            }
            // Another record was agreed to; this one starts nothing.
            Err(err) if self.view.ready || self.view.status.has_clock() => {
                tracing::warn!(%err, "a readiness record that is not true was passed over");
            }
            Err(err) => self.doubt = Some(err),
        }
    }

    fn completed(&mut self, record: CompletionRecord, signature: &SignatureBytes) {
        match record.attested(&self.account.market().domain(), self.job, self.agent, signature) {
            Ok(_) => self.ending.record = Some(record),
            Err(err) => self.doubt = Some(err.into()),
        }
    }

    fn checked(&self, spec: &JobSpec, record: &ReadyRecord, signature: &SignatureBytes) -> Result<B256, RenterError> {
        record.check(self.job, spec, self.simulated).map_err(|err| match err {
            WireError::Field { field, reason } => {
                RenterError::Untrue { what: "the readiness record", detail: format!("{field}: {reason}") }
            }
            other => other.into(),
        })?;
        Ok(record.attested(&self.account.market().domain(), self.job, self.agent, signature)?)
    }

    /// The record that the agent sent is the one whose digest it put on chain.
    pub(super) fn check_digest(&self) -> Result<(), RenterError> {
        let (Some(record), Some(on_chain)) = (&self.ending.record, self.ending.result_digest) else {
            return Ok(());
        };
        if on_chain == B256::ZERO || document(record)?.digest == on_chain {
            return Ok(());
        }
        Err(RenterError::Untrue {
            what: "the completion record",
            detail: format!("its digest is not the {on_chain} that stands on chain"),
        })
    }
}
