//! What the agent says of a followed job, believed only as far as it is signed.

use alloy_primitives::B256;
use wire::{
    JobNews, SignatureBytes, document,
    feed::BeatJson,
    record::ReadyRecord,
    signed::{Attest, Beat},
};

use super::{Follower, Update};
use crate::{RenterError, Seen};

impl Follower<'_> {
    pub(super) fn news(&mut self, news: JobNews) -> Result<(), RenterError> {
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
            JobNews::JobReady { record, signature } => {
                self.ready = Some(self.checked(&record, &signature)?);
                if !self.view.ready {
                    (self.on)(Update::Ready(record));
                }
                self.view.ready = true;
            }
            JobNews::JobCompleted { record, signature } => {
                let digest = document(&record)?.digest;
                self.attested(digest, &signature)?;
                self.ending.record = Some(record);
            }
        }
        Ok(())
    }

    /// A beat counts when the job's own agent signed it for this job and it is newer than the last.
    fn beat(&mut self, beat: &BeatJson, signature: &SignatureBytes) {
        let domain = self.account.market().domain();
        let genuine = domain.signer(&Beat::from(beat), signature) == Some(self.agent) && beat.agent == self.agent;
        if genuine && beat.at > self.last_beat && beat.jobs.contains(&B256::from(self.job.0)) {
            self.last_beat = beat.at;
            self.view.heard = Seen::At(self.view.now);
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
