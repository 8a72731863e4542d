//! What the agent says of a followed job, believed only as far as it is signed.

use alloy_primitives::B256;
use wire::{
    JobNews, SignatureBytes, document,
    feed::BeatJson,
    record::{CompletionRecord, ReadyRecord},
    signed::{Attest, Beat},
};

use super::{Follower, Update};
use crate::{RenterError, Seen};

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
        match self.checked(&record, signature) {
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
        let digest = document(&record).map(|document| document.digest).map_err(RenterError::from);
        match digest.and_then(|digest| self.attested(digest, signature)) {
            Ok(()) => self.ending.record = Some(record),
            Err(err) => self.doubt = Some(err),
        }
    }

    /// A beat counts when the job's own agent signed it for this job and it is newer than the last.
    fn beat(&mut self, beat: &BeatJson, signature: &SignatureBytes) {
        let domain = self.account.market().domain();
        let genuine = domain.signer(&Beat::from(beat), signature) == Some(self.agent) && beat.agent == self.agent;
        if genuine && beat.at > self.last_beat && beat.jobs.contains(&B256::from(self.job.0)) {
            self.last_beat = beat.at;
            self.view.heard = Seen::At(self.present());
        }
    }

    fn checked(&self, record: &ReadyRecord, signature: &SignatureBytes) -> Result<B256, RenterError> {
        let inputs: Vec<_> = self.spec.inputs.iter().map(|input| input.cid.clone()).collect();
        if record.job_id.0 != self.job.0 || record.image != self.spec.image || record.inputs != inputs {
            return Err(RenterError::Untrue {
                what: "the readiness record",
                detail: "it names another job, image or input than was ordered".into(),
            });
        }
        let digest = document(record)?.digest;
        self.attested(digest, signature)?;
        Ok(digest)
    }

    fn attested(&self, digest: B256, signature: &SignatureBytes) -> Result<(), RenterError> {
        let attest = Attest { jobId: B256::from(self.job.0), digest };
        Ok(self.account.market().domain().verify(&attest, signature, self.agent)?)
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
