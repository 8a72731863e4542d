//! What a container has used so far.

use std::time::Duration;

use bollard::models::{ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters as query;
use futures_util::StreamExt;
use jiff::Timestamp;
use market::JobId;

use super::{Engine, REQUEST_WITHIN};
use crate::AgentError;
use crate::limits::USAGE_WITHIN;

/// What a container has used so far, and uses now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time since its start, of all processors together.
    pub(crate) processors: Duration,
    /// Main memory without the cache that the system takes back when it needs it.
    pub(crate) memory_bytes: u64,
}

impl Engine {
    /// What a job's container uses; one sample, which costs the engine no waiting.
    pub(crate) async fn usage(&self, job: JobId) -> Result<Usage, AgentError> {
        let docker = self.docker().await?;
        let options = query::StatsOptions { stream: false, one_shot: true };
        let name = Self::name(job);
        let mut samples = docker.stats(&name, Some(options));
        let sample = async { samples.next().await.unwrap_or(Err(bollard::errors::Error::RequestTimeoutError)) };
        Ok(read(&self.ask("measure the container", USAGE_WITHIN, sample).await?))
    }

    /// When a job's program was started.
    pub(crate) async fn started(&self, job: JobId) -> Result<Option<Timestamp>, AgentError> {
        let docker = self.docker().await?;
        let name = Self::name(job);
        let found = self.ask("describe the container", REQUEST_WITHIN, docker.inspect_container(&name, None)).await?;
        Ok(found.state.and_then(|state| state.started_at).and_then(|at| at.parse().ok()))
    }
}

fn read(sample: &ContainerStatsResponse) -> Usage {
    let processors = sample.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage);
    Usage {
        processors: Duration::from_nanos(processors.unwrap_or_default()),
        memory_bytes: sample.memory_stats.as_ref().map_or(0, memory),
    }
}

/// As the engine's own `stats` shows it: cgroups count the page cache, which nobody would miss, as used. Version 1 calls
/// the idle part of it `total_inactive_file`, version 2 `inactive_file`.
fn memory(stats: &ContainerMemoryStats) -> u64 {
    let of = |name: &str| stats.stats.as_ref().and_then(|stats| stats.get(name).copied());
    let cache = of("total_inactive_file").or_else(|| of("inactive_file")).unwrap_or_default();
    stats.usage.unwrap_or_default().saturating_sub(cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_is_no_use_in_either_version_of_cgroups() {
        let memory = |text: &str| {
            let text = format!(r#"{{"memory_stats":{text},"cpu_stats":{{"cpu_usage":{{"total_usage":1500000000}}}}}}"#);
            read(&serde_json::from_str(&text).unwrap())
        };
        let v1 = memory(r#"{"usage":100,"stats":{"total_inactive_file":30,"inactive_file":7}}"#);
        assert_eq!(v1, Usage { processors: Duration::from_millis(1500), memory_bytes: 70 });
        assert_eq!(memory(r#"{"usage":100,"stats":{"inactive_file":40}}"#).memory_bytes, 60);
        assert_eq!(memory(r#"{"usage":100}"#).memory_bytes, 100);
        assert_eq!(memory("{}").memory_bytes, 0);
    }
}
