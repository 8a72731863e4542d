//! What a machine needs to provide, looked at before anything is listed: each finding says how to mend it.

use std::path::PathBuf;

use alloy_primitives::Address;
use chain::{Chain, ChainConfig, Market};
use market::{Mebibytes, Timestamp};
use url::Url;

use crate::engine::{Engine, Versions};
use crate::host::wall;
use crate::limits::CLOCK_SKEW_MAX;
use crate::probe::{self, Cards};
use crate::{disk, scratch};

/// A machine with less is of no use to anybody.
const MEMORY_MIN: Mebibytes = Mebibytes(1024);
/// A small image, its inputs and its scratch.
const DISK_MIN: Mebibytes = Mebibytes(4096);
/// The first interface that is spoken.
const API_MIN: (u32, u32) = (1, 41);
/// The first versions of each line of runc without the known breakouts (CVE-2025-31133, -52565, -52881).
const RUNC_PATCHED: [(u32, u32, u32); 3] = [(1, 2, 8), (1, 3, 3), (1, 4, 0)];

/// What is looked at.
#[derive(Clone, Debug)]
pub struct CheckConfig {
    /// Where the agent would keep its state.
    pub state_dir: PathBuf,
    /// The container engine's socket.
    pub docker: PathBuf,
    /// The chain and the market on it, where they are known.
    pub chain: Option<(ChainConfig, Address)>,
    /// The gateway, where one is known.
    pub gateway: Option<Url>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, with a loss that is named.
    Warning,
    /// Nothing can be provided like this.
    Blocking,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable name.
    pub id: &'static str,
    /// The same for people.
    pub title: &'static str,
    /// What is there.
    pub actual: String,
    /// What should be.
    pub required: String,
    /// What it is good for.
    pub purpose: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// How bad it is.
    pub severity: Severity,
}

/// Looks at everything, whatever the earlier findings were.
pub async fn check(config: &CheckConfig) -> Vec<Finding> {
    let engine = Engine::new(config.docker.clone(), String::new());
    let mut findings = engine_findings(&engine).await;
    findings.push(scratch_finding(config).await);
    findings.push(disk_finding(config));
    findings.push(memory_finding());
    findings.push(gpu_finding());
    if let Some((chain, market)) = &config.chain {
        findings.extend(chain_findings(chain, *market).await);
    }
    if let Some(gateway) = &config.gateway {
        findings.push(gateway_finding(gateway).await);
    }
    findings
}

async fn engine_findings(engine: &Engine) -> Vec<Finding> {
    let base = |actual: String, severity| Finding {
        id: "engine",
        title: "Container engine",
        actual,
        required: format!("Docker Engine with API {}.{} or newer", API_MIN.0, API_MIN.1),
        purpose: "runs the jobs, closed off from this machine",
        remedy: "install Docker Engine, start it, and let this user use its socket",
        severity,
    };
    match engine.versions().await {
        Err(error) => vec![base(error.to_string(), Severity::Blocking)],
        Ok(versions) => {
            let is_new = numbers(&versions.api).is_some_and(|(major, minor, _)| (major, minor) >= API_MIN);
            let severity = if is_new { Severity::Good } else { Severity::Blocking };
            let actual = format!("Docker {} (API {})", versions.engine, versions.api);
            vec![base(actual, severity), runc_finding(&versions)]
        }
    }
}

fn runc_finding(versions: &Versions) -> Finding {
    Finding {
        id: "runc",
        title: "Container runtime",
        actual: if versions.runc.is_empty() { "unknown".into() } else { format!("runc {}", versions.runc) },
        required: "runc 1.2.8, 1.3.3 or 1.4.0, or a distribution's package with the same fixes".into(),
        purpose: "keeps a job from breaking out of its container",
        remedy: "update runc; for a distribution's package look for the fixes of CVE-2025-31133, -52565 and -52881",
        severity: if is_patched(&versions.runc) { Severity::Good } else { Severity::Warning },
    }
}

fn is_patched(runc: &str) -> bool {
    let Some(found) = numbers(runc) else { return false };
    let newest = RUNC_PATCHED[RUNC_PATCHED.len() - 1];
    found >= newest || RUNC_PATCHED.iter().any(|fixed| (found.0, found.1) == (fixed.0, fixed.1) && found.2 >= fixed.2)
}

async fn scratch_finding(config: &CheckConfig) -> Finding {
    let dir = config.state_dir.clone();
    let tried = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
        scratch::can_mount(&dir)
    });
    let tried = tried.await.unwrap_or_else(|_| Err("not tried".into()));
    Finding {
        id: "scratch",
        title: "Scratch space",
        actual: tried.clone().map_or_else(|reason| format!("a measured folder ({reason})"), |()| "loop images".into()),
        required: "a file system of its own for each job".into(),
        purpose: "holds a job to its disk to the byte; a measured folder is looked at once a second",
        remedy: "run the agent as root on a kernel with loop devices and ext4",
        severity: if tried.is_ok() { Severity::Good } else { Severity::Warning },
    }
}

fn disk_finding(config: &CheckConfig) -> Finding {
    let free = disk::free(&config.state_dir);
    Finding {
        id: "disk",
        title: "Free disk",
        actual: free.map_or_else(|| "unknown".into(), |free| free.to_string()),
        required: format!("{DISK_MIN} or more under {}", config.state_dir.display()),
        purpose: "images, inputs and what the jobs write",
        remedy: "free some space or put the state folder on a larger disk",
        severity: if free.is_none_or(|free| free >= DISK_MIN) { Severity::Good } else { Severity::Blocking },
    }
}

fn memory_finding() -> Finding {
    let total = probe::memory().unwrap_or_default();
    Finding {
        id: "memory",
        title: "Memory",
        actual: total.to_string(),
        required: format!("{MEMORY_MIN} or more"),
        purpose: "a job is held to its share; the rest is this machine's",
        remedy: "use a machine with more memory",
        severity: if total >= MEMORY_MIN { Severity::Good } else { Severity::Blocking },
    }
}

fn gpu_finding() -> Finding {
    let cards = Cards::open();
    let found = cards.list();
    let severity = if found.is_empty() { Severity::Warning } else { Severity::Good };
    let actual = match found.first() {
        None => "no NVIDIA driver or no card".into(),
        Some(card) => {
            format!("{} × {} with {} (NVIDIA driver {})", found.len(), card.model, card.vram, cards.driver())
        }
    };
    Finding {
        id: "gpu",
        title: "GPU",
        actual,
        required: "an NVIDIA driver and at least one card, to rent one out".into(),
        purpose: "without a card this machine is listed for its processors only",
        remedy: "install the NVIDIA driver and Container Toolkit 1.17.8 or newer",
        severity,
    }
}

async fn chain_findings(config: &ChainConfig, address: Address) -> Vec<Finding> {
    let opened = async {
        let chain = Chain::connect(config.clone()).await?;
        let market = Market::open(chain, address).await?;
        market.chain().head().await.map(|head| (market, head.timestamp))
    };
    let (actual, head, severity) = match opened.await {
        Ok((market, time)) => {
            let what = format!("market {address} on chain {}, settling in {}", market.chain().id(), market.symbol());
            (what, Some(time), Severity::Good)
        }
        Err(error) => (error.to_string(), None, Severity::Blocking),
    };
    let mut findings = vec![Finding {
        id: "chain",
        title: "Chain",
        actual,
        required: "an RPC endpoint that serves the market".into(),
        purpose: "jobs come from there and money goes there",
        remedy: "check the RPC address and the market's address",
        severity,
    }];
    findings.extend(head.map(clock_finding));
    findings
}

fn clock_finding(head: Timestamp) -> Finding {
    // A block may be old where blocks come only with transactions; one from the future cannot be.
    let ahead = head.0.saturating_sub(wall());
    Finding {
        id: "clock",
        title: "Clock",
        actual: if ahead == 0 {
            "not behind the newest block".into()
        } else {
            format!("{ahead} s behind the newest block")
        },
        required: format!("at most {CLOCK_SKEW_MAX} behind the chain"),
        purpose: "signatures are about now; a wrong clock has them refused",
        remedy: "let the system keep its time by NTP",
        severity: if ahead <= CLOCK_SKEW_MAX.0 { Severity::Good } else { Severity::Warning },
    }
}

async fn gateway_finding(gateway: &Url) -> Finding {
    let host = gateway.host_str().unwrap_or_default().to_owned();
    let port = gateway.port_or_known_default().unwrap_or(443);
    let connect = tokio::net::TcpStream::connect((host.trim_matches(['[', ']']).to_owned(), port));
    let reached = tokio::time::timeout(crate::limits::LINK_GREETING, connect).await;
    let (actual, severity) = match reached {
        Ok(Ok(_)) => (format!("{host}:{port} answers"), Severity::Good),
        Ok(Err(error)) => (format!("{host}:{port}: {error}"), Severity::Warning),
        Err(_) => (format!("{host}:{port} does not answer"), Severity::Warning),
    };
    Finding {
        id: "gateway",
        title: "Gateway",
        actual,
        required: "a gateway that can be reached from here".into(),
        purpose: "renters follow their jobs and fetch their results through it",
        remedy: "check the address and this machine's way out; nothing has to be let in",
        severity,
    }
}

/// The first three numbers of a version; what follows a dash or a plus is not read.
fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let plain = version.split(['-', '+', '~']).next()?;
    let mut parts = plain.split('.').map(str::parse::<u32>);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next().and_then(Result::ok).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_line() {
        for (version, patched) in [
            ("1.1.5+ds1", false),
            ("1.2.7", false),
            ("1.2.8", true),
            ("1.3.2", false),
            ("1.3.3", true),
            ("1.4.0", true),
            ("2.0.0", true),
            ("", false),
            ("unknown", false),
        ] {
            assert_eq!(is_patched(version), patched, "{version}");
        }
        assert_eq!(numbers("1.41"), Some((1, 41, 0)));
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_blocks_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let config = CheckConfig {
            state_dir: dir.path().to_owned(),
            docker: dir.path().join("no.sock"),
            chain: None,
            gateway: None,
        };
        let findings = check(&config).await;
        let engine = findings.iter().find(|finding| finding.id == "engine").unwrap();
        assert_eq!(engine.severity, Severity::Blocking);
        assert!(engine.actual.contains("no.sock") && !engine.remedy.is_empty(), "{engine:?}");
        assert!(!findings.iter().any(|finding| finding.id == "runc"), "nothing is said of what was not seen");
    }
}
