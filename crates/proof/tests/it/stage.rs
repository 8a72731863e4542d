//! Keys, a challenge and a prover that computes on this processor.

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolStruct;
use proof::{
    Answer, AuditConfig, Challenge, Check, Layers, Moment, Openings, ProofError, Prover, Report, Session,
    SignedChallenge, Verdict, report::ReportDocument,
};
use secp256k1::{Message, SECP256K1, SecretKey};
use wire::{Domain, SignatureBytes};

pub(crate) const CARD: B256 = B256::repeat_byte(0xca);
pub(crate) const DEADLINE_MS: u32 = 1_000;
/// The audit that follows every root, where a test does not say otherwise.
pub(crate) const NONCE: B256 = B256::repeat_byte(0xa0);

/// A key.
pub(crate) struct Key(SecretKey);

impl Key {
    pub(crate) fn new(byte: u8) -> Self {
        Self(SecretKey::from_byte_array([byte; 32]).unwrap())
    }

    pub(crate) fn address(&self) -> Address {
        let public = self.0.public_key(SECP256K1).serialize_uncompressed();
        Address::from_slice(&keccak256(&public[1..])[12..])
    }

    pub(crate) fn sign(&self, domain: Domain, statement: &impl SolStruct) -> SignatureBytes {
        let hash = domain.signing_hash(statement);
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.0);
        let (id, compact) = signature.serialize_compact();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = 27 + u8::try_from(i32::from(id)).unwrap();
        SignatureBytes(bytes)
    }
}

/// Both sides' keys.
pub(crate) struct Stage {
    pub(crate) oracle: Key,
    pub(crate) agent: Key,
    pub(crate) config: AuditConfig,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { oracle: Key::new(1), agent: Key::new(2), config: AuditConfig { columns: 8, vectors: 32 } }
    }

    /// A challenge with this nonce, of three products of size 192: three tiles a column.
    pub(crate) fn challenge(&self, nonce: u8) -> Challenge {
        Challenge {
            chain_id: 31_337,
            market: Address::repeat_byte(7),
            nonce: B256::repeat_byte(nonce),
            agent: self.agent.address(),
            card: CARD,
            group: B256::ZERO,
            size: 192,
            rounds: 3,
            deadline_ms: DEADLINE_MS,
            at: 1_790_000_000,
        }
    }

    pub(crate) fn sign(&self, challenge: Challenge) -> SignedChallenge {
        let signature = self.oracle.sign(challenge.domain(), &challenge.statement());
        SignedChallenge { challenge, signature }
    }

    pub(crate) fn send(&self, challenge: &Challenge) -> Session {
        Session::send(self.sign(challenge.clone()), self.config, Moment(0)).unwrap()
    }

    pub(crate) fn prover(&self, challenge: &Challenge) -> Prover {
        Prover::take(self.sign(challenge.clone()), self.oracle.address(), self.agent.address(), &[challenge.card])
            .unwrap()
    }

    /// The agent's answer with what it has.
    pub(crate) fn answer(&self, challenge: &Challenge, layers: &Layers) -> Answer {
        let statement = challenge.answer(layers.tree().root());
        Answer::new(&statement, self.agent.sign(challenge.domain(), &statement))
    }

    /// What the agent shows of what it has, whatever that is.
    pub(crate) fn open(
        &self,
        challenge: &Challenge,
        layers: &mut Layers,
        session: &mut Session,
        at: Moment,
    ) -> Verdict {
        let answer = self.answer(challenge, layers);
        let audit = match session.answered(&answer, at, NONCE) {
            Ok(audit) => audit.clone(),
            Err(ProofError::Refused { .. }) => return session.verdict().unwrap().clone(),
            Err(error) => panic!("{error}"),
        };
        let shape = challenge.shape().unwrap();
        let plan = audit.plan(shape, challenge.digest(), answer.root).unwrap();
        let openings = Openings::collect(shape, &plan, &layers.tree(), layers).unwrap();
        session.opened(openings, at).unwrap().clone()
    }

    /// A prover that commits to `layers` within the deadline.
    pub(crate) fn judge(&self, challenge: &Challenge, layers: &mut Layers) -> Verdict {
        self.open(challenge, layers, &mut self.send(challenge), Moment(500_000))
    }

    /// The report of a session that is over.
    pub(crate) fn report(&self, session: &Session) -> Report {
        self.vouch(ReportDocument::of(session, self.oracle.address(), "a card").unwrap())
    }

    pub(crate) fn vouch(&self, document: ReportDocument) -> Report {
        let (_, statement) = document.statement().unwrap();
        let signature = self.oracle.sign(document.challenge.domain(), &statement);
        Report { document, signature }
    }
}

/// The chain as it should be.
pub(crate) fn computed(challenge: &Challenge) -> Layers {
    Layers::compute(&challenge.key(), challenge.shape().unwrap())
}

#[track_caller]
pub(crate) fn refused(verdict: &Verdict, at: Check) {
    assert_eq!(verdict.refused_at(), Some(at), "{:#?}", verdict.lines);
    assert_eq!(verdict.claim(), None);
}
