//! The oracle's side of one proof, as a table of states. Moments come from the oracle's own clock, randomness from whoever
//! calls; nothing that a prover says about time is read.

use std::time::Duration;

use alloy_primitives::{Address, B256};

use crate::{
    AUDIT_WITHIN, Answer, Audit, AuditConfig, Challenge, Check, Openings, ProofError, SignedChallenge, Verdict, examine,
};

/// Microseconds on a clock that only goes forward, from any beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// How long after `earlier` this is; nothing where the clock went backward.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_micros)
    }
}

/// One proof, from the challenge that was sent to the verdict.
#[derive(Clone, Debug)]
pub struct Session {
    sent: SignedChallenge,
    sent_at: Moment,
    config: AuditConfig,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The root is awaited.
    Sent,
    /// The root was in time; columns are awaited.
    Auditing { answer: Answer, elapsed: Duration, audit: Audit, since: Moment },
    /// There is a verdict.
    Done { answer: Option<(Answer, Duration)>, audited: Option<(Audit, Openings)>, verdict: Verdict },
}

impl Session {
    /// A challenge leaves now.
    pub fn send(sent: SignedChallenge, config: AuditConfig, now: Moment) -> Result<Self, ProofError> {
        let shape = sent.challenge.shape()?;
        // Refused now, an audit that nobody could answer costs nobody a computation.
        Audit::new(B256::ZERO, config).plan(shape, B256::ZERO, B256::ZERO)?;
        Ok(Self { sent, sent_at: now, config, state: State::Sent })
    }

    /// The root came. `nonce` is random and was drawn after it; what follows is sent to the prover.
    pub fn answered(&mut self, answer: &Answer, now: Moment, nonce: B256) -> Result<&Audit, ProofError> {
        if !matches!(self.state, State::Sent) {
            return Err(ProofError::OutOfTurn { what: "an answer" });
        }
        let mut verdict = Verdict::default();
        let elapsed = now.since(self.sent_at);
        let known = check_answer(&self.sent.challenge, answer, self.sent.challenge.agent, &mut verdict)
            && check_time(self.sent.challenge.deadline_ms, elapsed, &mut verdict);
        let elapsed = elapsed.unwrap_or_default();
        if !known {
            let refused = ProofError::refused(&verdict);
            self.state = State::Done { answer: Some((answer.clone(), elapsed)), audited: None, verdict };
            return Err(refused);
        }
        let audit = Audit::new(nonce, self.config);
        self.state = State::Auditing { answer: answer.clone(), elapsed, audit, since: now };
        match &self.state {
            State::Auditing { audit, .. } => Ok(audit),
            _ => Err(ProofError::OutOfTurn { what: "an answer" }),
        }
    }

    /// The columns came.
    pub fn opened(&mut self, openings: Openings, now: Moment) -> Result<&Verdict, ProofError> {
        let State::Auditing { answer, elapsed, audit, since } = &self.state else {
            return Err(ProofError::OutOfTurn { what: "an opening" });
        };
        let mut verdict = Verdict::default();
        let challenge = &self.sent.challenge;
        let known = check_answer(challenge, answer, challenge.agent, &mut verdict)
            && check_time(challenge.deadline_ms, Some(*elapsed), &mut verdict);
        let in_time = now.since(*since).is_some_and(|waited| waited <= AUDIT_WITHIN);
        if known && !in_time {
            verdict.add(Check::Openings, false, format!("not within {} s", AUDIT_WITHIN.as_secs()));
        } else if known {
            examine(challenge, answer.root, audit, &openings, &mut verdict)?;
        }
        self.state = State::Done {
            answer: Some((answer.clone(), *elapsed)),
            audited: in_time.then(|| (audit.clone(), openings)),
            verdict,
        };
        self.verdict().ok_or(ProofError::OutOfTurn { what: "an opening" })
    }

    /// Looks whether what is awaited is overdue, and refuses then.
    pub fn waited(&mut self, now: Moment) -> Option<&Verdict> {
        let (check, answer) = match &self.state {
            State::Sent if is_over(self.sent_at, self.deadline(), now) => (Check::Deadline, None),
            State::Auditing { since, answer, elapsed, .. } if is_over(*since, AUDIT_WITHIN, now) => {
                (Check::Openings, Some((answer.clone(), *elapsed)))
            }
            State::Done { .. } => return self.verdict(),
            _ => return None,
        };
        let mut verdict = Verdict::default();
        verdict.add(check, false, "nothing came in time");
        self.state = State::Done { answer, audited: None, verdict };
        self.verdict()
    }

    /// What was found, once it is known.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.state {
            State::Done { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// What was sent.
    #[must_use]
    pub fn challenge(&self) -> &SignedChallenge {
        &self.sent
    }

    /// The answer and how long it took, once it is there.
    #[must_use]
    pub fn answer(&self) -> Option<(&Answer, Duration)> {
        match &self.state {
            State::Sent => None,
            State::Auditing { answer, elapsed, .. } => Some((answer, *elapsed)),
            State::Done { answer, .. } => answer.as_ref().map(|(answer, elapsed)| (answer, *elapsed)),
        }
    }

    /// What was looked at, once it was.
    #[must_use]
    pub fn audited(&self) -> Option<(&Audit, &Openings)> {
        match &self.state {
            State::Done { audited, .. } => audited.as_ref().map(|(audit, openings)| (audit, openings)),
            _ => None,
        }
    }

    /// A verdict about the whole group takes this one's place.
    pub(crate) fn refuse(&mut self, check: Check, detail: &str) {
        if let State::Done { verdict, .. } = &mut self.state {
            verdict.add(check, false, detail);
        }
    }

    fn deadline(&self) -> Duration {
        Duration::from_millis(self.sent.challenge.deadline_ms.into())
    }
}

impl ProofError {
    fn refused(verdict: &Verdict) -> Self {
        let line = verdict.lines.iter().find(|line| !line.holds);
        line.map_or(Self::OutOfTurn { what: "a refusal" }, |line| Self::Refused {
            check: line.check,
            detail: line.detail.clone(),
        })
    }
}

fn is_over(since: Moment, limit: Duration, now: Moment) -> bool {
    now.since(since).is_some_and(|waited| waited > limit)
}

/// The answer is to this challenge, from the agent and about the card that were asked.
pub(crate) fn check_answer(challenge: &Challenge, answer: &Answer, agent: Address, verdict: &mut Verdict) -> bool {
    let digest = challenge.digest();
    let same = answer.challenge == digest;
    let detail = if same { format!("{digest}") } else { format!("answers {}, not {digest}", answer.challenge) };
    if !verdict.add(Check::Challenge, same, detail) {
        return false;
    }
    let same = answer.card == challenge.card;
    let detail = if same { format!("{}", answer.card) } else { format!("{} computed", answer.card) };
    if !verdict.add(Check::Card, same, detail) {
        return false;
    }
    let signed = challenge.domain().verify(&answer.statement(), &answer.signature, agent);
    verdict.add(
        Check::Agent,
        signed.is_ok(),
        signed.err().map_or_else(|| format!("{agent} signed"), |err| err.to_string()),
    )
}

/// The root came after the challenge had left, and in time.
pub(crate) fn check_time(deadline_ms: u32, elapsed: Option<Duration>, verdict: &mut Verdict) -> bool {
    let Some(elapsed) = elapsed else {
        return verdict.add(Check::Clock, false, "the answer was there before the challenge");
    };
    verdict.add(Check::Clock, true, "one clock, the oracle's")
        && verdict.add(
            Check::Deadline,
            elapsed <= Duration::from_millis(deadline_ms.into()),
            format!("after {:.1} ms, limit {deadline_ms} ms", elapsed.as_secs_f64() * 1e3),
        )
}
