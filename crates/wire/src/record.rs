//! Documents that the agent signs: what was prepared, and how it ended. Their digests go on chain.

use alloy_primitives::{Address, B256};
use market::{Choice, JobId, Needs, Offer, PerHour, ResourceId};
use serde::{Deserialize, Serialize};

use crate::{Domain, JobSpec, SignatureBytes, WireError, document, signed::Attest};

/// What stood ready when the clock started: bound by `Ready.readyRecord`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadyRecord {
    /// The job.
    pub job_id: B256,
    /// Root of the image that was verified.
    pub image: String,
    /// The image's config digest as the engine names it.
    pub image_id: String,
    /// Roots of the inputs that were verified.
    pub inputs: Vec<String>,
    /// The container that waits.
    pub container_id: String,
    /// What the job will see.
    pub hardware: crate::HardwareJson,
}

impl ReadyRecord {
    /// Whether what stands ready is what was ordered: this job, its image and inputs, and hardware that has what the
    /// spec needs. Cards may be pretended only where the listing says so (`simulated`).
    ///
    /// Whoever lets a clock start asks this first; who wrote the record, [`ReadyRecord::attested`] tells.
    pub fn check(&self, job: JobId, spec: &JobSpec, simulated: bool) -> Result<(), WireError> {
        let wrong = |field: &str, reason: String| Err(WireError::field(field, reason));
        if self.job_id.0 != job.0 {
            return wrong("jobId", format!("{} is another job than {job}", self.job_id));
        }
        if self.image != spec.image {
            return wrong("image", format!("{} is another image than was ordered, {}", self.image, spec.image));
        }
        if !self.inputs.iter().eq(spec.inputs.iter().map(|input| &input.cid)) {
            return wrong("inputs", "they are other inputs than were ordered".into());
        }
        let needs = Needs { simulated, ..spec.needs() };
        let hardware = market::Hardware::from(&self.hardware);
        let offer = Offer { id: ResourceId(job.0), hardware, price: PerHour(0), available: true, busy: false };
        match market::choose(std::slice::from_ref(&offer), &needs) {
            Choice::Nearest(_, obstacles) => {
                let obstacles: Vec<_> = obstacles.iter().map(ToString::to_string).collect();
                wrong("hardware", format!("what stands ready does not fit: {}", obstacles.join("; ")))
            }
            Choice::Offer(_) | Choice::NoOffers => Ok(()),
        }
    }

    /// The record's digest, once `agent` is known to have signed it for `job`.
    pub fn attested(
        &self,
        domain: &Domain,
        job: JobId,
        agent: Address,
        signature: &SignatureBytes,
    ) -> Result<B256, WireError> {
        attested(self, job, domain, agent, signature)
    }
}

/// The digest of a record of `job`, once `agent` is known to have signed it.
fn attested(
    record: &impl Serialize,
    job: JobId,
    domain: &Domain,
    agent: Address,
    signature: &SignatureBytes,
) -> Result<B256, WireError> {
    let digest = document(record)?.digest;
    domain.verify(&Attest { jobId: B256::from(job.0), digest }, signature, agent)?;
    Ok(digest)
}

/// How a job ended: bound by `completeJob.resultDigest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompletionRecord {
    /// The job.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// The program's exit code; none when it was stopped before it ended.
    pub exit_code: Option<i64>,
    /// Why, when it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Root of the output directory, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Root of the complete log, a text file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The pretended card was pretended.
    pub simulated: bool,
}

impl CompletionRecord {
    /// The record's digest, once `agent` is known to have signed it for `job`.
    pub fn attested(
        &self,
        domain: &Domain,
        job: JobId,
        agent: Address,
        signature: &SignatureBytes,
    ) -> Result<B256, WireError> {
        attested(self, job, domain, agent, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HardwareJson;

    const IMAGE: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    const JOB: JobId = JobId([7; 32]);

    fn check(change: impl FnOnce(&mut ReadyRecord), simulated: bool) -> String {
        let text = format!(
            r#"{{"version":1,"image":"{IMAGE}","inputs":[{{"cid":"{IMAGE}","path":"a"}}],
                "resources":{{"gpu":"h100","gpus":1,"vramMib":81920,"cpus":2,"memoryMib":64,"diskMib":64}}}}"#
        );
        let spec = JobSpec::parse(text.as_bytes()).unwrap();
        let hardware = HardwareJson {
            model: "NVIDIA H100".into(),
            gpus: 1,
            vram_mib: 81_920,
            cpus: 2,
            memory_mib: 64,
            disk_mib: 64,
            simulated: false,
        };
        let mut record = ReadyRecord {
            job_id: B256::from(JOB.0),
            image: IMAGE.into(),
            image_id: "sha256:1".into(),
            inputs: vec![IMAGE.into()],
            container_id: "c".into(),
            hardware,
        };
        change(&mut record);
        record.check(JOB, &spec, simulated).map_or_else(|err| err.to_string(), |()| "good".into())
    }

    #[test]
    fn only_what_was_ordered_stands_ready() {
        assert_eq!(check(|_| (), false), "good");
        assert!(check(|record| record.job_id = B256::ZERO, false).contains("another job"));
        assert!(check(|record| record.image = "bafkqaaa".into(), false).contains("another image"));
        assert!(check(|record| record.inputs.clear(), false).contains("other inputs"));
        assert!(check(|record| record.inputs.push(IMAGE.into()), false).contains("other inputs"));
        assert!(check(|record| record.hardware.vram_mib -= 1, false).contains("MiB of GPU memory"));
        assert!(check(|record| record.hardware.model = "A100".into(), false).contains("model"));
        assert!(check(|record| record.hardware.simulated = true, false).contains("simulated"));
        assert_eq!(check(|record| record.hardware.simulated = true, true), "good");
    }
}
