//! A proof as a file that anybody can check again, without a card and without asking anybody.
//!
//! What it proves is what the oracle vouches for: that the challenge was fresh, how long the answer took, and that the audit
//! was drawn after the root. All else is computed again.

use std::time::Duration;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use wire::{Document, SignatureBytes, signed::GpuReport};

use crate::{
    Answer, Audit, Challenge, Check, Claim, Line, Openings, ProofError, REPORT_BYTES_MAX, Session, Verdict, examine,
    session::{check_answer, check_time},
};

/// The only version there is.
pub const VERSION: u32 = 1;
/// What the file says it is.
pub const KIND: &str = "bourse proof of GPU";
/// The longest name of a card.
pub const DEVICE_BYTES_MAX: usize = 256;

/// A report and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    /// What was asked, answered and found.
    pub document: ReportDocument,
    /// The oracle's signature (`GpuReport`) over the canonical document's sha2-256.
    pub signature: SignatureBytes,
}

/// What was asked, answered and found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportDocument {
    /// [`KIND`].
    pub kind: String,
    /// [`VERSION`].
    pub version: u32,
    /// Who asked, timed and checked.
    pub oracle: Address,
    /// What was asked.
    pub challenge: Challenge,
    /// The oracle's signature over it.
    pub challenge_signature: SignatureBytes,
    /// What was answered, signed by the agent.
    pub answer: Answer,
    /// Microseconds from sending the challenge to receiving the root, by the oracle's clock.
    pub elapsed_us: u64,
    /// Products of words in a second, the way there and back included: a lower bound of what computed them.
    pub products_per_s: u64,
    /// Bytes that a prover holds while it computes. That it held them is not proved.
    pub memory_bytes: u64,
    /// The card by its name, as the provider tells it: self-reported.
    pub device: String,
    /// What was looked at; absent where it did not come to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// What was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openings: Option<Openings>,
    /// What may be said of the card; absent where the proof was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// What the oracle checked, in order.
    pub lines: Vec<Line>,
}

impl ReportDocument {
    /// The report of a session that has come to its verdict; nothing where no answer ever came.
    pub fn of(session: &Session, oracle: Address, device: &str) -> Option<Self> {
        let (verdict, (answer, elapsed)) = (session.verdict()?, session.answer()?);
        let sent = session.challenge();
        let shape = sent.challenge.shape().ok()?;
        let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let end = device.floor_char_boundary(DEVICE_BYTES_MAX);
        Some(Self {
            kind: KIND.into(),
            version: VERSION,
            oracle,
            challenge: sent.challenge.clone(),
            challenge_signature: sent.signature,
            answer: answer.clone(),
            elapsed_us,
            products_per_s: rate(shape.products(), elapsed_us),
            memory_bytes: shape.memory_bytes(),
            device: device[..end].to_owned(),
            audit: session.audited().map(|(audit, _)| audit.clone()),
            openings: session.audited().map(|(_, openings)| openings.clone()),
            claim: verdict.claim(),
            lines: verdict.lines.clone(),
        })
    }

    /// The canonical bytes, and what the oracle signs.
    pub fn statement(&self) -> Result<(Document, GpuReport), ProofError> {
        let document = wire::document(self)?;
        let digest = document.digest;
        Ok((document, GpuReport { digest }))
    }
}

impl Report {
    /// Reads a file.
    pub fn read(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() as u64 > REPORT_BYTES_MAX {
            return Err(ProofError::Report(format!(
                "{} bytes are no report: {REPORT_BYTES_MAX} are the most",
                bytes.len()
            )));
        }
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
            version: u32,
        }
        #[derive(Deserialize)]
        struct Outside {
            document: Kind,
        }
        let malformed = |error: serde_json::Error| ProofError::Report(format!("this is no report of a proof: {error}"));
        let Outside { document } = serde_json::from_slice(bytes).map_err(malformed)?;
        if document.kind != KIND {
            return Err(ProofError::Report(format!("this is a {:?}, not a {KIND:?}", document.kind)));
        }
        if document.version != VERSION {
            return Err(ProofError::Report(format!(
                "this report has version {}, and the newest one known here is {VERSION}: take a newer program",
                document.version
            )));
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    /// Checks everything again. `believed` is the oracle whose word counts; without one, the word of the one that it names.
    #[must_use]
    pub fn verify(&self, believed: Option<Address>) -> Verdict {
        let mut verdict = Verdict::default();
        if self.check_limits(&mut verdict) && self.check_oracle(believed, &mut verdict) {
            self.replay(&mut verdict);
        }
        verdict
    }

    fn check_limits(&self, verdict: &mut Verdict) -> bool {
        let it = &self.document;
        let shape = it.challenge.shape();
        let known = it.kind == KIND && it.version == VERSION && it.device.len() <= DEVICE_BYTES_MAX;
        let detail = match &shape {
            Err(error) => error.to_string(),
            Ok(shape) => format!("version {}, {} products of size {}", it.version, shape.rounds(), shape.size()),
        };
        verdict.add(Check::Limits, known && shape.is_ok(), detail)
    }

    fn check_oracle(&self, believed: Option<Address>, verdict: &mut Verdict) -> bool {
        let (it, domain) = (&self.document, self.document.challenge.domain());
        let same = believed.is_none_or(|believed| believed == it.oracle);
        let asked = domain.verify(&it.challenge.statement(), &it.challenge_signature, it.oracle);
        let detail = match &asked {
            _ if !same => format!("{} asked, whom you do not believe", it.oracle),
            Err(error) => error.to_string(),
            Ok(()) => format!("{} asked, on chain {}", it.oracle, it.challenge.chain_id),
        };
        if !verdict.add(Check::Oracle, same && asked.is_ok(), detail) {
            return false;
        }
        let vouched = it.statement().and_then(|(_, said)| Ok(domain.verify(&said, &self.signature, it.oracle)?));
        let detail = match &vouched {
            Err(error) => error.to_string(),
            Ok(()) => format!("{} vouches for freshness, time and audit", it.oracle),
        };
        verdict.add(Check::Report, vouched.is_ok(), detail)
    }

    /// Computes again what was found, and holds it against what is written.
    fn replay(&self, verdict: &mut Verdict) {
        let it = &self.document;
        let mut again = Verdict::default();
        let elapsed = Duration::from_micros(it.elapsed_us);
        if check_answer(&it.challenge, &it.answer, it.challenge.agent, &mut again)
            && check_time(it.challenge.deadline_ms, Some(elapsed), &mut again)
        {
            match (&it.audit, &it.openings) {
                (Some(audit), Some(openings)) => {
                    if let Err(error) = examine(&it.challenge, it.answer.root, audit, openings, &mut again) {
                        again.add(Check::Limits, false, error.to_string());
                    }
                }
                _ => {
                    again.add(Check::Openings, false, "nothing was opened");
                }
            }
        }
        // What the cards beside this one did is only in their own reports.
        if let Some(beside) = it.lines.iter().find(|line| line.check == Check::Together) {
            again.add(beside.check, beside.holds, &*beside.detail);
        }
        let rate = it.challenge.shape().map_or(0, |shape| rate(shape.products(), it.elapsed_us));
        let memory = it.challenge.shape().map_or(0, crate::Shape::memory_bytes);
        let same = (it.claim, it.products_per_s, it.memory_bytes) == (again.claim(), rate, memory);
        verdict.lines.append(&mut again.lines);
        let detail = if same { "says what follows from it" } else { "says something else than follows from it" };
        verdict.add(Check::Report, same, detail);
    }
}

fn rate(products: u64, elapsed_us: u64) -> u64 {
    u64::try_from(u128::from(products) * 1_000_000 / u128::from(elapsed_us.max(1))).unwrap_or(u64::MAX)
}
