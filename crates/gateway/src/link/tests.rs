//! The table of steps of a link.

use chain::Wallet;
use wire::{HardwareJson, TermsJson, feed::JobNews, feed::Phase};

use super::*;

const NOW: u64 = 1_800_000_000;
const HERE: &str = "http://gate.example";
const NONCE: B256 = B256::repeat_byte(7);

struct Agent {
    wallet: Wallet,
    rules: Rules,
}

impl Agent {
    fn new() -> Self {
        let domain = Domain { chain_id: 31337, market: Address::repeat_byte(9) };
        Self {
            wallet: Wallet::random(),
            rules: Rules {
                domain,
                origins: vec![HERE.into(), "https://gate.example".into()],
                jobs_max: 2,
                metrics_apart_s: 5,
            },
        }
    }

    fn resource(id: u8) -> Announced {
        let hardware = HardwareJson {
            model: "test".into(),
            gpus: 0,
            vram_mib: 0,
            cpus: 1,
            memory_mib: 1,
            disk_mib: 1,
            simulated: true,
        };
        Announced { id: B256::repeat_byte(id), hardware }
    }

    /// A hello whose signature is over `signed` and whose list is `named`.
    fn hello(&self, version: u32, nonce: B256, signed: &[u8], named: &[u8]) -> FromAgent {
        self.hello_to(HERE, version, nonce, signed, named)
    }

    fn hello_to(&self, gateway: &str, version: u32, nonce: B256, signed: &[u8], named: &[u8]) -> FromAgent {
        let gateway = gateway.to_owned();
        let resources = signed.iter().map(|id| B256::repeat_byte(*id)).collect();
        let agent = self.wallet.address();
        let hello = signed::Hello { nonce, gateway, agent, resources };
        let signature = self.wallet.sign(&self.rules.domain, &hello).unwrap();
        let resources = named.iter().map(|id| Self::resource(*id)).collect();
        FromAgent::Hello { version, agent, resources, signature }
    }

    fn beat(&self, signer: &Wallet, named: Address, at: u64) -> FromAgent {
        let beat = BeatJson {
            agent: named,
            at,
            jobs: vec![],
            utilisation_pct: 1,
            memory_mib: 2,
            temperature_c: 3,
            power_w: 4,
            uptime_s: 5,
        };
        let signature = signer.sign(&self.rules.domain, &signed::Beat::from(&beat)).unwrap();
        FromAgent::Beat { beat, signature }
    }

    fn open(&self) -> Session {
        let mut session = Session::Challenged { nonce: NONCE };
        let step = session.next(self.hello(VERSION, NONCE, &[1, 2], &[1, 2]), &self.rules, NOW);
        assert!(matches!(step, Step::Check { .. }));
        session.checked(Ok(())).unwrap();
        session
    }

    fn terms(&self, resource: u8, salt: u64) -> (JobId, TermsJson) {
        let json = TermsJson {
            renter: Address::repeat_byte(1),
            controller: Address::repeat_byte(2),
            resource_id: B256::repeat_byte(resource),
            price_per_hour: 1,
            min_charge: 0,
            max_duration: 60,
            not_before: 0,
            cancel_fee_bps: 0,
            spec_digest: B256::ZERO,
            flags: 0,
            salt,
            extra: B256::ZERO,
        };
        let domain = &self.rules.domain;
        (Terms::try_from(&json).unwrap().job_id(domain.chain_id, domain.market), json)
    }

    fn check(&self, session: &mut Session, said: FromAgent, expected: &str) {
        let found = match session.next(said, &self.rules, NOW) {
            Step::Check { .. } => "check".to_owned(),
            Step::Heard { .. } => "heard".to_owned(),
            Step::Measured { .. } => "measured".to_owned(),
            Step::Pass => "pass".to_owned(),
            Step::Announce { .. } => "announce".to_owned(),
            Step::Push { .. } => "push".to_owned(),
            Step::Sells { .. } => "sells".to_owned(),
            Step::Answered { .. } => "answered".to_owned(),
            Step::LeaseNews { .. } => "news of a lease".to_owned(),
            Step::Refuse { reason } => reason,
        };
        assert!(found.contains(expected), "{found:?} should contain {expected:?}");
        let refused = !["check", "heard", "measured", "pass", "announce", "push"].contains(&expected);
        assert_eq!(matches!(session, Session::Over), refused, "after {found:?}");
    }
}

fn event(job: JobId) -> FromAgent {
    let news = JobNews::JobStatusChanged { phase: Phase::Accepted };
    let at = "2027-01-01T00:00:00Z".parse().unwrap();
    FromAgent::Event { job: B256::from(job.0), event: JobEvent { seq: 1, at, news } }
}

#[test]
fn a_hello_must_answer_this_challenge_with_this_key_and_this_list() {
    let agent = Agent::new();
    let check = |said, expected: &str| {
        agent.check(&mut Session::Challenged { nonce: NONCE }, said, expected);
    };
    check(agent.hello(VERSION, NONCE, &[1, 2], &[1, 2]), "check");
    check(agent.hello(VERSION + 1, NONCE, &[1], &[1]), "version 1, not 2");
    check(agent.hello(VERSION, B256::ZERO, &[1], &[1]), "signature over Hello");
    check(agent.hello(VERSION, NONCE, &[1], &[2]), "signature over Hello");
    check(agent.hello(VERSION, NONCE, &[1, 2], &[2, 1]), "signature over Hello");
    check(agent.hello(VERSION, NONCE, &[1, 1], &[1, 1]), "named twice");
    check(agent.hello(VERSION, NONCE, &[], &[]), "1 to 64 resources");
    check(agent.hello(VERSION, NONCE, &[1; 65], &[1; 65]), "1 to 64 resources");
    check(agent.beat(&agent.wallet, agent.wallet.address(), NOW), "first message is a Hello");
    check(agent.hello_to("https://gate.example", VERSION, NONCE, &[1], &[1]), "check");
    check(
        agent.hello_to("https://other.example", VERSION, NONCE, &[1], &[1]),
        "this gateway is http://gate.example or",
    );
    check(agent.hello_to("", VERSION, NONCE, &[1], &[1]), "signature over Hello");

    let mut long = agent.hello(VERSION, NONCE, &[1], &[1]);
    if let FromAgent::Hello { resources, .. } = &mut long {
        resources[0].hardware.model = "x".repeat(MODEL_BYTES_MAX + 1);
    }
    check(long, "name of more than 128 bytes");
}

#[test]
fn nothing_is_heard_before_the_chain_agrees_or_after_it_did_not() {
    let agent = Agent::new();
    let mut session = Session::Challenged { nonce: NONCE };
    agent.check(&mut session, agent.hello(VERSION, NONCE, &[1], &[1]), "check");
    agent.check(&mut session, agent.beat(&agent.wallet, agent.wallet.address(), NOW), "first message is a Hello");

    let mut session = Session::Challenged { nonce: NONCE };
    agent.check(&mut session, agent.hello(VERSION, NONCE, &[1], &[1]), "check");
    assert_eq!(session.checked(Err("foreign".into())), Err("foreign".into()));
    agent.check(&mut session, agent.hello(VERSION, NONCE, &[1], &[1]), "link is over");
}

#[test]
fn beats_are_by_the_agent_and_about_now() {
    let agent = Agent::new();
    let (me, stranger) = (agent.wallet.address(), Wallet::random());
    let check = |said, expected: &str| agent.check(&mut agent.open(), said, expected);
    check(agent.beat(&agent.wallet, me, NOW), "heard");
    check(agent.beat(&agent.wallet, me, NOW - signed::FRESH_S), "heard");
    check(agent.beat(&agent.wallet, me, NOW - signed::FRESH_S - 1), "121 s ago");
    check(agent.beat(&stranger, me, NOW), "signature over Beat");
    check(agent.beat(&agent.wallet, Address::ZERO, NOW), "the hello named");
    check(agent.hello(VERSION, NONCE, &[1], &[1]), "hello was said already");
}

#[test]
fn measurements_are_about_now_about_announced_jobs_and_not_too_many() {
    let agent = Agent::new();
    let metrics = |at: u64, jobs: &[JobId]| {
        let at = jiff::Timestamp::from_second(at.try_into().unwrap()).unwrap();
        let machine = MetricsPoint { at, utilisation_pct: 1, memory_mib: 2, temperature_c: 3, power_w: 4 };
        let point = JobMetricsPoint { at, cpu_pct: 1, memory_mib: 2, gpu_pct: 3, gpu_memory_mib: 4 };
        let jobs = jobs.iter().map(|job| JobMetrics { job: B256::from(job.0), metrics: point }).collect();
        FromAgent::Metrics { machine, jobs }
    };
    let (job, terms) = agent.terms(1, 1);
    let mut session = agent.open();
    agent.check(&mut session, metrics(NOW, &[]), "measured");
    agent.check(&mut session, FromAgent::Job { terms }, "announce");
    agent.check(&mut session, metrics(NOW, &[job]), "pass");
    let later = session.next(metrics(NOW, &[job]), &agent.rules, NOW + 5);
    assert!(matches!(later, Step::Measured { jobs, .. } if jobs.len() == 1));

    let check = |said, expected: &str| agent.check(&mut agent.open(), said, expected);
    check(metrics(NOW - signed::FRESH_S - 1, &[]), "121 s ago");
    check(metrics(NOW, &[job]), "not announced on this link");
}

#[test]
fn only_jobs_of_its_own_resources_and_only_so_many() {
    let agent = Agent::new();
    let mut session = agent.open();
    let (first, terms) = agent.terms(1, 1);
    agent.check(&mut session, FromAgent::Job { terms: terms.clone() }, "announce");
    agent.check(&mut session, FromAgent::Job { terms: agent.terms(2, 2).1 }, "announce");
    agent.check(&mut session, FromAgent::Job { terms }, "announce");
    agent.check(&mut session, event(first), "push");
    agent.check(&mut session, FromAgent::Job { terms: agent.terms(1, 3).1 }, "more than 2 jobs");

    let check = |said, expected: &str| agent.check(&mut agent.open(), said, expected);
    check(FromAgent::Job { terms: agent.terms(3, 1).1 }, "which the hello did not name");
    check(event(first), "not announced on this link");
    let mut wide = agent.terms(1, 1).1;
    wide.price_per_hour = u128::MAX;
    check(FromAgent::Job { terms: wide }, "pricePerHour");
}

#[test]
fn an_agent_out_of_step_is_told_once_until_it_is_in_step_again() {
    let agent = Agent::new();
    let mut session = agent.open();
    let (job, terms) = agent.terms(1, 1);
    assert!(!session.tell(job), "unknown yet");
    agent.check(&mut session, FromAgent::Job { terms }, "announce");
    assert!(session.tell(job));
    assert!(!session.tell(job));
    session.pushed(job);
    assert!(session.tell(job));
}
