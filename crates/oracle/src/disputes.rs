//! Disputes: the facts that count, the published table that decides by them, and the judge's signed report.
//!
//! The table stands in `docs/disputes.md` too. It asks what the chain shows and what the provider's own record says;
//! whoever sees more decides otherwise and says why.

mod gather;
pub use gather::{Published, gather};

mod report;
pub use report::{Report, SignedReport};

use market::{Outcome, Seconds, Verdict};

/// Beats that are missing from a job's clock by a tenth or less are the network's, not the provider's.
const BEATS_SHARE_PERCENT: u64 = 90;

/// What is known of a disputed job. What is not known is `None`, and never counts against anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Why the clock ended.
    pub outcome: Option<Outcome>,
    /// Seconds on the clock.
    pub ran: Seconds,
    /// The provider left a record whose digest is on chain.
    pub has_record: bool,
    /// Its record is there, signed by its agent, and has that digest.
    pub record_holds: Option<bool>,
    /// The exit code of that record.
    pub exit_code: Option<i64>,
    /// The result that it names can be had.
    pub result_found: Option<bool>,
    /// The log that it names has the bytes that its name promises.
    pub log_holds: Option<bool>,
    /// What ran was the image that the spec names, as the agent's signed readiness record says.
    pub image_holds: Option<bool>,
    /// Beats that were received of those that were due.
    pub beats: Option<(u64, u64)>,
    /// A watcher or an oracle reported silence on the clock.
    pub silences: u32,
}

/// Why the table decides so: one row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The readiness record does not carry what was ordered.
    OtherImage,
    /// What the provider signed is not what it put on chain.
    ForgedRecord,
    /// The provider was not heard, or gave the job up.
    ProviderLeft,
    /// The program ended, and what it left cannot be had.
    ResultMissing,
    /// The provider says that the program ended and has no record of it.
    NoRecord,
    /// Beats were missing while the clock ran.
    BeatsMissing,
    /// The job ran and ended as the records say.
    Ran,
    /// The program itself failed: the machine was there.
    ProgramFailed,
    /// The renter ended it himself.
    RenterStopped,
    /// A dispute ended it before there was anything to compare.
    Undecidable,
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OtherImage => "what ran was not the image that was ordered",
            Self::ForgedRecord => "the provider's record is not the one whose digest it put on chain",
            Self::ProviderLeft => "the provider went silent or gave the job up",
            Self::ResultMissing => "the program ended and its result cannot be had",
            Self::NoRecord => "the provider says that the program ended and left no record of it",
            Self::BeatsMissing => "beats were missing while the clock ran",
            Self::Ran => "the job ran and ended as chain and records say",
            Self::ProgramFailed => "the program failed by itself; the machine was there",
            Self::RenterStopped => "the renter stopped it, and nothing speaks against the provider",
            Self::Undecidable => "the dispute ended the job, and nothing that can be compared speaks for either side",
        }
    }
}

/// The decision table, from the gravest fact down: the first row that holds decides.
#[must_use]
pub fn decide(facts: &Facts) -> (Verdict, Reason) {
    let says_it_ended = matches!(facts.outcome, Some(Outcome::Succeeded | Outcome::Failed));
    let beats_missing = facts.beats.is_some_and(|(got, due)| got * 100 < due * BEATS_SHARE_PERCENT);
    if facts.image_holds == Some(false) {
        return (Verdict::Renter, Reason::OtherImage);
    }
    if facts.record_holds == Some(false) || facts.log_holds == Some(false) {
        return (Verdict::Renter, Reason::ForgedRecord);
    }
    if matches!(facts.outcome, Some(Outcome::Silent | Outcome::AbortedByProvider)) {
        return (Verdict::Renter, Reason::ProviderLeft);
    }
    if says_it_ended && !facts.has_record {
        return (Verdict::Renter, Reason::NoRecord);
    }
    if facts.outcome == Some(Outcome::Succeeded) && facts.result_found == Some(false) {
        return (Verdict::Renter, Reason::ResultMissing);
    }
    if beats_missing || facts.silences > 1 {
        return (Verdict::Split, Reason::BeatsMissing);
    }
    match (facts.outcome, facts.exit_code) {
        (Some(Outcome::Succeeded), Some(0) | None) => (Verdict::Provider, Reason::Ran),
        // It said that all was well and signed that it was not.
        (Some(Outcome::Succeeded), Some(_)) => (Verdict::Renter, Reason::ForgedRecord),
        (Some(Outcome::Failed), _) => (Verdict::Provider, Reason::ProgramFailed),
        (Some(Outcome::StoppedByRenter), _) => (Verdict::Provider, Reason::RenterStopped),
        _ => (Verdict::Split, Reason::Undecidable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A job of an hour about which nothing is wrong.
    fn good(outcome: Outcome) -> Facts {
        Facts {
            outcome: Some(outcome),
            ran: Seconds(3600),
            has_record: true,
            record_holds: Some(true),
            exit_code: Some(i64::from(outcome == Outcome::Failed)),
            result_found: Some(true),
            log_holds: Some(true),
            image_holds: Some(true),
            beats: Some((60, 60)),
            silences: 0,
        }
    }

    #[test]
    fn the_published_table() {
        use Outcome::{AbortedByProvider, Disputed, Failed, Silent, StoppedByRenter, Succeeded};
        let none = Facts::default();
        let rows = [
            (good(Succeeded), Verdict::Provider, Reason::Ran),
            (
                Facts { exit_code: None, beats: None, result_found: None, ..good(Succeeded) },
                Verdict::Provider,
                Reason::Ran,
            ),
            (good(Failed), Verdict::Provider, Reason::ProgramFailed),
            (good(StoppedByRenter), Verdict::Provider, Reason::RenterStopped),
            (good(Silent), Verdict::Renter, Reason::ProviderLeft),
            (good(AbortedByProvider), Verdict::Renter, Reason::ProviderLeft),
            (good(Disputed), Verdict::Split, Reason::Undecidable),
            (none, Verdict::Split, Reason::Undecidable),
            (Facts { image_holds: Some(false), ..good(Succeeded) }, Verdict::Renter, Reason::OtherImage),
            (Facts { image_holds: Some(false), ..good(Silent) }, Verdict::Renter, Reason::OtherImage),
            (Facts { record_holds: Some(false), ..good(Succeeded) }, Verdict::Renter, Reason::ForgedRecord),
            (Facts { log_holds: Some(false), ..good(Failed) }, Verdict::Renter, Reason::ForgedRecord),
            (Facts { exit_code: Some(3), ..good(Succeeded) }, Verdict::Renter, Reason::ForgedRecord),
            (Facts { has_record: false, record_holds: None, ..good(Succeeded) }, Verdict::Renter, Reason::NoRecord),
            (Facts { has_record: false, record_holds: None, ..good(Failed) }, Verdict::Renter, Reason::NoRecord),
            (
                Facts { has_record: false, record_holds: None, ..good(StoppedByRenter) },
                Verdict::Provider,
                Reason::RenterStopped,
            ),
            (Facts { result_found: Some(false), ..good(Succeeded) }, Verdict::Renter, Reason::ResultMissing),
            (Facts { result_found: Some(false), ..good(Failed) }, Verdict::Provider, Reason::ProgramFailed),
            (Facts { beats: Some((53, 60)), ..good(Succeeded) }, Verdict::Split, Reason::BeatsMissing),
            (Facts { beats: Some((54, 60)), ..good(Succeeded) }, Verdict::Provider, Reason::Ran),
            (Facts { silences: 2, ..good(Succeeded) }, Verdict::Split, Reason::BeatsMissing),
            (Facts { silences: 1, ..good(Succeeded) }, Verdict::Provider, Reason::Ran),
        ];
        for (facts, verdict, reason) in rows {
            assert_eq!(decide(&facts), (verdict, reason), "{facts:?}");
        }
    }
}
