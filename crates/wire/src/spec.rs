//! The job spec: which image runs, with what, on how much, and what of it is kept. Published by its CID; its
//! digest stands in the terms.

use std::collections::BTreeMap;

use cid::Cid;
use serde::{Deserialize, Serialize};

use crate::{Network, WireError};

/// The largest job spec. Specs are read by hand; a bigger one is a mistake or an attack.
pub const JOB_SPEC_BYTES_MAX: usize = 64 << 10;
/// The only version there is.
pub const VERSION: u32 = 1;
/// Inputs of one job; more belong into one directory.
pub const INPUTS_MAX: usize = 64;
/// Environment variables of one job.
pub const ENV_MAX: usize = 256;
/// Longest path of an input below `/inputs`.
pub const PATH_BYTES_MAX: usize = 1024;

/// What a provider is asked to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobSpec {
    /// Always 1.
    pub version: u32,
    /// Root of an OCI layout as a UnixFS directory.
    pub image: String,
    /// Replaces the image's entrypoint when not empty.
    #[serde(default)]
    pub command: Vec<String>,
    /// Replaces the image's arguments when not empty.
    #[serde(default)]
    pub args: Vec<String>,
    /// Added to the image's environment. Public, like everything here.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Content placed below `/inputs`, read-only.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// Whether `/outputs` is kept and becomes the result.
    #[serde(default)]
    pub outputs: bool,
    /// What the resource must have and the job may use.
    pub resources: Needs,
    /// What the job may reach.
    #[serde(default)]
    pub network: Network,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// A file or a directory.
    pub cid: String,
    /// Where it stands below `/inputs`.
    pub path: String,
}

/// What the job may use; the container is held to these figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Needs {
    /// A word that the GPU's model must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
    /// Cards.
    #[serde(default)]
    pub gpus: u16,
    /// Memory of one card.
    #[serde(default)]
    pub vram_mib: u64,
    /// Processor threads.
    pub cpus: u16,
    /// Main memory, swap included.
    pub memory_mib: u64,
    /// Scratch and outputs together.
    pub disk_mib: u64,
}

impl JobSpec {
    /// Reads and checks a spec.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > JOB_SPEC_BYTES_MAX {
            return Err(WireError::TooLarge { what: "the job spec", bytes: bytes.len(), limit: JOB_SPEC_BYTES_MAX });
        }
        let spec: Self = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(bytes))
            .map_err(|err| WireError::Malformed { what: "the job spec", reason: err.to_string() })?;
        spec.check()?;
        Ok(spec)
    }

    /// Checks what the shape alone does not say.
    pub fn check(&self) -> Result<(), WireError> {
        if self.version != VERSION {
            return Err(WireError::field("version", format!("{} is not known; write {VERSION}", self.version)));
        }
        cid("image", &self.image)?;
        if self.inputs.len() > INPUTS_MAX {
            return Err(WireError::field("inputs", format!("more than {INPUTS_MAX}; put them into one directory")));
        }
        for (index, input) in self.inputs.iter().enumerate() {
            cid(&format!("inputs[{index}].cid"), &input.cid)?;
            relative(&format!("inputs[{index}].path"), &input.path)?;
        }
        for (index, input) in self.inputs.iter().enumerate() {
            let inside =
                |other: &Input| other.path == input.path || other.path.starts_with(&format!("{}/", input.path));
            if self.inputs.iter().enumerate().any(|(at, other)| at != index && inside(other)) {
                return Err(WireError::field(format!("inputs[{index}].path"), "another input lies at or below it"));
            }
        }
        environment(&self.env)?;
        self.network.check()?;
        let needs = &self.resources;
        for (field, value) in
            [("cpus", u64::from(needs.cpus)), ("memoryMib", needs.memory_mib), ("diskMib", needs.disk_mib)]
        {
            if value == 0 {
                return Err(WireError::field(format!("resources.{field}"), "must be at least 1"));
            }
        }
        for (field, words) in [("command", &self.command), ("args", &self.args)] {
            if words.iter().any(|word| word.contains('\0')) {
                return Err(WireError::field(field, "a word holds a zero byte"));
            }
        }
        Ok(())
    }

    /// The needs as the market reads them.
    #[must_use]
    pub fn needs(&self) -> market::Needs {
        market::Needs {
            model: self.resources.gpu.clone(),
            gpus: self.resources.gpus,
            vram: market::Mebibytes(self.resources.vram_mib),
            cpus: self.resources.cpus,
            memory: market::Mebibytes(self.resources.memory_mib),
            disk: market::Mebibytes(self.resources.disk_mib),
            ..market::Needs::default()
        }
    }
}

/// Reads a CID, naming the field when it is none.
pub fn cid(field: &str, text: &str) -> Result<Cid, WireError> {
    Cid::try_from(text).map_err(|err| WireError::field(field, format!("{text:?} is no CID ({err})")))
}

fn relative(field: &str, path: &str) -> Result<(), WireError> {
    let wrong = |reason: &str| Err(WireError::field(field, format!("{path:?} {reason}")));
    if path.is_empty() || path.len() > PATH_BYTES_MAX {
        return wrong(&format!("must have 1 to {PATH_BYTES_MAX} bytes"));
    }
    if path.starts_with('/') || path.contains(['\0', '\\']) {
        return wrong("must be relative to /inputs");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return wrong("may not hold empty, . or .. parts");
    }
    Ok(())
}

fn environment(env: &BTreeMap<String, String>) -> Result<(), WireError> {
    if env.len() > ENV_MAX {
        return Err(WireError::field("env", format!("more than {ENV_MAX} variables")));
    }
    for (name, value) in env {
        let field = format!("env.{name}");
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(WireError::field(field, "a name may not be empty or hold = and neither may hold zero bytes"));
        }
        // The loader's variables change what runs before the program does, on the host's side too in some runtimes.
        if name.starts_with("LD_") {
            return Err(WireError::field(field, "the loader's variables may not be set; put them into the image"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

    fn read(extra: &str, inputs: &str) -> String {
        let text = format!(
            r#"{{"version":1,"image":"{IMAGE}","inputs":[{inputs}],"resources":{{"cpus":1,"memoryMib":64,"diskMib":64}}{extra}}}"#
        );
        JobSpec::parse(text.as_bytes()).map_or_else(|err| err.to_string(), |_| "good".into())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let input = |path: &str| format!(r#"{{"cid":"{IMAGE}","path":"{path}"}}"#);
        assert_eq!(read("", &input("a/b.txt")), "good");
        for path in ["../x", "/etc/passwd", "a//b", "a/./b", "", "a/..", "..\\\\x"] {
            assert!(read("", &input(path)).starts_with("inputs[0].path"), "{path}: {}", read("", &input(path)));
        }
        assert!(read("", &format!("{},{}", input("a"), input("a/b"))).contains("another input"));
        assert!(read(r#","colour":"red""#, "").contains("unknown field `colour`"));
        assert!(read(r#","env":{"LD_PRELOAD":"x"}"#, "").starts_with("env.LD_PRELOAD"));
        assert!(read(r#","version":2"#, "").contains("duplicate field"));
        assert!(read(r#","network":"host""#, "").contains("unknown variant `host`"));
        assert!(read("", r#"{"cid":"bafy","path":"x"}"#).starts_with("inputs[0].cid"));
        let negative =
            format!(r#"{{"version":1,"image":"{IMAGE}","resources":{{"cpus":-1,"memoryMib":64,"diskMib":64}}}}"#);
        assert!(JobSpec::parse(negative.as_bytes()).unwrap_err().to_string().contains("-1"));
        assert!(JobSpec::parse(&vec![b' '; JOB_SPEC_BYTES_MAX + 1]).unwrap_err().to_string().contains("bytes"));
    }
}
