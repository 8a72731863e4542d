//! Reports as files: read, checked again, and changed by people who would like them to say something else.

use alloy_primitives::{Address, B256};
use proof::{Check, Claim, Moment, ProofError, Report, report::ReportDocument};

use crate::stage::{Key, Stage, computed};

fn report(stage: &Stage) -> Report {
    let challenge = stage.challenge(1);
    let mut session = stage.send(&challenge);
    stage.open(&challenge, &mut computed(&challenge), &mut session, Moment(250_000));
    stage.report(&session)
}

#[test]
fn a_report_is_checked_again_from_its_bytes_alone() {
    let stage = Stage::new();
    let bytes = serde_json::to_vec(&report(&stage)).unwrap();
    let report = Report::read(&bytes).unwrap();
    let verdict = report.verify(Some(stage.oracle.address()));
    assert_eq!((verdict.refused_at(), verdict.claim()), (None, Some(Claim::Measured)), "{:#?}", verdict.lines);
    assert_eq!(report.document.products_per_s, 192_u64.pow(3) * 3 * 4);
    assert_eq!(report.verify(None).refused_at(), None);
    assert_eq!(report.verify(Some(Address::ZERO)).refused_at(), Some(Check::Oracle));
}

/// A change to the document.
type Change = fn(&mut ReportDocument);

#[test]
fn who_changes_a_report_is_found_out() {
    let stage = Stage::new();
    let good = report(&stage);
    let changes: [(Change, Check); 4] = [
        (|it| it.elapsed_us /= 2, Check::Report),
        (|it| it.device = "a better card".into(), Check::Report),
        (|it| it.challenge.card = B256::ZERO, Check::Oracle),
        (|it| it.challenge.size = 65, Check::Limits),
    ];
    for (number, (change, check)) in changes.into_iter().enumerate() {
        let mut changed = good.clone();
        change(&mut changed.document);
        assert_eq!(changed.verify(None).refused_at(), Some(check), "change {number}");
    }
}

/// Even the oracle cannot vouch for what does not follow.
#[test]
fn an_oracle_that_lies_about_what_can_be_computed_again_is_found_out() {
    let stage = Stage::new();
    let good = report(&stage);
    let changes: [(Change, Check); 7] = [
        (|it| it.products_per_s *= 2, Check::Report),
        (|it| it.claim = None, Check::Report),
        (|it| it.elapsed_us = 1_000_001, Check::Deadline),
        (|it| it.answer.root = B256::ZERO, Check::Agent),
        (|it| it.openings = None, Check::Openings),
        (|it| it.audit.as_mut().unwrap().nonce = B256::ZERO, Check::Openings),
        (|it| it.openings.as_mut().unwrap().0[4].words[9] ^= 1, Check::Root),
    ];
    for (number, (change, check)) in changes.into_iter().enumerate() {
        let mut document = good.document.clone();
        change(&mut document);
        assert_eq!(stage.vouch(document).verify(None).refused_at(), Some(check), "change {number}");
    }
    // A challenge for another agent is not one for this one.
    let mut document = good.document;
    document.challenge.agent = Key::new(5).address();
    document.challenge_signature = stage.oracle.sign(document.challenge.domain(), &document.challenge.statement());
    assert_eq!(stage.vouch(document).verify(None).refused_at(), Some(Check::Challenge));
}

#[test]
fn a_refusal_can_be_checked_again_too() {
    let stage = Stage::new();
    let mut session = stage.send(&stage.challenge(2));
    let verdict = stage.open(&stage.challenge(2), &mut computed(&stage.challenge(1)), &mut session, Moment(1));
    assert_eq!(verdict.refused_at(), Some(Check::Seed));
    let report = stage.report(&session);
    assert_eq!((report.document.claim, report.verify(None).refused_at()), (None, Some(Check::Seed)));
    let mut hopeful = report.document;
    hopeful.claim = Some(Claim::Measured);
    assert_eq!(stage.vouch(hopeful).verify(None).refused_at(), Some(Check::Seed));
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let stage = Stage::new();
    let check = |text: &str, expected: &str| match Report::read(text.as_bytes()) {
        Err(ProofError::Report(reason)) => assert!(reason.contains(expected), "{reason}"),
        other => panic!("{other:?}"),
    };
    check("{}", "no report");
    check(r#"{"document":{"kind":"receipt","version":1}}"#, "\"receipt\"");
    check(r#"{"document":{"kind":"bourse proof of GPU","version":2}}"#, "newer program");
    let text = serde_json::to_string(&report(&stage)).unwrap();
    check(&text.replace("\"elapsedUs\"", "\"elapsed\""), "elapsed");
}
