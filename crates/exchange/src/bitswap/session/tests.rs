//! Fetches played through, with a clock of the test's own.

use super::*;
use content::{Block, RAW, sha256};

const PATIENCE: Patience =
    Patience { block: Duration::from_secs(10), give_up: Duration::from_secs(60), misses_max: 1, window_max: 16 };

fn name(number: usize) -> String {
    format!("block {number}")
}

fn cid(number: usize) -> Cid {
    *Block::new(RAW, name(number)).unwrap().cid()
}

fn digest(number: usize) -> Digest {
    sha256(name(number).as_bytes())
}

/// A session that wants `wishes` blocks of `peers` peers, and knows of no others.
fn session(wishes: usize, peers: usize) -> (Session, Vec<PeerId>, Instant) {
    let now = Instant::now();
    let mut session = Session::new(PATIENCE, now);
    session.want((0..wishes).map(cid));
    let mut peers: Vec<PeerId> = (0..peers).map(|_| PeerId::random()).collect();
    peers.sort_unstable();
    peers.iter().for_each(|peer| session.joined(*peer, now));
    session.seek(false);
    (session, peers, now)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn wishes_are_spread_over_peers_and_the_window_grows_with_what_comes() {
    let (mut session, peers, now) = session(100, 2);
    assert_eq!(session.next(now), Step::Ask(peers[0], (0..8).map(cid).collect()));
    assert_eq!(session.next(now), Step::Ask(peers[1], (8..16).map(cid).collect()));
    assert_eq!(session.next(now), Step::Wait(now + PATIENCE.block));
    assert_eq!(session.arrived(&peers[0], &digest(0), now), Some(cid(0)));
    assert_eq!(session.next(now), Step::Ask(peers[0], vec![cid(16), cid(17)]), "one for it, and one more");
    assert_eq!(session.arrived(&peers[0], &digest(0), now), None, "it came already");
}

#[test]
fn the_window_ends_at_its_limit_and_slow_blocks_do_not_widen_it() {
    let (mut session, peers, mut now) = session(200, 1);
    let mut asked = 0;
    for number in 0..100 {
        if let Step::Ask(_, cids) = session.next(now) {
            asked += cids.len();
        }
        assert!(asked - number <= PATIENCE.window_max);
        session.arrived(&peers[0], &digest(number), now);
    }
    assert_eq!(asked, 99 + PATIENCE.window_max);
    let (mut slow, peers, _) = self::session(100, 1);
    slow.next(now);
    now += secs(5);
    slow.arrived(&peers[0], &digest(0), now);
    assert_eq!(slow.next(now), Step::Ask(peers[0], vec![cid(8)]));
}

#[test]
fn a_silent_peer_loses_its_wishes_to_another() {
    let (mut session, peers, now) = session(4, 2);
    assert_eq!(session.next(now), Step::Ask(peers[0], (0..4).map(cid).collect()));
    let later = now + secs(10);
    let Step::Cancel(silent, mut taken) = session.next(later) else { panic!("nothing was taken back") };
    taken.sort_unstable();
    let mut all: Vec<Cid> = (0..4).map(cid).collect();
    all.sort_unstable();
    assert_eq!((silent, &taken), (peers[0], &all));
    let Step::Ask(other, mut asked) = session.next(later) else { panic!("nobody else was asked") };
    asked.sort_unstable();
    assert_eq!((other, asked), (peers[1], all));
    assert_eq!(session.arrived(&peers[0], &digest(2), later), Some(cid(2)), "late is better than never");
    assert_eq!(session.next(later), Step::Cancel(peers[1], vec![cid(2)]));
}

#[test]
fn a_block_that_is_kept_back_goes_to_another_though_its_peer_delivers() {
    let (mut session, peers, now) = session(60, 1);
    session.next(now);
    let mut last = Step::Wait(now);
    for number in 1..=40 {
        let at = now + secs(1) * u32::try_from(number).unwrap();
        session.arrived(&peers[0], &digest(number), at);
        last = session.next(at);
        if matches!(last, Step::Cancel(..)) {
            assert_eq!(number, 40);
        }
    }
    assert_eq!(last, Step::Cancel(peers[0], vec![cid(0)]));
}

#[test]
fn a_peer_that_misses_again_and_again_is_left() {
    let (mut session, peers, now) = session(1, 1);
    for round in 0..2 {
        assert_eq!(session.next(now + secs(10) * round), Step::Ask(peers[0], vec![cid(0)]));
        assert_eq!(session.next(now + secs(10) * (round + 1)), Step::Cancel(peers[0], vec![cid(0)]));
    }
    assert_eq!(session.next(now + secs(20)), Step::Fail(Failure::Nobody(cid(0))));
}

#[test]
fn what_everybody_lacks_ends_the_fetch_at_once() {
    let (mut session, peers, now) = session(2, 2);
    session.next(now);
    session.presence(&peers[0], &cid(1), false, now);
    assert_eq!(session.next(now), Step::Ask(peers[1], vec![cid(1)]));
    session.seek(true);
    session.presence(&peers[1], &cid(1), false, now);
    assert!(matches!(session.next(now), Step::Wait(_)), "somebody else may still come");
    session.seek(false);
    assert_eq!(session.next(now), Step::Fail(Failure::Lacking(cid(1))));
}

#[test]
fn wishes_of_a_peer_that_left_are_asked_of_another() {
    let (mut session, peers, now) = session(1, 2);
    session.next(now);
    session.left(&peers[0]);
    assert_eq!(session.next(now), Step::Ask(peers[1], vec![cid(0)]));
    session.left(&peers[1]);
    assert_eq!(session.next(now), Step::Fail(Failure::Nobody(cid(0))));
}

#[test]
fn a_fetch_that_nobody_helps_ends_in_its_time() {
    let (mut session, _, now) = session(1, 0);
    session.seek(true);
    assert_eq!(session.next(now), Step::Wait(now + PATIENCE.give_up));
    assert_eq!(session.next(now + PATIENCE.give_up), Step::Fail(Failure::Silence(cid(0))));
}
