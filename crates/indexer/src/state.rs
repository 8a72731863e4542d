//! Where the indexer stands and what comes next: a table, without I/O.

use store::Rewound;

/// Where the indexer stands; each names the one step that is carried out there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Asks for the lease; while another process has it, follows what that one writes.
    Waiting,
    /// Reads how far the index is and opens the stream behind that.
    Opening,
    /// Writes old blocks, many at once.
    CatchingUp,
    /// Writes each block as soon as it is there.
    Following,
    /// Takes back what is above block `to`.
    Rewinding {
        /// The newest block that stays.
        to: u64,
    },
    /// Waits a little after a failure that may pass.
    Recovering,
    /// Ended, as asked or for an error that stays.
    Stopped,
}

/// What a step saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The lease is ours.
    Granted,
    /// Another process has the lease.
    Denied,
    /// The lease was ours and is no longer certain.
    Lost,
    /// The index is open and the stream begins behind it.
    Opened,
    /// Blocks are durable; `old` when the newest of them is too old to be reorganised.
    Written {
        /// More old blocks are likely to be ready.
        old: bool,
    },
    /// Nothing came within the time that the lease leaves.
    Nothing,
    /// Blocks above `to` never happened.
    Reorganised {
        /// The newest block that did.
        to: u64,
    },
    /// The index was taken back.
    Rewound(Rewound),
    /// Something failed that may pass.
    Trouble,
    /// The wait after it is over.
    Waited,
    /// Something failed that stays.
    Broken,
    /// The process ends.
    Shutdown,
}

/// The table.
pub(crate) fn next(state: State, seen: Seen) -> State {
    use Seen as S;
    match (state, seen) {
        (State::Stopped, _) | (_, S::Shutdown | S::Broken) => State::Stopped,
        (_, S::Trouble) => State::Recovering,
        (_, S::Lost | S::Denied | S::Waited) => State::Waiting,
        (_, S::Granted) => State::Opening,
        (_, S::Opened) => State::CatchingUp,
        (_, S::Written { old: true }) => State::CatchingUp,
        (_, S::Written { old: false }) => State::Following,
        (_, S::Nothing) => state,
        (_, S::Reorganised { to }) => State::Rewinding { to },
        // The stream goes on above `to` by itself; where the index had to be emptied, it must begin anew too.
        (_, S::Rewound(Rewound::To(_))) => State::Following,
        (_, S::Rewound(Rewound::FromZero)) => State::Opening,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> store::BlockRef {
        store::BlockRef { number: 7, hash: alloy_primitives::B256::ZERO, at: market::Timestamp(0) }
    }

    fn check(from: State, seen: &[Seen], expected: State) {
        let reached = seen.iter().fold(from, |state, seen| next(state, *seen));
        assert_eq!(reached, expected, "{from:?} {seen:?}");
    }

    #[test]
    fn it_opens_what_it_holds_and_waits_for_what_it_does_not() {
        check(State::Waiting, &[Seen::Denied], State::Waiting);
        check(State::Waiting, &[Seen::Denied, Seen::Granted], State::Opening);
        check(State::Opening, &[Seen::Opened], State::CatchingUp);
        for writing in [State::CatchingUp, State::Following, State::Rewinding { to: 3 }] {
            check(writing, &[Seen::Lost], State::Waiting);
        }
    }

    #[test]
    fn old_blocks_come_in_bulk_and_new_ones_at_once() {
        check(State::CatchingUp, &[Seen::Written { old: true }], State::CatchingUp);
        check(State::CatchingUp, &[Seen::Written { old: false }], State::Following);
        check(State::Following, &[Seen::Nothing], State::Following);
        check(State::Following, &[Seen::Written { old: true }], State::CatchingUp);
    }

    #[test]
    fn a_reorganisation_is_taken_back_before_anything_else_is_written() {
        check(State::Following, &[Seen::Reorganised { to: 7 }], State::Rewinding { to: 7 });
        check(State::Rewinding { to: 7 }, &[Seen::Rewound(Rewound::To(block()))], State::Following);
        check(State::Rewinding { to: 7 }, &[Seen::Rewound(Rewound::FromZero)], State::Opening);
    }

    #[test]
    fn trouble_passes_by_way_of_the_lease_and_an_end_is_an_end() {
        let states = [State::Waiting, State::Opening, State::CatchingUp, State::Following, State::Rewinding { to: 1 }];
        for state in states {
            check(state, &[Seen::Trouble, Seen::Waited], State::Waiting);
            check(state, &[Seen::Broken, Seen::Granted, Seen::Opened], State::Stopped);
            check(state, &[Seen::Shutdown, Seen::Trouble], State::Stopped);
        }
    }
}
