//! The documents: pure functions of a job's final events and of facts that never change.

use alloy_primitives::{Address, B256};
use market::{Hardware, JobId, Outcome, Settlement, Timestamp, rules::DISPUTE_WINDOW};
use wire::{
    Document, TermsJson,
    http::{Money, OutcomeJson},
    receipt::{ReceiptCost, ReceiptDocument, ReceiptKind, ReceiptMetadata, ReceiptVerdict, VERSION},
};

use super::{Dated, Life, Ruling, life::End};
use crate::OracleError;

/// What is run: an image with a command. There is no other task yet.
pub const TASK_TYPE: &str = "container";

/// What a document needs beside the job's own events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The chain.
    pub chain_id: u64,
    /// The Market contract.
    pub market: Address,
    /// Its settlement token.
    pub token: Address,
    /// The listing's hardware.
    pub hardware: Hardware,
    /// The key that ran the provider's jobs when the event happened.
    pub agent: Address,
}

/// Money was locked: from the order alone, whatever came after it.
pub fn submitted(job: JobId, history: &[Dated], facts: &Facts) -> Result<ReceiptDocument, OracleError> {
    let kind = ReceiptKind::JobSubmitted;
    let life = ordered(job, history, facts).ok_or(OracleError::NotYet { job, kind })?;
    let metadata = ReceiptMetadata {
        status: status(kind, Outcome::None).into(),
        estimated_duration: life.terms.maxDuration.into(),
        ..metadata(job, &life, facts)?
    };
    write(kind, job, &life, facts, life.created_at, metadata, None)
}

/// The clock ended: what it cost as it ended, which may be disputed for a while. A job that never ran has no such document.
pub fn completed(job: JobId, history: &[Dated], facts: &Facts) -> Result<ReceiptDocument, OracleError> {
    let kind = ReceiptKind::JobCompleted;
    let life = ordered(job, history, facts).ok_or(OracleError::NotYet { job, kind })?;
    let end = life.end.clone().ok_or(OracleError::NotYet { job, kind })?;
    life.agrees(job)?;
    let until = end.at.after(DISPUTE_WINDOW);
    ended(kind, (job, &life, &end), facts, (end.at, until), &end.told)
}

/// A dispute was decided: what the job cost in the end.
pub fn resolved(job: JobId, history: &[Dated], facts: &Facts) -> Result<ReceiptDocument, OracleError> {
    let kind = ReceiptKind::JobResolved;
    let not_yet = || OracleError::NotYet { job, kind };
    let life = ordered(job, history, facts).ok_or_else(not_yet)?;
    let (end, ruling) = life.end.clone().zip(life.ruling.clone()).ok_or_else(not_yet)?;
    life.agrees(job)?;
    let document = ended(kind, (job, &life, &end), facts, (ruling.at, ruling.at), &ruling.told)?;
    Ok(ReceiptDocument { verdict: Some(verdict(&ruling, facts.token)), ..document })
}

/// A verdict as documents write it.
pub(super) fn verdict(ruling: &Ruling, token: Address) -> ReceiptVerdict {
    let money = |amount| Money::new(amount, token);
    ReceiptVerdict {
        provider_bps: ruling.provider.0,
        pot: money(ruling.pot),
        returned: money(ruling.returned),
        from_cover: money(ruling.from_cover),
        evidence_cid: ruling.evidence.clone(),
    }
}

fn ended(
    kind: ReceiptKind,
    (job, life, end): (JobId, &Life, &End),
    facts: &Facts,
    (at, until): (Timestamp, Timestamp),
    split: &Settlement,
) -> Result<ReceiptDocument, OracleError> {
    let started_at = life.started_at.ok_or(OracleError::Missing { job, what: "the start" })?;
    let output_hash = output(end);
    let metadata = ReceiptMetadata {
        status: status(kind, end.outcome).into(),
        outcome: OutcomeJson::of(end.outcome),
        duration: Some(end.seconds.0),
        started_at: Some(time(job, started_at)?),
        output_hash,
        output_cid: output_hash
            .map(|digest| Ok::<_, OracleError>(Document::cid_of(digest)?.to_string()))
            .transpose()?,
        ..metadata(job, life, facts)?
    };
    let money = |amount| Money::new(amount, facts.token);
    let cost = ReceiptCost {
        locked: money(life.locked),
        paid: money(split.paid),
        fee: money(split.fee),
        refunded: money(split.refunded),
        disputable_until: time(job, until)?,
    };
    write(kind, job, life, facts, at, metadata, Some(cost))
}

/// How a document puts an end into one word.
#[must_use]
pub fn status(kind: ReceiptKind, outcome: Outcome) -> &'static str {
    if kind == ReceiptKind::JobSubmitted {
        return "submitted";
    }
    match outcome {
        Outcome::Failed => "failed",
        Outcome::StoppedByRenter => "stopped",
        Outcome::AbortedByProvider => "aborted",
        Outcome::Silent => "silent",
        Outcome::Disputed => "disputed",
        Outcome::None | Outcome::Succeeded => "completed",
    }
}

/// The digest of the agent's record, where it left one.
pub(super) fn output(end: &End) -> Option<B256> {
    Some(B256::from(end.result_digest)).filter(|digest| !digest.is_zero())
}

/// A block's time as documents write it.
pub(super) fn time(job: JobId, at: Timestamp) -> Result<jiff::Timestamp, OracleError> {
    let seconds = i64::try_from(at.0).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    seconds.ok_or(OracleError::Missing { job, what: "a block time between the years 1970 and 9999" })
}

/// The job's life, if its terms are the ones that its name was made from.
fn ordered(job: JobId, history: &[Dated], facts: &Facts) -> Option<Life> {
    Life::read(job, history).filter(|life| life.terms.job_id(facts.chain_id, facts.market) == job)
}

fn metadata(job: JobId, life: &Life, facts: &Facts) -> Result<ReceiptMetadata, OracleError> {
    if facts.agent.is_zero() {
        return Err(OracleError::Missing { job, what: "the agent" });
    }
    let duration = life.terms.stream(life.extra, life.fee).duration;
    Ok(ReceiptMetadata {
        gpu_type: facts.hardware.model.clone(),
        gpu_count: facts.hardware.gpus,
        input_hash: Document::cid_of(life.terms.specDigest)?.to_string(),
        estimated_duration: duration.0,
        status: String::new(),
        outcome: None,
        duration: None,
        started_at: None,
        output_hash: None,
        output_cid: None,
    })
}

fn write(
    kind: ReceiptKind,
    job: JobId,
    life: &Life,
    facts: &Facts,
    at: Timestamp,
    metadata: ReceiptMetadata,
    cost: Option<ReceiptCost>,
) -> Result<ReceiptDocument, OracleError> {
    Ok(ReceiptDocument {
        version: VERSION,
        event_type: kind,
        job_id: B256::from(job.0),
        task_type: TASK_TYPE.into(),
        executor: facts.agent,
        occurred_at: time(job, at)?,
        idempotency_key: kind.idempotency_key(job),
        chain_id: facts.chain_id,
        market: facts.market,
        terms: TermsJson::from(&life.terms),
        simulated: facts.hardware.simulated,
        metadata,
        cost,
        verdict: None,
    })
}
