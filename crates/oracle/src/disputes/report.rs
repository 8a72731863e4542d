//! The report of a verdict: canonical JSON under its CID, signed by the judge.

use std::path::Path;

use alloy_primitives::B256;
use chain::{Market, Wallet};
use market::{JobId, Verdict};
use serde_json::{Value, json};
use wire::{Document, Domain, SignatureBytes, http::OutcomeJson, signed::Attest};

use super::{Facts, decide};
use crate::OracleError;

/// The only version there is.
const VERSION: u32 = 1;

/// What was found, and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    job: JobId,
    verdict: Verdict,
    why: String,
    document: Value,
}

/// A report with its judge's signature.
#[derive(Clone, Debug)]
pub struct SignedReport {
    named: Document,
    signature: SignatureBytes,
}

impl Report {
    /// By the table, or by a judge's own verdict and his reason.
    #[must_use]
    pub fn new(market: &Market, job: JobId, facts: Facts, own: Option<Verdict>, because: &str) -> Self {
        Self::of((market.chain().id(), &market.address().to_string()), job, facts, own, because)
    }

    fn of(market: (u64, &str), job: JobId, facts: Facts, own: Option<Verdict>, because: &str) -> Self {
        let (by_table, reason) = decide(&facts);
        let verdict = own.unwrap_or(by_table);
        let why = if own.is_some() { because.to_owned() } else { reason.words().to_owned() };
        let document = json!({
            "version": VERSION,
            "chainId": market.0,
            "market": market.1,
            "jobId": job.to_string(),
            "facts": {
                "outcome": facts.outcome.and_then(OutcomeJson::of),
                "seconds": facts.ran.0,
                "hasRecord": facts.has_record,
                "recordHolds": facts.record_holds,
                "exitCode": facts.exit_code,
                "resultFound": facts.result_found,
                "logHolds": facts.log_holds,
                "imageHolds": facts.image_holds,
                "beats": facts.beats.map(|(got, due)| json!({ "received": got, "due": due })),
                "silences": facts.silences,
            },
            "table": { "providerBps": by_table.share().0, "reason": reason.words() },
            "providerBps": verdict.share().0,
            "because": why,
        });
        Self { job, verdict, why, document }
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why, in words.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What is written down.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Signs the report's digest for its job.
    pub fn sign(&self, judge: &Wallet, domain: &Domain) -> Result<SignedReport, OracleError> {
        let named = wire::document(&self.document)?;
        let attest = Attest { jobId: B256::from(self.job.0), digest: named.digest };
        let signature = judge.sign(domain, &attest)?;
        Ok(SignedReport { named, signature })
    }
}

impl SignedReport {
    /// Keeps the report under its CID, and the signature beside it; gives the CID. Before a verdict is sent: what it names
    /// must be there.
    pub fn save(&self, folder: &Path) -> Result<String, OracleError> {
        let cid = self.named.cid.to_string();
        let kept = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join(format!("{cid}.json")), &self.named.bytes)?;
            std::fs::write(folder.join(format!("{cid}.sig")), self.signature.to_string())
        };
        kept().map_err(|error| OracleError::Stopped { reason: format!("{}: {error}", folder.display()) })?;
        Ok(cid)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use market::{Outcome, Seconds};

    use super::*;

    fn facts() -> Facts {
        Facts { outcome: Some(Outcome::Succeeded), ran: Seconds(60), has_record: true, ..Facts::default() }
    }

    fn report(own: Option<Verdict>, because: &str) -> Report {
        Report::of((31_337, &Address::repeat_byte(9).to_string()), JobId([7; 32]), facts(), own, because)
    }

    #[test]
    fn a_report_names_the_tables_word_beside_the_judges() {
        let by_table = report(None, "");
        assert_eq!((by_table.verdict(), by_table.why()), (Verdict::Provider, super::super::Reason::Ran.words()));
        let own = report(Some(Verdict::Renter), "the picture shows another card");
        assert_eq!((own.verdict(), own.why()), (Verdict::Renter, "the picture shows another card"));
        let shares =
            |it: &Report| (it.document()["providerBps"].clone(), it.document()["table"]["providerBps"].clone());
        assert_eq!(shares(&own), (json!(0), json!(10_000)));
        assert_eq!(shares(&by_table), (json!(10_000), json!(10_000)));
    }

    #[test]
    fn what_is_kept_has_its_name_and_its_judges_signature() {
        let (report, judge, folder) = (report(None, ""), Wallet::random(), tempfile::tempdir().unwrap());
        let domain = Domain { chain_id: 31_337, market: Address::repeat_byte(9) };
        let signed = report.sign(&judge, &domain).unwrap();
        let cid = signed.save(folder.path()).unwrap();
        let bytes = std::fs::read(folder.path().join(format!("{cid}.json"))).unwrap();
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(&read, report.document());
        let digest = wire::document(&read).unwrap().digest;
        assert_eq!(Document::cid_of(digest).unwrap().to_string(), cid);
        let attest = Attest { jobId: B256::repeat_byte(7), digest };
        domain.verify(&attest, &signed.signature, judge.address()).unwrap();
    }
}
