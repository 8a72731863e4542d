//! What a person writes to describe a job: the spec without the content's names, which pushing finds out.

use std::collections::BTreeMap;

use serde::Deserialize;
use wire::{
    JobSpec, Network,
    spec::{Input, JOB_SPEC_BYTES_MAX, Needs},
};

use crate::RenterError;

/// A job as written in a file or put together from flags.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobTemplate {
    /// Always 1.
    pub version: u32,
    /// CID of the image, unless one is given beside the file.
    pub image: Option<String>,
    /// Replaces the image's entrypoint when not empty.
    #[serde(default)]
    pub command: Vec<String>,
    /// Replaces the image's arguments when not empty.
    #[serde(default)]
    pub args: Vec<String>,
    /// Added to the image's environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Content below `/inputs`; more may be given beside the file.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// Whether `/outputs` is kept.
    #[serde(default)]
    pub outputs: bool,
    /// What the job needs and may use.
    pub resources: Needs,
    /// What it may reach.
    #[serde(default)]
    pub network: Network,
    /// The longest it may run; the lock pays for that much.
    #[serde(default = "an_hour")]
    pub max_duration_seconds: u32,
}

/// Stands for an image while the rest is judged: the CID of nothing.
const ANY_IMAGE: &str = "bafkqaaa";

fn an_hour() -> u32 {
    3600
}

impl JobTemplate {
    /// Reads a template.
    pub fn parse(bytes: &[u8]) -> Result<Self, RenterError> {
        if bytes.len() > JOB_SPEC_BYTES_MAX {
            return Err(RenterError::BadJob(format!(
                "the job file has {} bytes, more than the {JOB_SPEC_BYTES_MAX} allowed",
                bytes.len()
            )));
        }
        let job: Self = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(bytes))
            .map_err(|err| RenterError::BadJob(format!("the job file cannot be read: {err}")))?;
        job.check()?;
        Ok(job)
    }

    /// Judges all but the image, long before the image is known.
    pub fn check(&self) -> Result<(), RenterError> {
        Self { image: self.image.clone().or_else(|| Some(ANY_IMAGE.into())), ..self.clone() }.spec().map(drop)
    }

    /// The spec that is published, checked.
    pub fn spec(self) -> Result<JobSpec, RenterError> {
        let image = self.image.ok_or_else(|| {
            RenterError::BadJob("the job names no image: give a CID, an archive or a static binary beside it".into())
        })?;
        let spec = JobSpec {
            version: self.version,
            image,
            command: self.command,
            args: self.args,
            env: self.env,
            inputs: self.inputs,
            outputs: self.outputs,
            resources: self.resources,
            network: self.network.clone(),
        };
        spec.check()?;
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_checked_before_anything_else_happens() {
        let good = r#"{"version":1,"image":"bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
            "resources":{"cpus":1,"memoryMib":64,"diskMib":64}}"#;
        assert_eq!(JobTemplate::parse(good.as_bytes()).unwrap().max_duration_seconds, 3600);
        let fails =
            |text: &str| JobTemplate::parse(text.as_bytes()).and_then(JobTemplate::spec).unwrap_err().to_string();
        assert!(fails(&good.replace("\"version\"", "\"colour\":1,\"version\"")).contains("colour"));
        assert!(fails(&good.replace("\"cpus\":1", "\"cpus\":0")).contains("resources.cpus"));
        assert!(fails(&good.replace("}}", "},\"maxDurationSeconds\":-5}")).contains("-5"));
        assert!(
            fails(r#"{"version":1,"resources":{"cpus":1,"memoryMib":64,"diskMib":64}}"#).contains("names no image")
        );
    }
}
