//! The single lines. Every field of a document belongs to exactly one of them.

use std::fmt::Display;

use market::{JobId, Settlement};
use wire::{
    Document, Domain, Terms,
    http::{Money, OutcomeJson},
    receipt::{CommitJson, DOCUMENT_BYTES_MAX, Receipt, ReceiptKind, ReceiptVerdict, Trust, VERSION},
    record::CompletionRecord,
    signed::Attest,
};

use super::Found;
use crate::receipts::{Life, Ruling, commit_body, document as written, life::End};

/// What was compared, in words: as it holds, or as it does not.
pub(super) type Checked = Result<String, String>;

/// Collects what differs, so that one line names all of it.
#[derive(Default)]
struct Compared(Vec<String>);

impl Compared {
    fn same<T: PartialEq + Display>(&mut self, what: &str, said: &T, is: &T) {
        if said != is {
            self.0.push(format!("{what} is {is}, the receipt says {said}"));
        }
    }

    fn holds(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.0.push(otherwise());
        }
    }

    fn then(self, agreed: impl FnOnce() -> String) -> Checked {
        if self.0.is_empty() { Ok(agreed()) } else { Err(self.0.join("; ")) }
    }
}

fn or_none<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// Its bytes have the names that it goes by.
pub(super) fn document(receipt: &Receipt) -> Checked {
    let document = &receipt.document;
    let named = wire::document(document).map_err(|error| error.to_string())?;
    let key = document.event_type.idempotency_key(JobId(document.job_id.0));
    let mut compared = Compared::default();
    compared.same("the CID of the document's canonical bytes", &receipt.nid, &named.cid.to_string());
    compared.same("their sha2-256", &receipt.proof_hash, &named.digest);
    compared.same("the key of this job's receipt", &document.idempotency_key, &key);
    compared.same("the version of the envelope", &receipt.version, &VERSION);
    compared.same("the version of the document", &document.version, &VERSION);
    compared.same("the task", &document.task_type, &written::TASK_TYPE.to_owned());
    let length = named.bytes.len();
    compared.holds(length <= DOCUMENT_BYTES_MAX, || format!("{length} bytes are more than {DOCUMENT_BYTES_MAX}"));
    compared.then(|| format!("{length} canonical bytes have the CID {} and the sha2-256 {}", receipt.nid, named.digest))
}

/// The verifier believes this market, and asked it.
pub(super) fn market(receipt: &Receipt, found: &Found, trust: &Trust) -> Checked {
    let (chain, market) = (receipt.document.chain_id, receipt.document.market);
    let mut compared = Compared::default();
    let trusted = trust.markets.iter().any(|it| (it.chain_id, it.market) == (chain, market));
    compared.holds(trusted, || format!("market {market} on chain {chain} is not in the trust file"));
    compared.same("the chain of the RPC endpoint", &chain, &found.chain_id);
    compared.same("the market that was asked", &market, &found.market);
    compared.then(|| format!("market {market} is trusted, and the RPC endpoint serves its chain {chain}"))
}

/// The verifier believes who committed.
pub(super) fn recorder(commit: &CommitJson, trust: &Trust) -> Checked {
    let recorder = commit.recorder;
    let mut compared = Compared::default();
    compared.holds(trust.recorders.contains(&recorder), || format!("recorder {recorder} is not in the trust file"));
    compared.then(|| format!("recorder {recorder} is trusted"))
}

/// The commit stands where it should, says what it should, and stays.
pub(super) fn commit(receipt: &Receipt, found: &Found, trust: &Trust) -> Checked {
    let Some(hint) = &receipt.commit else {
        return Err("missing: the receipt names no commit; ask for it again once it has one".into());
    };
    let document = &receipt.document;
    let (by, block) = (hint.recorder, hint.block);
    let mut compared = Compared::default();
    compared.same("the chain of the register", &hint.chain_id, &found.chain_id);
    compared.same("the register that was asked", &hint.register, &found.register);
    // A market may have had several registers; that it is trusted at all is another line's word.
    let of_market = trust.markets.iter().filter(|it| (it.chain_id, it.market) == (document.chain_id, document.market));
    let registers: Vec<_> = of_market.map(|it| it.register).collect();
    compared.holds(registers.is_empty() || registers.contains(&hint.register), || {
        let trusted = registers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        format!("the register in the trust file is {trusted}, the receipt says {}", hint.register)
    });
    let here = |commit: &&super::FoundCommit| commit.block == block && commit.tx == hint.tx;
    let Some(commit) = found.commits.iter().find(here) else {
        compared.0.push(match found.commits.first() {
            Some(moved) => format!(
                "reorganised: block {block} does not hold transaction {}; the commit is {} in block {} now",
                hint.tx, moved.tx, moved.block
            ),
            None => format!(
                "missing: neither block {block} nor a later one holds a commit of {} by {by}; it was never made, or \
                 was reorganised away",
                receipt.nid
            ),
        });
        return compared.then(String::new);
    };
    let body = commit_body(document.job_id, document.event_type, &receipt.nid).map_err(|error| error.to_string())?;
    compared
        .holds(commit.data == body, || format!("the commit says {:?} instead of {body:?}", shortened(&commit.data)));
    let finalized = found.finalized;
    compared.holds(commit.block <= finalized, || {
        format!("not final yet: the commit is in block {block}, the newest final block is {finalized}")
    });
    compared.then(|| format!("block {block}, which is final, holds {by}'s commit of {} in {}", receipt.nid, hint.tx))
}

/// What was agreed, on what, with whom.
pub(super) fn terms(receipt: &Receipt, found: &Found, life: Option<&Life>) -> Checked {
    let document = &receipt.document;
    let job = JobId(document.job_id.0);
    let mut compared = Compared::default();
    match Terms::try_from(&document.terms) {
        Ok(terms) => compared.same(
            "the hash of chain, market and terms",
            &job,
            &terms.job_id(document.chain_id, document.market),
        ),
        Err(error) => compared.0.push(error.to_string()),
    }
    let Some(life) = life else {
        compared.0.push(unseen(receipt, "JobCreated"));
        return compared.then(String::new);
    };
    compared.holds(document.terms == (&life.terms).into(), || "JobCreated carries other terms".into());
    let input = Document::cid_of(life.terms.specDigest).map(|cid| cid.to_string()).unwrap_or_default();
    compared.same("the job spec", &document.metadata.input_hash, &input);
    let duration = match document.event_type {
        ReceiptKind::JobSubmitted => life.terms.maxDuration.into(),
        _ => life.terms.stream(life.extra, life.fee).duration.0,
    };
    compared.same("the seconds paid for in advance", &document.metadata.estimated_duration, &duration);
    match &found.hardware {
        Some(hardware) => {
            compared.same("the listed card", &document.metadata.gpu_type, &hardware.model);
            compared.same("the number of cards", &document.metadata.gpu_count, &hardware.gpus);
            compared.same("the listing's mark of pretended cards", &document.simulated, &hardware.simulated);
        }
        None => compared.0.push(format!("resource {} was never listed", life.terms.resourceId)),
    }
    match &found.agent {
        Some(agent) => compared.same("the provider's agent", &document.executor, agent),
        None => compared.0.push(format!("no {} tells whose agent ran it", document.event_type.name())),
    }
    compared.then(|| format!("chain, market and terms hash to job {job}; JobCreated and the listing say the same"))
}

/// When it happened.
pub(super) fn times(receipt: &Receipt, found: &Found, life: Option<&Life>) -> Checked {
    let document = &receipt.document;
    let job = JobId(document.job_id.0);
    let (life, end, ruling) = happened(receipt, life)?;
    let at = |time| written::time(job, time).map_err(|error| error.to_string());
    let mut compared = Compared::default();
    let (occurred, block) = match (ruling, end) {
        (Some(ruling), _) => (ruling.at, ruling.block),
        (None, Some(end)) => (end.at, end.block),
        (None, None) => (life.created_at, life.created_in),
    };
    compared.same("the time of the event's block", &document.occurred_at, &at(occurred)?);
    let finalized = found.finalized;
    compared.holds(block <= finalized, || {
        format!("not final yet: it happened in block {block}, the newest final block is {finalized}")
    });
    let metadata = &document.metadata;
    let started = life.started_at.filter(|_| end.is_some()).map(at).transpose()?;
    compared.same(
        "the time at which the clock started",
        &or_none(metadata.started_at.as_ref()),
        &or_none(started.as_ref()),
    );
    let seconds = end.map(|end| end.seconds.0);
    compared.same("the clock in seconds", &or_none(metadata.duration.as_ref()), &or_none(seconds.as_ref()));
    if let Some(end) = end {
        compared.holds(end.seconds == end.counted, || {
            format!("the market's clock is {} s, the blocks' times give {} s", end.seconds.0, end.counted.0)
        });
        let until = at(ruling.map_or(end.at.after(market::rules::DISPUTE_WINDOW), |ruling| ruling.at))?;
        let said = document.cost.as_ref().map(|cost| cost.disputable_until);
        compared.same("the end of disputes", &or_none(said.as_ref()), &until.to_string());
    }
    compared.then(|| match (started, seconds) {
        (Some(started), Some(seconds)) => {
            let what = if ruling.is_some() { "decided" } else { "ended" };
            format!("started {started}, {what} {}, {seconds} s on the clock: as the blocks say", document.occurred_at)
        }
        _ => format!("ordered {}: as the block says", document.occurred_at),
    })
}

/// Where the money went.
pub(super) fn cost(receipt: &Receipt, found: &Found, life: Option<&Life>) -> Checked {
    let (life, end, ruling) = happened(receipt, life)?;
    let mut compared = Compared::default();
    let formula = life.terms.stream(life.extra, life.fee).locked();
    compared.holds(life.locked == formula, || format!("{} is locked, the formula gives {formula}", life.locked));
    let Some(end) = end else {
        compared.holds(receipt.document.cost.is_none(), || "nothing is paid before the job has ended".into());
        return compared.then(|| "nothing is paid yet, and the receipt says so".into());
    };
    let (told, computed) = ruling.map_or((end.told, end.computed), |ruling| (ruling.told, ruling.computed));
    let Some(cost) = &receipt.document.cost else {
        return Err(format!("the receipt names no cost; {} was paid", told.paid));
    };
    let money = |amount| Money::new(amount, found.token);
    for (what, said, told) in [
        ("the lock", &cost.locked, life.locked),
        ("what the provider got", &cost.paid, told.paid),
        ("the platform's fee", &cost.fee, told.fee),
        ("what the renter got back", &cost.refunded, told.refunded),
    ] {
        compared.same(what, &said.amount, &money(told).amount);
        compared.same("the token", &said.token, &found.token);
    }
    compared.holds(told == computed, || {
        format!("the market paid {}, the formula gives {}", split(&told), split(&computed))
    });
    if ruling.is_none()
        && let Some(settled) = end.settled
    {
        compared.holds(settled == told, || {
            format!("in the end the market paid {}, the formula gives {}", split(&settled), split(&told))
        });
    }
    compared.then(|| {
        let (locked, split) = (life.locked, split(&told));
        format!("of {locked} locked, {split}: as the events say and as the formula gives for {} s", end.counted.0)
    })
}

/// Why it ended and what the provider left behind.
pub(super) fn outcome(receipt: &Receipt, found: &Found, life: Option<&Life>) -> Checked {
    let metadata = &receipt.document.metadata;
    let (_, end, ruling) = happened(receipt, life)?;
    let word = |outcome: Option<OutcomeJson>| outcome.map_or_else(|| "none".into(), |outcome| format!("{outcome:?}"));
    let outcome = end.map_or(market::Outcome::None, |end| end.outcome);
    let mut compared = Compared::default();
    let status = written::status(receipt.document.event_type, outcome);
    compared.same("the status", &metadata.status, &status.to_owned());
    compared.same("the outcome", &word(metadata.outcome), &word(OutcomeJson::of(outcome)));
    let digest = end.and_then(written::output);
    compared.same("the digest of the result", &or_none(metadata.output_hash.as_ref()), &or_none(digest.as_ref()));
    let cid = digest.and_then(|digest| Document::cid_of(digest).ok());
    compared.same("the CID of the result", &or_none(metadata.output_cid.as_ref()), &or_none(cid.as_ref()));
    verdict(&mut compared, receipt, found, ruling);
    compared.then(|| match digest {
        Some(digest) => format!("{status}, with a record of digest {digest}: as JobEnded says"),
        None => format!("{status}: as the events say"),
    })
}

/// How a dispute was decided, in a receipt that is about that; any other names no verdict.
fn verdict(compared: &mut Compared, receipt: &Receipt, found: &Found, ruling: Option<&Ruling>) {
    let said = receipt.document.verdict.as_ref();
    let told = ruling.map(|ruling| written::verdict(ruling, found.token));
    let share = |verdict: Option<&ReceiptVerdict>| or_none(verdict.map(|it| it.provider_bps).as_ref());
    compared.same("the provider's share of the pot", &share(said), &share(told.as_ref()));
    compared.holds(said == told.as_ref(), || "DisputeResolved carries another verdict".into());
    if let Some(ruling) = ruling {
        compared.same("the pot by the formula", &ruling.pot, &ruling.pot_computed);
    }
}

/// The provider's own record: whether it is the one named on chain, and truly the agent's.
pub(super) fn record(receipt: &Receipt, record: &CompletionRecord) -> Checked {
    let document = &receipt.document;
    let digest = wire::document(record).map_err(|error| error.to_string())?.digest;
    let mut compared = Compared::default();
    let named = document.metadata.output_hash;
    compared.holds(named == Some(digest), || {
        format!("the record's digest is {digest}, the one on chain is {}", or_none(named.as_ref()))
    });
    compared.same("the record's job", &document.job_id, &record.job_id);
    let domain = Domain { chain_id: document.chain_id, market: document.market };
    let attest = Attest { jobId: document.job_id, digest };
    let executor = document.executor;
    match &receipt.record_signature {
        None => compared.0.push("the record comes without the agent's signature".into()),
        Some(signature) => {
            let signed = domain.verify(&attest, signature, executor);
            compared.0.extend(signed.err().map(|error| error.to_string()));
        }
    }
    let spoken = |said: String| format!("the provider's word, which the chain does not prove: {said}");
    let exit = or_none(record.exit_code.as_ref());
    compared.then(|| spoken(format!("exit code {exit}, signed by its agent {executor}"))).map_err(spoken)
}

/// A job, its end and its verdict, as far as a receipt is about them.
type Happened<'a> = (&'a Life, Option<&'a End>, Option<&'a Ruling>);

/// The events that the receipt is about, with the end or the verdict where it is about one.
fn happened<'a>(receipt: &Receipt, life: Option<&'a Life>) -> Result<Happened<'a>, String> {
    let life = life.ok_or_else(|| unseen(receipt, "JobCreated"))?;
    match (receipt.document.event_type, &life.end) {
        (ReceiptKind::JobSubmitted, _) => Ok((life, None, None)),
        (ReceiptKind::JobCompleted, Some(end)) => Ok((life, Some(end), None)),
        (ReceiptKind::JobResolved, Some(end)) => match &life.ruling {
            Some(ruling) => Ok((life, Some(end), Some(ruling))),
            None => Err(unseen(receipt, "DisputeResolved")),
        },
        (ReceiptKind::JobCompleted | ReceiptKind::JobResolved, None) => Err(unseen(receipt, "JobEnded")),
    }
}

fn unseen(receipt: &Receipt, event: &str) -> String {
    let (from, to) = (receipt.from_block, receipt.to_block);
    format!("cannot be compared: blocks {from} to {to} hold no {event} of job {}", receipt.document.job_id)
}

fn split(of: &Settlement) -> String {
    format!("{} went to the provider, {} to the platform, {} back to the renter", of.paid, of.fee, of.refunded)
}

/// What a stranger wrote, short enough for a terminal.
fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}
