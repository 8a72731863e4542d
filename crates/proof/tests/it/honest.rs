//! A proof that holds, from both sides, and whose turn it is when.

use alloy_primitives::B256;
use proof::{Answer, AuditConfig, Check, Claim, Group, Layers, Moment, ProofError, Prover, Session};

use crate::stage::{CARD, DEADLINE_MS, NONCE, Stage, computed};

#[test]
fn an_honest_card_is_measured_and_no_more() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let (mut session, mut prover) = (stage.send(&challenge), stage.prover(&challenge));
    let mut layers = Layers::compute(&prover.challenge().key(), prover.shape());
    let statement = prover.committed(layers.tree()).unwrap();
    let answer = Answer::new(&statement, stage.agent.sign(challenge.domain(), &statement));
    let audit = session.answered(&answer, Moment(1_000 * u64::from(DEADLINE_MS)), NONCE).unwrap().clone();
    let openings = prover.audited(&audit, &mut layers).unwrap();
    let verdict = session.opened(openings, Moment(1_200_000)).unwrap();
    assert_eq!((verdict.refused_at(), verdict.claim()), (None, Some(Claim::Measured)), "{:#?}", verdict.lines);
    let checks: Vec<Check> = verdict.lines.iter().map(|line| line.check).collect();
    use Check::{Agent, Card, Challenge, Clock, Coverage, Deadline, Openings, Product, Root, Seed, Tile};
    assert_eq!(checks, [Challenge, Card, Agent, Clock, Deadline, Openings, Root, Seed, Coverage, Tile, Product]);
}

#[test]
fn every_shape_is_proved() {
    let stage = Stage::new();
    for (size, rounds) in [(64, 1), (64, 8), (128, 2), (320, 3)] {
        let challenge = proof::Challenge { size, rounds, ..stage.challenge(2) };
        let verdict = stage.judge(&challenge, &mut computed(&challenge));
        assert_eq!(verdict.refused_at(), None, "{size} × {rounds}: {:#?}", verdict.lines);
    }
}

#[test]
fn an_agent_takes_only_what_is_asked_of_it_by_its_oracle() {
    let stage = Stage::new();
    let (sent, oracle, agent) = (stage.sign(stage.challenge(1)), stage.oracle.address(), stage.agent.address());
    let take = |sent: &proof::SignedChallenge, oracle, agent, cards: &[B256]| match Prover::take(
        sent.clone(),
        oracle,
        agent,
        cards,
    ) {
        Ok(_) => None,
        Err(ProofError::Refused { check, .. }) => Some(check),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(take(&sent, oracle, agent, &[CARD]), None);
    assert_eq!(take(&sent, agent, agent, &[CARD]), Some(Check::Oracle));
    assert_eq!(take(&sent, oracle, oracle, &[CARD]), Some(Check::Agent));
    assert_eq!(take(&sent, oracle, agent, &[B256::ZERO]), Some(Check::Card));
    let mut changed = sent;
    changed.challenge.size = 64;
    assert_eq!(take(&changed, oracle, agent, &[CARD]), Some(Check::Oracle));
    changed.challenge.size = 1 << 30;
    assert!(matches!(Prover::take(changed, oracle, agent, &[CARD]), Err(ProofError::Shape { .. })));
}

#[test]
fn nobody_speaks_out_of_turn() {
    let stage = Stage::new();
    let challenge = stage.challenge(1);
    let (mut session, mut prover) = (stage.send(&challenge), stage.prover(&challenge));
    let mut layers = computed(&challenge);
    let out_of_turn = |error: ProofError| assert!(matches!(error, ProofError::OutOfTurn { .. }), "{error}");
    out_of_turn(session.opened(proof::Openings::default(), Moment(1)).unwrap_err());
    let audit = proof::Audit::new(NONCE, stage.config);
    out_of_turn(prover.audited(&audit, &mut layers).unwrap_err());
    prover.committed(layers.tree()).unwrap();
    out_of_turn(prover.committed(layers.tree()).unwrap_err());
    prover.audited(&audit, &mut layers).unwrap();
    out_of_turn(prover.audited(&audit, &mut layers).unwrap_err());
    let answer = stage.answer(&challenge, &layers);
    session.answered(&answer, Moment(1), NONCE).unwrap();
    // A second root, when the audit is known.
    out_of_turn(session.answered(&answer, Moment(2), NONCE).unwrap_err());
    let too_much = AuditConfig { columns: 200, vectors: 32 };
    assert!(matches!(Session::send(stage.sign(challenge), too_much, Moment(0)), Err(ProofError::Audit)));
}

#[test]
fn two_cards_that_answer_at_once_are_both_measured() {
    let stage = Stage::new();
    let challenges = [1, 2].map(|card| proof::Challenge {
        card: B256::repeat_byte(card),
        group: B256::repeat_byte(9),
        ..stage.challenge(card)
    });
    let sent = challenges.iter().map(|challenge| stage.sign(challenge.clone())).collect();
    let mut group = Group::send(sent, stage.config, Moment(0)).unwrap();
    for (card, challenge) in challenges.iter().enumerate() {
        let mut layers = computed(challenge);
        let (mut prover, answer) = (stage.prover(challenge), stage.answer(challenge, &layers));
        prover.committed(layers.tree()).unwrap();
        let audit = group.answered(card, &answer, Moment(900_000), NONCE).unwrap().clone();
        let openings = prover.audited(&audit, &mut layers).unwrap();
        group.opened(card, openings, Moment(1_000_000)).unwrap();
    }
    for session in group.finish().unwrap() {
        assert_eq!(session.verdict().unwrap().claim(), Some(Claim::Measured));
    }
}
