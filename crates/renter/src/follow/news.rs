//! What the agent says of a followed job, believed only as far as it is signed.

use alloy_primitives::B256;
use market::{Choice, Hardware, Needs, Offer, PerHour, ResourceId};
use wire::{
    JobNews, JobSpec, SignatureBytes, document,
    record::{CompletionRecord, ReadyRecord},
    signed::Attest,
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
        let digest = document(&record).map(|document| document.digest).map_err(RenterError::from);
        match digest.and_then(|digest| self.attested(digest, signature)) {
            Ok(()) => self.ending.record = Some(record),
            Err(err) => self.doubt = Some(err),
        }
    }

    fn checked(&self, spec: &JobSpec, record: &ReadyRecord, signature: &SignatureBytes) -> Result<B256, RenterError> {
        let untrue = |detail| RenterError::Untrue { what: "the readiness record", detail };
        let inputs: Vec<_> = spec.inputs.iter().map(|input| input.cid.clone()).collect();
        if record.job_id.0 != self.job.0 || record.image != spec.image || record.inputs != inputs {
            return Err(untrue("it names another job, image or input than was ordered".into()));
        }
        self.fits(spec, (&record.hardware).into()).map_err(untrue)?;
        let digest = document(record)?.digest;
        self.attested(digest, signature)?;
        Ok(digest)
    }

    /// What the job will see is what it needs, and real where the listing said so.
    fn fits(&self, spec: &JobSpec, hardware: Hardware) -> Result<(), String> {
        let needs = Needs { simulated: self.simulated, ..spec.needs() };
        let id = ResourceId(self.terms.resourceId.0);
        let offer = Offer { id, hardware, price: PerHour(0), available: true, busy: false };
        match market::choose(std::slice::from_ref(&offer), &needs) {
            Choice::Nearest(_, obstacles) => {
                let obstacles: Vec<_> = obstacles.iter().map(ToString::to_string).collect();
                Err(format!("what stands ready does not fit: {}", obstacles.join("; ")))
            }
            _ => Ok(()),
        }
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
