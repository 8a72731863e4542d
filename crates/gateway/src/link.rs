//! The agent link without its socket: who has said what, and what follows from it.
//!
//! ```text
//! Challenged ─hello─▶ Checking ─the chain agrees─▶ Open ─beat · metrics · job · event─▶ Open
//!      └──── anything else, a wrong signature, a foreign resource ────▶ Over
//! ```

mod links;
pub(crate) use links::{Links, Live};

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use alloy_primitives::{Address, B256};
use market::{JobId, ResourceId};
use wire::{
    Domain, SignatureBytes, Terms,
    feed::{BeatJson, JobEvent},
    http::{JobMetricsPoint, MetricsPoint},
    link::{Announced, FromAgent, JobMetrics, LeaseOffer, LeaseReply, LeaseState, RESOURCES_MAX, VERSION},
    signed,
};

use crate::config::MODEL_BYTES_MAX;

/// One connection of an agent. Later ones have larger numbers.
pub(crate) type LinkId = u64;

/// How far an agent's connection has come.
#[derive(Debug)]
pub(crate) enum Session {
    /// The challenge is out.
    Challenged { nonce: B256 },
    /// The hello is well signed; the chain is asked about the resources.
    Checking { agent: Address, resources: HashSet<ResourceId> },
    /// The agent is known.
    Open(Open),
    /// Refused; nothing more is heard.
    Over,
}

/// What is remembered of a known agent.
#[derive(Debug)]
pub(crate) struct Open {
    agent: Address,
    resources: HashSet<ResourceId>,
    jobs: HashMap<JobId, Served>,
    /// When it was last measured, in unix seconds.
    measured: u64,
}

#[derive(Debug)]
struct Served {
    terms: Arc<Terms>,
    /// The agent was told where to go on and has not done so yet. What it sent before it heard of that is passed
    /// over in silence, or each message on the way would be answered and each answer make it start again.
    told: bool,
}

/// What is to be done about a message.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask the chain about these, then call [`Session::checked`].
    Check { agent: Address, resources: Vec<Announced> },
    /// The agent is alive and signed that it runs these jobs.
    Heard { jobs: Vec<JobId>, at: u64 },
    /// What it measured.
    Measured { machine: MetricsPoint, jobs: Vec<(JobId, JobMetricsPoint)> },
    /// Nothing: more than is asked for.
    Pass,
    /// Announce the job and answer what is held.
    Announce { job: JobId, terms: Arc<Terms> },
    /// Hold the event; when it is not the next one, call [`Session::tell`].
    Push { job: JobId, terms: Arc<Terms>, event: Box<JobEvent> },
    /// How it sells time by the tick.
    Sells { offer: LeaseOffer },
    /// It answers a question about a lease.
    Answered { call: u64, answer: Box<LeaseReply> },
    /// A lease of its went on.
    LeaseNews { lease: B256, state: Box<LeaseState> },
    /// Say why and close.
    Refuse { reason: String },
}

/// What the rules of a link depend on.
pub(crate) struct Rules {
    pub(crate) domain: Domain,
    /// What a hello may name as the gateway that it dialled.
    pub(crate) origins: Vec<String>,
    pub(crate) jobs_max: usize,
    /// Measurements that come sooner after one another are passed over.
    pub(crate) metrics_apart_s: u64,
}

impl Session {
    /// What follows from a message that arrived at `now` (unix seconds).
    pub(crate) fn next(&mut self, said: FromAgent, rules: &Rules, now: u64) -> Step {
        let step = match (&mut *self, said) {
            (Self::Challenged { nonce }, FromAgent::Hello { version, agent, resources, signature }) => {
                let nonce = *nonce;
                let ids: HashSet<_> = resources.iter().map(|resource| ResourceId(resource.id.0)).collect();
                match check_hello(version, agent, &resources, ids.len(), nonce, &signature, rules) {
                    Ok(()) => {
                        *self = Self::Checking { agent, resources: ids };
                        Ok(Step::Check { agent, resources })
                    }
                    Err(reason) => Err(reason),
                }
            }
            (Self::Open(open), FromAgent::Beat { beat, signature }) => open.beat(&beat, &signature, rules, now),
            (Self::Open(open), FromAgent::Metrics { machine, jobs }) => open.metrics(machine, &jobs, rules, now),
            (Self::Open(open), FromAgent::Job { terms }) => open.announce(&terms, rules),
            (Self::Open(open), FromAgent::Event { job, event }) => open.push(JobId(job.0), event),
            (Self::Open(_), FromAgent::Leases { offer }) => Ok(Step::Sells { offer }),
            (Self::Open(_), FromAgent::LeaseAnswer { call, answer }) => Ok(Step::Answered { call, answer }),
            (Self::Open(open), FromAgent::LeaseNews { lease, state }) => open.lease_news(lease, state, rules),
            (Self::Open(_), FromAgent::Hello { .. }) => Err("hello was said already on this connection".into()),
            (Self::Challenged { .. } | Self::Checking { .. }, _) => {
                Err("the first message is a Hello that answers the challenge".into())
            }
            (Self::Over, _) => Err("this link is over".into()),
        };
        step.unwrap_or_else(|reason| {
            *self = Self::Over;
            Step::Refuse { reason }
        })
    }

    /// The chain has answered.
    pub(crate) fn checked(&mut self, verdict: Result<(), String>) -> Result<(), String> {
        let Self::Checking { agent, resources } = std::mem::replace(self, Self::Over) else {
            return Err("nothing was being checked".into());
        };
        verdict?;
        *self = Self::Open(Open { agent, resources, jobs: HashMap::new(), measured: 0 });
        Ok(())
    }

    /// Whether the agent must be told which event comes next.
    pub(crate) fn tell(&mut self, job: JobId) -> bool {
        match self {
            Self::Open(open) => {
                open.jobs.get_mut(&job).is_some_and(|served| !std::mem::replace(&mut served.told, true))
            }
            _ => false,
        }
    }

    /// The event was the next one.
    pub(crate) fn pushed(&mut self, job: JobId) {
        if let Self::Open(open) = self
            && let Some(served) = open.jobs.get_mut(&job)
        {
            served.told = false;
        }
    }
}

impl Open {
    /// News of a lease: its terms must be those of its id, and for a resource of this agent.
    fn lease_news(&self, lease: B256, state: Box<LeaseState>, rules: &Rules) -> Result<Step, String> {
        let terms = Terms::try_from(&state.terms).map_err(|error| error.to_string())?;
        let id = terms.job_id(rules.domain.chain_id, rules.domain.market);
        if B256::from(id.0) != lease || !self.resources.contains(&terms.resource()) {
            return Err(format!("lease {lease} is not of a resource that was announced"));
        }
        Ok(Step::LeaseNews { lease, state })
    }

    fn beat(&self, beat: &BeatJson, signature: &SignatureBytes, rules: &Rules, now: u64) -> Result<Step, String> {
        signed::fresh("Beat", beat.at, now).map_err(|error| error.to_string())?;
        rules.domain.verify(&signed::Beat::from(beat), signature, self.agent).map_err(|error| error.to_string())?;
        if beat.agent != self.agent {
            return Err(format!("the beat names agent {}, the hello named {}", beat.agent, self.agent));
        }
        Ok(Step::Heard { jobs: beat.jobs.iter().map(|job| JobId(job.0)).collect(), at: beat.at })
    }

    fn metrics(&mut self, machine: MetricsPoint, jobs: &[JobMetrics], rules: &Rules, now: u64) -> Result<Step, String> {
        let seconds = |at: jiff::Timestamp| u64::try_from(at.as_second()).unwrap_or(0);
        let times = jobs.iter().map(|job| job.metrics.at).chain([machine.at]);
        for at in times {
            signed::fresh("Metrics", seconds(at), now).map_err(|error| error.to_string())?;
        }
        if let Some(job) = jobs.iter().find(|job| !self.jobs.contains_key(&JobId(job.job.0))) {
            return Err(format!("job {} was not announced on this link; send Job first", job.job));
        }
        if now < self.measured.saturating_add(rules.metrics_apart_s) {
            return Ok(Step::Pass);
        }
        self.measured = now;
        Ok(Step::Measured { machine, jobs: jobs.iter().map(|job| (JobId(job.job.0), job.metrics)).collect() })
    }

    fn announce(&mut self, terms: &wire::TermsJson, rules: &Rules) -> Result<Step, String> {
        let terms = Terms::try_from(terms).map_err(|error| error.to_string())?;
        let job = terms.job_id(rules.domain.chain_id, rules.domain.market);
        if !self.resources.contains(&terms.resource()) {
            let resource = terms.resource();
            return Err(format!("job {job} is for resource {resource}, which the hello did not name"));
        }
        if self.jobs.len() >= rules.jobs_max && !self.jobs.contains_key(&job) {
            return Err(format!("more than {} jobs on one link; connect again for those that run", rules.jobs_max));
        }
        let terms = Arc::new(terms);
        self.jobs.insert(job, Served { terms: terms.clone(), told: false });
        Ok(Step::Announce { job, terms })
    }

    fn push(&self, job: JobId, event: JobEvent) -> Result<Step, String> {
        match self.jobs.get(&job) {
            Some(served) => Ok(Step::Push { job, terms: served.terms.clone(), event: Box::new(event) }),
            None => Err(format!("job {job} was not announced on this link; send Job first")),
        }
    }
}

fn check_hello(
    version: u32,
    agent: Address,
    resources: &[Announced],
    distinct: usize,
    nonce: B256,
    signature: &SignatureBytes,
    rules: &Rules,
) -> Result<(), String> {
    if version != VERSION {
        return Err(format!("the link speaks version {VERSION}, not {version}; install the gateway's release"));
    }
    if resources.is_empty() || resources.len() > RESOURCES_MAX {
        return Err(format!("a hello names 1 to {RESOURCES_MAX} resources, not {}", resources.len()));
    }
    if distinct != resources.len() {
        return Err("a resource is named twice in the hello".into());
    }
    for resource in resources {
        if resource.hardware.model.len() > MODEL_BYTES_MAX {
            return Err(format!("resource {} has a name of more than {MODEL_BYTES_MAX} bytes", resource.id));
        }
    }
    let resources: Vec<B256> = resources.iter().map(|resource| resource.id).collect();
    // A hello for another gateway must not open a link here, or whoever was dialled could relay our nonce.
    let mut verdict = Err("the request names no host, so nobody can say which gateway was dialled".to_owned());
    for gateway in &rules.origins {
        let hello = signed::Hello { nonce, gateway: gateway.clone(), agent, resources: resources.clone() };
        verdict = rules.domain.verify(&hello, signature, agent).map_err(|error| {
            let origins = rules.origins.join(" or ");
            format!("{error}; it is over the origin that was dialled, and this gateway is {origins}")
        });
        if verdict.is_ok() {
            break;
        }
    }
    verdict
}

#[cfg(test)]
mod tests;
