//! Questions to agents over their link, each with a time limit.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::Address;
use tokio::sync::oneshot;
use wire::link::{FromGateway, LEASE_CALLS_MAX, LEASE_WITHIN_S, LeaseAsk, LeaseReply};

use crate::link::Links;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The agent is not linked here, or takes no more questions: nothing was asked.
    NotAsked,
    /// It was asked and said nothing in time: it may have done it.
    Unknown,
}

/// Questions that wait for their answers.
#[derive(Default)]
pub(crate) struct Calls {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Waiting>>,
}

struct Waiting {
    agent: Address,
    answer: oneshot::Sender<LeaseReply>,
}

/// A question that is being waited for; it is forgotten when nobody waits any more.
struct Asked<'a> {
    calls: &'a Calls,
    call: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.calls.waiting().remove(&self.call);
    }
}

impl Calls {
    /// Asks an agent and waits for its answer.
    pub(crate) async fn ask(&self, links: &Links, agent: Address, ask: LeaseAsk) -> Result<LeaseReply, Unanswered> {
        let (sender, answer) = oneshot::channel();
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        {
            let mut waiting = self.waiting();
            if waiting.values().filter(|other| other.agent == agent).count() >= LEASE_CALLS_MAX {
                return Err(Unanswered::NotAsked);
            }
            waiting.insert(call, Waiting { agent, answer: sender });
        }
        let asked = Asked { calls: self, call };
        let message = FromGateway::LeaseCall { call, ask: Box::new(ask) };
        if !links.of_agent(agent).is_some_and(|link| links.send(link, message)) {
            return Err(Unanswered::NotAsked);
        }
        let answered = tokio::time::timeout(Duration::from_secs(LEASE_WITHIN_S), answer).await;
        drop(asked);
        answered.ok().and_then(Result::ok).ok_or(Unanswered::Unknown)
    }

    /// An agent answers. What nobody waits for any more, or another was asked, is passed over.
    pub(crate) fn answered(&self, agent: Address, call: u64, answer: LeaseReply) {
        let mut waiting = self.waiting();
        if waiting.get(&call).is_some_and(|asked| asked.agent == agent)
            && let Some(asked) = waiting.remove(&call)
        {
            // Whoever asked may have gone meanwhile.
            drop(asked.answer.send(answer));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        // No change under this lock can panic half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use alloy_primitives::B256;
    use tokio::sync::mpsc;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::link::Live;

    fn linked(agent: Address) -> (Links, mpsc::Receiver<FromGateway>) {
        let links = Links::new(2);
        let (outbox, inbox) = mpsc::channel(4);
        let live = Live { id: 1, agent, resources: HashSet::new(), outbox, replaced: CancellationToken::new() };
        links.open(live).unwrap();
        (links, inbox)
    }

    fn refused(reason: &str) -> LeaseReply {
        LeaseReply::Refused { code: "lease_over".into(), reason: reason.into(), channel: None }
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_was_asked_answers_and_silence_is_no_refusal() {
        let (agent, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let (links, mut inbox) = linked(agent);
        let calls = Calls::default();
        let look = || LeaseAsk::Look { lease: B256::ZERO };
        assert_eq!(calls.ask(&links, other, look()).await, Err(Unanswered::NotAsked));
        let answering = async {
            let Some(FromGateway::LeaseCall { call, .. }) = inbox.recv().await else { panic!("nothing was asked") };
            calls.answered(other, call, refused("by a stranger"));
            calls.answered(agent, call + 1, refused("another question"));
            calls.answered(agent, call, refused("by the agent"));
        };
        let (answer, ()) = tokio::join!(calls.ask(&links, agent, look()), answering);
        assert_eq!(answer, Ok(refused("by the agent")));
        assert_eq!(calls.ask(&links, agent, look()).await, Err(Unanswered::Unknown));
        assert!(calls.waiting().is_empty(), "nothing is waited for in vain");
    }
}
