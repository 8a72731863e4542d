//! The state machine of a lease: what to do next, from where it stands and what is seen. Pure; the loop carries it out.
//!
//! ```text
//! Opened ─▶ Fetching ─▶ Preparing ─▶ Ready ─paid─▶ Running ─▶ Stopping ─▶ Collecting ─▶ Done
//!    └──────────┴───────────┴──────────┴── stopped · unpaid · cannot be run ──▶┘
//! ```
//!
//! Nothing of a lease stands on a chain: no second is served that was not paid for, but for two ticks, and every
//! trouble ends in storing what there is.

use super::state::{Ending, Phase};

/// What is known of a lease at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The engine's word.
    pub(crate) container: Container,
    /// It was found that it cannot be run here.
    pub(crate) refused: bool,
    /// Its payer asked to stop it.
    pub(crate) stop_asked: bool,
    /// The payer takes his money back, or the channel takes no vouchers any more.
    pub(crate) money_leaves: bool,
    /// More seconds are paid for than were served.
    pub(crate) paid: bool,
    /// So many seconds are unpaid that stopping now ends within two ticks.
    pub(crate) unpaid: bool,
    /// It stands ready and nobody pays.
    pub(crate) ready_overdue: bool,
    /// The longest that it may run is over.
    pub(crate) time_over: bool,
    /// It wrote more than it may.
    pub(crate) disk_over: bool,
    /// The engine has been away for longer than allowed.
    pub(crate) engine_lost: bool,
    /// The payer's side has everything, or has had its time.
    pub(crate) delivered: bool,
    /// What was kept for the payer was kept long enough.
    pub(crate) kept_over: bool,
}

/// A container as the engine tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// The engine does not answer.
    Unknown,
    /// There is none.
    Missing,
    /// It has never run.
    Created,
    /// It runs.
    Running,
    /// Its program ended.
    Exited,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing until something changes.
    Wait,
    /// Fetch and check spec, image and inputs.
    Fetch,
    /// Load the image and make the container.
    Prepare,
    /// It is paid for: the clock and the program run from now on.
    Begin,
    /// Start the program.
    RunProgram,
    /// The program ended by itself.
    NoteExit,
    /// Go over to stopping, for this reason.
    End(Ending),
    /// Stop the program.
    Stop,
    /// Store outputs and log, sign the record.
    Collect,
    /// Hand over results, log and record.
    Deliver,
    /// Remove what was kept.
    Remove,
    /// The lease is over.
    Rest,
}

/// What to do next.
pub(crate) fn next(phase: Phase, seen: &Seen) -> Step {
    match phase {
        Phase::Opened | Phase::Fetching | Phase::Preparing | Phase::Ready => before_the_clock(phase, seen),
        Phase::Running => on_the_clock(seen),
        Phase::Stopping => Step::Stop,
        Phase::Collecting => Step::Collect,
        Phase::Done if seen.kept_over => Step::Remove,
        Phase::Done if !seen.delivered => Step::Deliver,
        Phase::Done => Step::Wait,
        Phase::Removed => Step::Rest,
    }
}

fn before_the_clock(phase: Phase, seen: &Seen) -> Step {
    if seen.stop_asked {
        return Step::End(Ending::Stopped);
    }
    if seen.money_leaves {
        return Step::End(Ending::MoneyLeaves);
    }
    if seen.refused {
        return Step::End(Ending::Refused);
    }
    match phase {
        Phase::Opened | Phase::Fetching => Step::Fetch,
        Phase::Preparing => Step::Prepare,
        _ if seen.paid => Step::Begin,
        _ if seen.ready_overdue => Step::End(Ending::Unpaid),
        _ => Step::Wait,
    }
}

fn on_the_clock(seen: &Seen) -> Step {
    match seen.container {
        Container::Exited => return Step::NoteExit,
        Container::Missing => return Step::End(Ending::ContainerGone),
        Container::Unknown if seen.engine_lost => return Step::End(Ending::EngineGone),
        _ => {}
    }
    let ending = [
        (seen.stop_asked, Ending::Stopped),
        (seen.money_leaves, Ending::MoneyLeaves),
        (seen.unpaid, Ending::Unpaid),
        (seen.time_over, Ending::TimeOver),
        (seen.disk_over, Ending::DiskOver),
    ];
    if let Some((_, ending)) = ending.into_iter().find(|(is_so, _)| *is_so) {
        return Step::End(ending);
    }
    match seen.container {
        Container::Created => Step::RunProgram,
        _ => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: [Phase; 4] = [Phase::Opened, Phase::Fetching, Phase::Preparing, Phase::Ready];
    const CONTAINERS: [Container; 5] =
        [Container::Unknown, Container::Missing, Container::Created, Container::Running, Container::Exited];

    fn seen() -> Seen {
        Seen {
            container: Container::Created,
            refused: false,
            stop_asked: false,
            money_leaves: false,
            paid: false,
            unpaid: false,
            ready_overdue: false,
            time_over: false,
            disk_over: false,
            engine_lost: false,
            delivered: false,
            kept_over: false,
        }
    }

    fn check(phase: Phase, change: impl FnOnce(&mut Seen), expected: Step) {
        let mut seen = seen();
        change(&mut seen);
        assert_eq!(next(phase, &seen), expected, "{phase:?} {seen:?}");
    }

    #[test]
    fn nothing_runs_before_somebody_paid() {
        for phase in EARLY {
            for container in CONTAINERS {
                let seen = Seen { container, ..seen() };
                assert!(!matches!(next(phase, &seen), Step::Begin | Step::RunProgram), "{phase:?} {container:?}");
            }
        }
        check(Phase::Ready, |seen| seen.paid = true, Step::Begin);
        for phase in &EARLY[..3] {
            let step = next(*phase, &Seen { paid: true, ..seen() });
            assert!(matches!(step, Step::Fetch | Step::Prepare), "paid early is no reason to run unprepared");
        }
        check(Phase::Ready, |seen| seen.ready_overdue = true, Step::End(Ending::Unpaid));
        check(Phase::Ready, |seen| (seen.ready_overdue, seen.paid) = (true, true), Step::Begin);
    }

    #[test]
    fn who_stops_paying_is_stopped() {
        for container in [Container::Created, Container::Running, Container::Unknown] {
            let set = |seen: &mut Seen| (seen.container, seen.unpaid) = (container, true);
            check(Phase::Running, set, Step::End(Ending::Unpaid));
        }
        check(Phase::Running, |seen| seen.container = Container::Running, Step::Wait);
        check(Phase::Stopping, |seen| (seen.container, seen.paid) = (Container::Running, true), Step::Stop);
    }

    #[test]
    fn money_that_leaves_ends_the_service_at_once() {
        for phase in EARLY.into_iter().chain([Phase::Running]) {
            check(phase, |seen| (seen.money_leaves, seen.paid) = (true, true), Step::End(Ending::MoneyLeaves));
        }
    }

    #[test]
    fn a_program_that_ended_is_no_unpaid_one() {
        check(Phase::Running, |seen| (seen.container, seen.unpaid) = (Container::Exited, true), Step::NoteExit);
    }

    #[test]
    fn a_container_that_is_gone_is_never_made_again() {
        let gone = Step::End(Ending::ContainerGone);
        check(Phase::Running, |seen| (seen.container, seen.paid) = (Container::Missing, true), gone);
    }

    #[test]
    fn the_end() {
        check(Phase::Running, |seen| seen.stop_asked = true, Step::End(Ending::Stopped));
        check(Phase::Running, |seen| seen.time_over = true, Step::End(Ending::TimeOver));
        check(Phase::Running, |seen| seen.disk_over = true, Step::End(Ending::DiskOver));
        let lost = |seen: &mut Seen| (seen.container, seen.engine_lost) = (Container::Unknown, true);
        check(Phase::Running, lost, Step::End(Ending::EngineGone));
        check(Phase::Collecting, |_| (), Step::Collect);
        check(Phase::Done, |_| (), Step::Deliver);
        check(Phase::Done, |seen| seen.delivered = true, Step::Wait);
        check(Phase::Done, |seen| seen.kept_over = true, Step::Remove);
        check(Phase::Removed, |_| (), Step::Rest);
    }
}
