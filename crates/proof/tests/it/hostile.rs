//! Provers who have less than they say. Each is refused, at the check that is made for it.

use std::time::Instant;

use alloy_primitives::B256;
use proof::{
    AUDIT_WITHIN, Answer, Audit, AuditConfig, Challenge, Check, Claim, Group, Layers, Moment, Openings, ProofError,
    Session, Shape,
};

use crate::stage::{CARD, DEADLINE_MS, Key, NONCE, Stage, computed, refused};

/// A word that nobody computed.
fn noise(at: usize) -> u32 {
    u32::try_from(at).unwrap().wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995
}

#[test]
fn a_chain_that_was_computed_before_the_challenge_came() {
    let stage = Stage::new();
    // All that could be known is as it is, but the nonce.
    let mut precomputed = computed(&stage.challenge(1));
    refused(&stage.judge(&stage.challenge(2), &mut precomputed), Check::Seed);
}

#[test]
fn an_answer_that_was_good_once() {
    let stage = Stage::new();
    let (old, new) = (stage.challenge(1), stage.challenge(2));
    let answer = stage.answer(&old, &computed(&old));
    let mut session = stage.send(&new);
    session.answered(&answer, Moment(10), NONCE).unwrap_err();
    refused(session.verdict().unwrap(), Check::Challenge);
    // The same nonce on another chain, or for another market, is another challenge.
    for other in
        [Challenge { chain_id: 1, ..old.clone() }, Challenge { market: CARD.0[..20].try_into().unwrap(), ..old }]
    {
        let mut session = stage.send(&other);
        session.answered(&answer, Moment(10), NONCE).unwrap_err();
        refused(session.verdict().unwrap(), Check::Challenge);
    }
}

#[test]
fn an_answer_of_somebody_else() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let statement = challenge.answer(computed(&challenge).tree().root());
    let thief = Key::new(9).sign(challenge.domain(), &statement);
    let mut session = stage.send(&challenge);
    session.answered(&Answer::new(&statement, thief), Moment(10), NONCE).unwrap_err();
    refused(session.verdict().unwrap(), Check::Agent);
    // Another agent's honest work on the same nonce: its matrices were others.
    let other = Stage { agent: Key::new(3), ..Stage::new() };
    let mut borrowed = computed(&other.challenge(1));
    refused(&stage.judge(&challenge, &mut borrowed), Check::Seed);
}

#[test]
fn a_processor_where_a_card_was_listed() {
    let stage = Stage::new();
    let challenge = Challenge { size: 384, ..stage.challenge(1) };
    let began = Instant::now();
    let layers = computed(&challenge);
    let took = began.elapsed();
    // A card that is listed as ten times faster than this processor, on the other side of a short wire.
    let shape = challenge.shape().unwrap();
    let speed = shape.products() * 1_000_000 / u64::try_from(took.as_micros()).unwrap() * 10;
    let due = shape.deadline(speed, took / 20);
    let challenge = Challenge { deadline_ms: u32::try_from(due.as_millis()).unwrap(), ..challenge };
    // The deadline is part of what is signed, so the chain is computed again, by the clock.
    let (mut session, began) = (stage.send(&challenge), Instant::now());
    let again = computed(&challenge);
    assert_ne!(again.tree().root(), layers.tree().root());
    let at = Moment(u64::try_from(began.elapsed().as_micros()).unwrap());
    session.answered(&stage.answer(&challenge, &again), at, NONCE).unwrap_err();
    refused(session.verdict().unwrap(), Check::Deadline);
}

/// One wrong tile is found where it is looked at: by its recomputation, or by the vectors where another one is recomputed.
#[test]
fn one_wrong_tile() {
    let stage = Stage { config: AuditConfig { columns: 128, vectors: 32 }, ..Stage::new() };
    let challenge = stage.challenge(1);
    let mut found = [0; 3];
    for case in 0..36 {
        let mut layers = computed(&challenge);
        let (column, row) = (5 * case + 5, 64 * (case % 3));
        // In the last round, so that no later tile is made from it.
        for word in &mut layers.results_mut()[2][column * 192 + row..][..8] {
            *word ^= 1 << 31;
        }
        match stage.judge(&challenge, &mut layers).refused_at() {
            None => found[0] += 1,
            Some(Check::Tile) => found[1] += 1,
            Some(Check::Product) => found[2] += 1,
            Some(other) => panic!("{other:?}"),
        }
    }
    // Two thirds of the columns are opened, and a third of those are recomputed there. The draws are fixed by the nonce.
    assert!(found[1] + found[2] >= 18 && found[1] >= 1 && found[2] >= 1, "missed, tile, product: {found:?}");
}

#[test]
fn a_wrong_tile_where_it_is_recomputed() {
    let stage = Stage { config: AuditConfig { columns: 64, vectors: 32 }, ..Stage::new() };
    // One tile is the whole column and all columns are opened: it is certainly recomputed.
    let challenge = Challenge { size: 64, ..stage.challenge(1) };
    for round in [1, 2] {
        let mut layers = computed(&challenge);
        layers.results_mut()[round][17 * 64 + 3] ^= 1;
        refused(&stage.judge(&challenge, &mut layers), Check::Tile);
    }
}

#[test]
fn half_of_the_columns() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let mut layers = computed(&challenge);
    for result in layers.results_mut() {
        let half = result.len() / 2;
        for (at, word) in result[half..].iter_mut().enumerate() {
            *word = noise(at);
        }
    }
    refused(&stage.judge(&challenge, &mut layers), Check::Coverage);
}

/// The lower part of every column of the last result is made up, and no recomputed tile lies there.
#[test]
fn half_of_the_rows_where_no_tile_is_looked_at() {
    let stage = Stage { config: AuditConfig { columns: 1, vectors: 32 }, ..Stage::new() };
    let challenge = stage.challenge(1);
    let mut verdicts = Vec::new();
    for salt in 0..8 {
        let mut layers = computed(&challenge);
        let last = &mut layers.results_mut()[2];
        for (at, word) in last.iter_mut().enumerate().filter(|(at, _)| at % 192 >= 96) {
            *word = noise(at + salt);
        }
        verdicts.push(stage.judge(&challenge, &mut layers).refused_at());
    }
    // Another root draws other tiles; the vectors look at whole columns whatever is drawn.
    assert!(verdicts.contains(&Some(Check::Product)), "{verdicts:?}");
    assert!(verdicts.iter().all(|it| matches!(it, Some(Check::Product | Check::Tile))), "{verdicts:?}");
}

/// Zeros stay zeros: who shortens the chain by them is found at its beginning.
#[test]
fn a_chain_that_is_cut_short() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let mut zeros = computed(&challenge);
    zeros.results_mut().iter_mut().for_each(|result| result.fill(0));
    refused(&stage.judge(&challenge, &mut zeros), Check::Seed);
    // The first product is right, and what follows from it was left out.
    let mut copied = computed(&challenge);
    let first = copied.results_mut()[0].clone();
    copied.results_mut()[1..].iter_mut().for_each(|result| result.clone_from(&first));
    refused(&stage.judge(&challenge, &mut copied), Check::Tile);
}

#[test]
fn columns_that_were_computed_after_the_root() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let shape = challenge.shape().unwrap();
    let empty = Layers::from_results(shape, vec![vec![0; 192 * 192]; 3]);
    let mut session = stage.send(&challenge);
    let answer = stage.answer(&challenge, &empty);
    let audit = session.answered(&answer, Moment(10), NONCE).unwrap().clone();
    let plan = audit.plan(shape, challenge.digest(), answer.root).unwrap();
    let mut late = computed(&challenge);
    let openings = Openings::collect(shape, &plan, &empty.tree(), &mut late).unwrap();
    refused(session.opened(openings, Moment(20)).unwrap(), Check::Root);
}

#[test]
fn other_columns_than_were_drawn() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let shape = challenge.shape().unwrap();
    let mut layers = computed(&challenge);
    for case in 0..4 {
        let mut session = stage.send(&challenge);
        let answer = stage.answer(&challenge, &layers);
        let audit = session.answered(&answer, Moment(10), NONCE).unwrap().clone();
        let audit = if case == 0 { Audit { nonce: B256::ZERO, ..audit } } else { audit };
        let plan = audit.plan(shape, challenge.digest(), answer.root).unwrap();
        let mut openings = Openings::collect(shape, &plan, &layers.tree(), &mut layers).unwrap();
        match case {
            1 => drop(openings.0.pop()),
            2 => drop(openings.0[3].words.pop()),
            3 => openings.0[3].path.push(B256::ZERO),
            _ => {}
        }
        refused(session.opened(openings, Moment(20)).unwrap(), Check::Openings);
    }
}

/// One card under two names: it answers for one in time, and then for the other.
#[test]
fn one_card_that_says_it_is_two() {
    let stage = Stage::new();
    let named = |card: u8| Challenge {
        card: B256::repeat_byte(card),
        group: B256::repeat_byte(9),
        size: 256,
        ..stage.challenge(card)
    };
    // What this "card" takes for one, measured; the deadline is what the limits give a card that takes so long.
    let began = Instant::now();
    computed(&named(1));
    let one_us = u64::try_from(began.elapsed().as_micros()).unwrap();
    let shape = Shape::new(256, 3).unwrap();
    let due = shape.deadline(shape.products() * 1_000_000 / one_us, std::time::Duration::ZERO);
    let deadline_ms = u32::try_from(due.as_millis()).unwrap();
    let challenges = [1, 2].map(|card| Challenge { deadline_ms, ..named(card) });
    let sent = challenges.iter().map(|challenge| stage.sign(challenge.clone())).collect();
    let mut group = Group::send(sent, stage.config, Moment(0)).unwrap();
    for (card, challenge) in challenges.iter().enumerate() {
        let mut layers = computed(challenge);
        let mut prover = stage.prover(challenge);
        prover.committed(layers.tree()).unwrap();
        // One after the other, each in the time that was measured.
        let at = Moment(one_us * (card as u64 + 1));
        match group.answered(card, &stage.answer(challenge, &layers), at, NONCE) {
            Ok(audit) => {
                let audit = audit.clone();
                let openings = prover.audited(&audit, &mut layers).unwrap();
                group.opened(card, openings, at).unwrap();
            }
            Err(error) => assert!(matches!(error, ProofError::Refused { check: Check::Deadline, .. }), "{error}"),
        }
    }
    let sessions = group.finish().unwrap();
    refused(sessions[0].verdict().unwrap(), Check::Together);
    refused(sessions[1].verdict().unwrap(), Check::Deadline);
    assert!(sessions[1].verdict().unwrap().lines.iter().any(|line| line.check == Check::Together && !line.holds));
}

#[test]
fn one_card_under_one_name_twice() {
    let stage = Stage::new();
    let challenge = |nonce| stage.sign(Challenge { group: B256::repeat_byte(9), ..stage.challenge(nonce) });
    let error = Group::send(vec![challenge(1), challenge(2)], stage.config, Moment(0)).unwrap_err();
    assert!(matches!(error, ProofError::Refused { check: Check::Distinct, .. }), "{error}");
    // The answer for one card does not do for another.
    let mut session = stage.send(&stage.challenge(1));
    let answer = stage.answer(&stage.challenge(1), &computed(&stage.challenge(1)));
    session.answered(&Answer { card: B256::ZERO, ..answer }, Moment(1), NONCE).unwrap_err();
    refused(session.verdict().unwrap(), Check::Card);
}

#[test]
fn games_with_the_clock() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let layers = computed(&challenge);
    let answer = stage.answer(&challenge, &layers);
    let send = |at| Session::send(stage.sign(challenge.clone()), stage.config, at).unwrap();
    // A moment after the deadline, whatever the challenge's own date is.
    let limit = u64::from(DEADLINE_MS) * 1_000;
    for (late, check) in [(0, None), (1, Some(Check::Deadline))] {
        let mut session = send(Moment(5));
        let answered = session.answered(&answer, Moment(5 + limit + late), NONCE).map(drop);
        assert_eq!(answered.is_err(), check.is_some());
        assert_eq!(session.verdict().and_then(proof::Verdict::refused_at), check);
    }
    // The oracle's clock went backward.
    let mut session = send(Moment(5));
    session.answered(&answer, Moment(4), NONCE).unwrap_err();
    refused(session.verdict().unwrap(), Check::Clock);
    // Nothing comes: nothing is said before the deadline, and after it no answer helps.
    let mut session = send(Moment(5));
    assert!(session.waited(Moment(5 + limit)).is_none());
    refused(session.waited(Moment(6 + limit)).unwrap(), Check::Deadline);
    assert!(matches!(session.answered(&answer, Moment(7), NONCE), Err(ProofError::OutOfTurn { .. })));
    // The root is in time, and the columns are computed at leisure.
    let leisure = u64::try_from(AUDIT_WITHIN.as_micros()).unwrap() + 1;
    let mut session = send(Moment(0));
    session.answered(&answer, Moment(1), NONCE).unwrap();
    assert!(session.waited(Moment(leisure)).is_none());
    refused(session.waited(Moment(1 + leisure)).unwrap(), Check::Openings);
    let mut session = send(Moment(0));
    session.answered(&answer, Moment(1), NONCE).unwrap();
    refused(session.opened(Openings::default(), Moment(1 + leisure)).unwrap(), Check::Openings);
}

/// The limit of the method, written down as a test: somebody near enough with a card computes for somebody without.
#[test]
fn a_relay_to_a_near_card_passes_and_is_said_to_be_measured_only() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let mut session = stage.send(&challenge);
    // The other side of the relay gets the challenge and gives back a root; the agent signs it as its own.
    let mut elsewhere = computed(&challenge);
    let verdict = stage.open(&challenge, &mut elsewhere, &mut session, Moment(999_000));
    assert_eq!(verdict.claim(), Some(Claim::Measured), "{:#?}", verdict.lines);
    let report = serde_json::to_value(stage.report(&session)).unwrap();
    assert_eq!(report["document"]["claim"], "measured");
    assert!(!report.to_string().contains("attested"));
}
