//! The one way out of a job that may reach some hosts and no others. Its network has no interface but the loopback;
//! there, at a fixed port, this agent's proxy listens: a socket inside the job's walls whose process is outside of them.

mod address;
mod meter;
mod proxy;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use market::JobId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::{JobSpec, Network};

use crate::AgentError;
use crate::backoff::Backoff;
use crate::host::Host;
use crate::limits::EGRESS_BYTES_MAX;
use proxy::Proxy;

/// Where the proxy listens inside; programs are told by the usual variables.
pub(crate) const PORT: u16 = 3128;
/// A program waits for its way out this long before it starts.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// What jobs may reach at most, as the machine's owner allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkPolicy {
    /// Nothing.
    #[default]
    None,
    /// The public hosts that a job lists, through the agent's proxy.
    Listed,
    /// Whatever this machine reaches.
    Full,
}

/// Hosts that are answered by a machine of the owner's, whatever DNS says: a mirror of packages in the same building. These
/// are the only addresses of his own network that a job ever reaches.
pub type Mirrors = BTreeMap<String, SocketAddr>;

/// Why a job with this wish cannot run here.
pub(crate) fn refusal(wanted: &Network, policy: NetworkPolicy) -> Option<&'static str> {
    match wanted {
        Network::None => None,
        Network::Full if policy == NetworkPolicy::Full => None,
        Network::Full => Some("network policy: this provider lets no job reach the whole network"),
        Network::Allow(_) if policy < NetworkPolicy::Listed => {
            Some("network policy: this provider runs jobs without network only")
        }
        Network::Allow(_) if !is_possible() => {
            Some("network policy: listed hosts need an agent that runs as root on x86-64 Linux")
        }
        Network::Allow(_) => None,
    }
}

/// Whether this agent may put a socket into a container's network.
pub(crate) fn is_possible() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64")) && rustix::process::geteuid().is_root()
}

/// What a program finds in its environment.
pub(crate) fn variables() -> Vec<String> {
    let proxy = format!("http://127.0.0.1:{PORT}");
    let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    let mut variables: Vec<String> = names.iter().map(|name| format!("{name}={proxy}")).collect();
    variables.extend(["no_proxy", "NO_PROXY"].map(|name| format!("{name}=localhost,127.0.0.1")));
    variables
}

/// The way out of one job, open while this is kept.
#[derive(Debug)]
pub(crate) struct Exit {
    task: JoinHandle<()>,
    is_open: watch::Receiver<bool>,
}

impl Drop for Exit {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Exit {
    /// Opens the way out of a job that has listed hosts, and opens it again when it falls shut.
    pub(crate) fn keep(host: &Arc<Host>, job: JobId, spec: &JobSpec) -> Option<Self> {
        // The spec was checked when it was read.
        let allowed = spec.network.destinations().ok().filter(|allowed| !allowed.is_empty())?;
        let proxy = Arc::new(Proxy::new(allowed, host.config.mirrors.clone(), EGRESS_BYTES_MAX));
        let (open, is_open) = watch::channel(false);
        let host = host.clone();
        let task = tokio::spawn(async move {
            let mut backoff = Backoff::default();
            loop {
                match host.engine.listen_inside(job, PORT).await {
                    Ok(listener) => {
                        open.send_replace(true);
                        proxy.clone().serve(listener).await;
                    }
                    Err(error) => tracing::debug!(job = %job.short(), %error, "the way out is not open yet"),
                }
                backoff.wait().await;
            }
        });
        Some(Self { task, is_open })
    }

    /// Waits until it is open.
    pub(crate) async fn opened(&mut self) -> Result<(), AgentError> {
        let opened = tokio::time::timeout(OPEN_WITHIN, self.is_open.wait_for(|open| *open)).await;
        match opened {
            Ok(Ok(_)) => Ok(()),
            _ => Err(AgentError::Engine { what: "open the job's way out", reason: "its network is not there".into() }),
        }
    }
}
