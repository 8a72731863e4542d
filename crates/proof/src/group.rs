//! Cards that are asked at once: each has to answer in a time in which one card can do the work of one.

use std::collections::BTreeSet;

use alloy_primitives::B256;

use crate::{Answer, Audit, AuditConfig, Check, Moment, Openings, ProofError, Session, SignedChallenge, Verdict};

/// Challenges of one group, all sent at one moment.
#[derive(Clone, Debug)]
pub struct Group {
    sessions: Vec<Session>,
}

impl Group {
    /// The challenges leave now. They are about different cards and carry one group's name, and none has longer than
    /// another.
    pub fn send(sent: Vec<SignedChallenge>, config: AuditConfig, now: Moment) -> Result<Self, ProofError> {
        let refused = |check, detail: &str| Err(ProofError::Refused { check, detail: detail.into() });
        let cards: BTreeSet<B256> = sent.iter().map(|sent| sent.challenge.card).collect();
        if cards.len() != sent.len() {
            return refused(Check::Distinct, "one card is in the group twice");
        }
        let terms = |sent: &SignedChallenge| {
            let it = &sent.challenge;
            (it.group, it.deadline_ms, it.size, it.rounds)
        };
        if sent.iter().any(|it| it.challenge.group == B256::ZERO || terms(it) != terms(&sent[0])) {
            return refused(Check::Together, "the challenges of a group have one name, one size and one deadline");
        }
        let sessions = sent.into_iter().map(|sent| Session::send(sent, config, now));
        Ok(Self { sessions: sessions.collect::<Result<_, _>>()? })
    }

    /// A card's root came.
    pub fn answered(&mut self, card: usize, answer: &Answer, now: Moment, nonce: B256) -> Result<&Audit, ProofError> {
        self.session(card)?.answered(answer, now, nonce)
    }

    /// A card's columns came.
    pub fn opened(&mut self, card: usize, openings: Openings, now: Moment) -> Result<&Verdict, ProofError> {
        self.session(card)?.opened(openings, now)
    }

    /// Looks whether anything is overdue.
    pub fn waited(&mut self, now: Moment) {
        for session in &mut self.sessions {
            session.waited(now);
        }
    }

    /// All verdicts, once there are all. A card that failed takes the others with it: who of them computed is not known.
    pub fn finish(mut self) -> Result<Vec<Session>, ProofError> {
        if self.sessions.iter().any(|session| session.verdict().is_none()) {
            return Err(ProofError::OutOfTurn { what: "a verdict about all" });
        }
        let refused = |session: &&Session| session.verdict().is_some_and(|verdict| verdict.refused_at().is_some());
        let failed = self.sessions.iter().filter(refused).count();
        if failed > 0 {
            let detail = format!("{failed} of {} cards that were asked at once failed", self.sessions.len());
            for session in &mut self.sessions {
                session.refuse(Check::Together, &detail);
            }
        }
        Ok(self.sessions)
    }

    fn session(&mut self, card: usize) -> Result<&mut Session, ProofError> {
        self.sessions.get_mut(card).ok_or(ProofError::OutOfTurn { what: "an answer of a card that was not asked" })
    }
}
