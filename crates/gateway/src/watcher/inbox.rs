//! What agents say that concerns the watcher, noted at the moment it came.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use alloy_primitives::{Address, B256};
use market::{JobId, rules::RESUME_WITHIN};
use tokio::sync::Notify;
use wire::{
    Document, Domain, SignatureBytes, document,
    feed::{BeatJson, JobNews},
    record::{CompletionRecord, ReadyRecord},
    signed::{Beat, FRESH_S},
};

use super::{BlockClock, Moment};
use crate::{
    config::{Limits, RECORD_BYTES_MAX, RECORDS_OF_AGENT_MAX},
    state::now,
};

/// Filled by links, read by the watcher. Each call holds the lock for a moment and never waits.
pub(crate) struct Watch {
    domain: Domain,
    inbox: Mutex<Inbox>,
    wake: Notify,
}

struct Inbox {
    /// None until the chain was read.
    clock: Option<BlockClock>,
    /// The jobs whose beats count, with the agent that runs each.
    heard: HashMap<JobId, Heard>,
    ready: Waiting<(ReadyRecord, SignatureBytes)>,
    completed: Waiting<(Document, SignatureBytes)>,
}

struct Heard {
    agent: Address,
    /// When the newest beat came.
    at: Option<Moment>,
    /// What the agent's clock said in it.
    signed: u64,
}

impl Watch {
    pub(crate) fn new(domain: Domain, limits: &Limits) -> Self {
        let inbox = Inbox {
            clock: None,
            heard: HashMap::new(),
            ready: Waiting::new(limits.records_waiting),
            completed: Waiting::new(limits.records_waiting),
        };
        Self { domain, inbox: Mutex::new(inbox), wake: Notify::new() }
    }

    /// `agent` signed at `at`, by its clock, that it runs these jobs; its link has checked that.
    pub(crate) fn beat(&self, agent: Address, jobs: &[JobId], at: u64) {
        let mut inbox = self.inbox();
        jobs.iter().for_each(|job| inbox.beat(agent, *job, at));
    }

    /// `agent` proved who it is and found no room here: it is alive, and what it says could not be heard until now.
    pub(crate) fn turned_away(&self, agent: Address) {
        let inbox = &mut *self.inbox();
        if let Some(clock) = inbox.clock {
            let now = clock.at(Instant::now());
            inbox.heard.values_mut().filter(|heard| heard.agent == agent).for_each(|heard| heard.at = Some(now));
        }
    }

    /// `agent` told this about a job that it announced.
    pub(crate) fn news(&self, agent: Address, job: JobId, news: &JobNews) {
        match news {
            JobNews::JobBeat { beat, signature } => self.told_beat(agent, job, beat, signature),
            JobNews::JobReady { record, signature } => self.told_ready(agent, job, record, signature),
            JobNews::JobCompleted { record, signature } => self.told_end(agent, job, record, signature),
            _ => {}
        }
    }

    fn told_beat(&self, agent: Address, job: JobId, beat: &BeatJson, signature: &SignatureBytes) {
        let wall = now();
        let lately = beat.at.saturating_add(RESUME_WITHIN.0) >= wall && beat.at <= wall + FRESH_S;
        let names = beat.agent == agent && beat.jobs.contains(&B256::from(job.0));
        // The signature last: it costs most, and it is looked at only for a job that is watched.
        if lately
            && names
            && self.inbox().heard.get(&job).is_some_and(|heard| heard.agent == agent && beat.at > heard.signed)
            && self.domain.signer(&Beat::from(beat), signature) == Some(agent)
        {
            self.inbox().beat(agent, job, beat.at);
        }
    }

    fn told_ready(&self, agent: Address, job: JobId, record: &ReadyRecord, signature: &SignatureBytes) {
        if document(record).is_ok_and(|document| document.bytes.len() <= RECORD_BYTES_MAX) {
            self.inbox().ready.put(agent, job, (record.clone(), *signature));
            self.wake.notify_one();
        }
    }

    fn told_end(&self, agent: Address, job: JobId, record: &CompletionRecord, signature: &SignatureBytes) {
        if let Ok(document) = document(record)
            && document.bytes.len() <= RECORD_BYTES_MAX
            && record.attested(&self.domain, job, agent, signature).is_ok()
            && record.job_id.0 == job.0
        {
            self.inbox().completed.put(agent, job, (document, *signature));
            self.wake.notify_one();
        }
    }

    /// Until a record came.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// From now on the beats of exactly these jobs count, when they come from these agents.
    pub(super) fn count(&self, jobs: HashMap<JobId, Address>) {
        let heard = &mut self.inbox().heard;
        heard.retain(|job, heard| jobs.get(job) == Some(&heard.agent));
        for (job, agent) in jobs {
            heard.entry(job).or_insert(Heard { agent, at: None, signed: 0 });
        }
    }

    /// When the newest beat of a job came.
    pub(super) fn heard(&self, job: JobId) -> Option<Moment> {
        self.inbox().heard.get(&job).and_then(|heard| heard.at)
    }

    /// The last readiness record of a job, and which agent told it.
    pub(super) fn ready(&self, job: JobId) -> Option<(Address, (ReadyRecord, SignatureBytes))> {
        self.inbox().ready.get(job)
    }

    /// The completion records that wait for their jobs' ends on chain.
    pub(super) fn completed(&self) -> Vec<(JobId, (Document, SignatureBytes))> {
        self.inbox().completed.all()
    }

    /// Such a record waits no longer, unless the agent has told another one meanwhile.
    pub(super) fn settled(&self, job: JobId, digest: B256) {
        let completed = &mut self.inbox().completed;
        if completed.get(job).is_some_and(|(_, (record, _))| record.digest == digest) {
            completed.remove(job);
        }
    }

    /// The chain's time now; none until it was read.
    pub(super) fn moment(&self) -> Option<Moment> {
        self.inbox().clock.map(|clock| clock.at(Instant::now()))
    }

    /// Block `number` of time `at` is there. True when what was dated so far was dated too early.
    pub(super) fn reached(&self, number: u64, at: market::Timestamp) -> bool {
        let now = Instant::now();
        match &mut self.inbox().clock {
            Some(clock) => clock.reached(number, at, now),
            clock => {
                *clock = Some(BlockClock::new(number, at, now));
                false
            }
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // No change under this lock can panic half-way.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// A beat counts when the job's own agent signed it after the one before.
    fn beat(&mut self, agent: Address, job: JobId, at: u64) {
        let Some(clock) = self.clock else {
            return;
        };
        if let Some(heard) = self.heard.get_mut(&job).filter(|heard| heard.agent == agent && at > heard.signed) {
            // One that is dated ahead must not make those after it old.
            heard.signed = at.min(now());
            heard.at = Some(clock.at(Instant::now()));
        }
    }
}

/// Documents that wait for the chain, the newest of each job. Nobody can crowd out others with his own.
struct Waiting<T> {
    jobs: HashMap<JobId, (Address, T)>,
    order: VecDeque<JobId>,
    max: usize,
}

impl<T: Clone> Waiting<T> {
    fn new(max: usize) -> Self {
        Self { jobs: HashMap::new(), order: VecDeque::new(), max }
    }

    fn put(&mut self, agent: Address, job: JobId, document: T) {
        self.remove(job);
        let own = |job: &&JobId| self.jobs.get(job).is_some_and(|(of, _)| *of == agent);
        let crowded = if self.order.iter().filter(own).count() >= RECORDS_OF_AGENT_MAX {
            self.order.iter().find(own).copied()
        } else {
            self.order.front().copied().filter(|_| self.order.len() >= self.max)
        };
        if let Some(oldest) = crowded {
            self.remove(oldest);
        }
        self.order.push_back(job);
        self.jobs.insert(job, (agent, document));
    }

    fn get(&self, job: JobId) -> Option<(Address, T)> {
        self.jobs.get(&job).cloned()
    }

    fn all(&self) -> Vec<(JobId, T)> {
        self.jobs.iter().map(|(job, (_, document))| (*job, document.clone())).collect()
    }

    fn remove(&mut self, job: JobId) {
        if self.jobs.remove(&job).is_some() {
            self.order.retain(|other| *other != job);
        }
    }
}

#[cfg(test)]
mod tests {
    use chain::Wallet;
    use market::Timestamp;
    use wire::signed::Attest;

    use super::*;

    const JOB: JobId = JobId([7; 32]);

    fn watch(agent: Address) -> Watch {
        let domain = Domain { chain_id: 1, market: Address::repeat_byte(1) };
        let watch = Watch::new(domain, &Limits::default());
        assert!(!watch.reached(1, Timestamp(1000)));
        watch.count(HashMap::from([(JOB, agent)]));
        watch
    }

    #[test]
    fn a_beat_counts_once_and_only_the_job_s_own_agent_s() {
        let (own, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let watch = watch(own);
        let now = now();
        watch.beat(other, &[JOB], now);
        assert_eq!(watch.heard(JOB), None);
        watch.beat(own, &[JOB], now - 5);
        let first = watch.heard(JOB);
        assert!(first.is_some());
        for replayed in [now - 5, now - 6] {
            watch.beat(own, &[JOB], replayed);
            assert_eq!(watch.heard(JOB), first);
        }
        watch.turned_away(other);
        assert_eq!(watch.heard(JOB), first);
        watch.turned_away(own);
        assert!(watch.heard(JOB).unwrap().real > first.unwrap().real);
        watch.count(HashMap::from([(JOB, other)]));
        assert_eq!(watch.heard(JOB), None, "what the one before said does not count for the new one");
    }

    #[test]
    fn a_beat_among_a_job_s_news_names_the_job_and_is_not_old() {
        let agent = Wallet::random();
        let watch = watch(agent.address());
        let tell = |at: u64, jobs: &[JobId]| {
            let beat = BeatJson {
                agent: agent.address(),
                at,
                jobs: jobs.iter().map(|job| B256::from(job.0)).collect(),
                utilisation_pct: 1,
                memory_mib: 2,
                temperature_c: 3,
                power_w: 4,
                uptime_s: 5,
            };
            let signature = agent.sign(&watch.domain, &Beat::from(&beat)).unwrap();
            watch.news(agent.address(), JOB, &JobNews::JobBeat { beat, signature });
            watch.heard(JOB).is_some()
        };
        let now = now();
        assert!(!tell(now, &[]) && !tell(now, &[JobId([8; 32])]), "another job's");
        assert!(!tell(now - RESUME_WITHIN.0 - 5, &[JOB]) && !tell(now + FRESH_S + 60, &[JOB]), "of another time");
        assert!(tell(now - RESUME_WITHIN.0 + 60, &[JOB]));
    }

    #[test]
    fn a_record_waits_only_with_its_agent_s_signature() {
        let (agent, stranger) = (Wallet::random(), Wallet::random());
        let watch = watch(agent.address());
        let job_id = B256::from(JOB.0);
        let record =
            CompletionRecord { job_id, exit_code: Some(0), reason: None, result: None, log: None, simulated: true };
        let attest = Attest { jobId: job_id, digest: document(&record).unwrap().digest };
        for signer in [&stranger, &agent] {
            assert!(watch.completed().is_empty());
            let signature = signer.sign(&watch.domain, &attest).unwrap();
            watch.news(agent.address(), JOB, &JobNews::JobCompleted { record: record.clone(), signature });
        }
        assert_eq!(watch.completed().len(), 1);
    }

    #[test]
    fn an_agent_crowds_out_its_own_records_first() {
        let mut waiting = Waiting::new(RECORDS_OF_AGENT_MAX + 2);
        let job = |number: usize| JobId(alloy_primitives::U256::from(number).to_be_bytes());
        waiting.put(Address::repeat_byte(1), job(1), "first");
        (10..10 + 2 * RECORDS_OF_AGENT_MAX).for_each(|number| waiting.put(Address::repeat_byte(2), job(number), "n"));
        assert_eq!(waiting.all().len(), RECORDS_OF_AGENT_MAX + 1);
        assert!(waiting.get(job(1)).is_some() && waiting.get(job(10)).is_none());
        (2..9).for_each(|number| waiting.put(Address::repeat_byte(3), job(number), "n"));
        assert_eq!(waiting.all().len(), RECORDS_OF_AGENT_MAX + 2);
        waiting.remove(job(8));
        assert_eq!(waiting.order.len(), waiting.all().len());
    }
}
