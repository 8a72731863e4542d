//! The state machine: what to do next, from where the job stands and what is seen. Pure; the loop carries it out.
//!
//! Money decides the order. Before the clock runs every trouble ends in a refusal with a full refund; from then on
//! every trouble ends in a completion that says whose fault it was. The chain's word is above the agent's: when it
//! says that the job is over, the program is stopped and what is left is delivered.

use market::Status;

use super::state::Phase;

/// What is known about a job at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The chain's word; `None` before it was asked.
    pub(crate) chain: Option<Status>,
    /// The engine's word.
    pub(crate) container: Container,
    /// An acceptance is on its way.
    pub(crate) accepting: bool,
    /// Something found that the job cannot be run here.
    pub(crate) refused: bool,
    /// The chain was asked after the start was last sent; without a start, always.
    pub(crate) is_news: bool,
    /// A container that has never run stands as the readiness record says.
    pub(crate) prepared: bool,
    /// The controller's signature is here and still good.
    pub(crate) go: Option<Go>,
    /// The controller took too long.
    pub(crate) ready_overdue: bool,
    /// The readiness record was told.
    pub(crate) ready_told: bool,
    /// The agreed moment of the start has come.
    pub(crate) may_start: bool,
    /// The seconds that were bought are over.
    pub(crate) clock_over: bool,
    /// The job wrote more than it may.
    pub(crate) disk_over: bool,
    /// The engine has been away for longer than allowed.
    pub(crate) engine_lost: bool,
    /// The chain has denied the start for longer than allowed.
    pub(crate) undone_too_long: bool,
    /// Storing the outputs takes its time, which is not the renter's.
    pub(crate) pause_due: bool,
    /// It is time to collect what was earned.
    pub(crate) payment_due: bool,
    /// The chain refused the completion for good: it came too late.
    pub(crate) completion_refused: bool,
    /// The renter's side has everything, or has had its time.
    pub(crate) delivered: bool,
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

/// Whether a controller's signature can still start the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    /// It can.
    Fresh,
    /// Its time is over.
    Stale,
}

/// Why a program is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The chain says that the job is over.
    OverOnChain,
    /// The seconds that were bought are over.
    ClockOver,
    /// It wrote more than it may.
    DiskOver,
}

/// Why a job is given up while its clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The container is gone.
    ContainerGone,
    /// The engine stayed away.
    EngineGone,
    /// The clock runs but this agent knows nothing of a container.
    NotPrepared,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing until something changes.
    Wait,
    /// Ask the chain where the job stands.
    AskChain,
    /// Send the acceptance, without waiting for it.
    Accept,
    /// Fetch and check spec, image and inputs.
    Fetch,
    /// Load the image, make the container, sign the record.
    Prepare,
    /// Tell the controller that everything stands.
    TellReady,
    /// The controller agreed.
    Agree,
    /// Send the start.
    Start,
    /// The signature is too old: ask for another.
    AskAgain,
    /// The start is confirmed.
    Confirm,
    /// Start the program.
    RunProgram,
    /// Go on after a report of silence.
    Resume,
    /// Collect what was earned so far.
    ProcessPayment,
    /// Stop the program.
    Stop(Why),
    /// The program ended by itself.
    NoteExit,
    /// The program cannot go on.
    Abort(Fault),
    /// Kill a program that ran without a clock and refuse the job.
    Undo,
    /// Stop the clock while outputs are stored.
    Pause,
    /// Store outputs and log, sign the record.
    Collect,
    /// Report the end.
    Complete,
    /// Settle a job that can no longer be completed.
    Close,
    /// The chain knows the end.
    Settled,
    /// Go over to refusing.
    Refuse,
    /// Send the refusal.
    Decline,
    /// Hand over results, log and record.
    Deliver,
    /// Everything is handed over.
    Delivered,
    /// Remove container, scratch and inputs.
    CleanUp,
    /// The job is over.
    Rest,
}

/// What to do next.
pub(crate) fn next(phase: Phase, seen: &Seen) -> Step {
    let Some(chain) = seen.chain else { return Step::AskChain };
    match phase {
        Phase::Assigned | Phase::Fetching | Phase::Preparing | Phase::Ready | Phase::Starting => {
            before_the_clock(phase, chain, seen)
        }
        Phase::Running => on_the_clock(chain, seen),
        Phase::Collecting if chain == Status::Running && seen.pause_due => Step::Pause,
        Phase::Collecting => Step::Collect,
        Phase::Completing => match chain {
            Status::None | Status::Created | Status::Accepted if seen.undone_too_long => Step::Undo,
            Status::None => Step::Wait,
            Status::Created | Status::Accepted => Step::Start,
            status if status.has_clock() && seen.completion_refused => Step::Close,
            status if status.has_clock() => Step::Complete,
            _ => Step::Settled,
        },
        Phase::Declining => match chain {
            Status::Created | Status::Accepted => Step::Decline,
            // A start that was thought lost was mined: the renter pays by the second and gets what he pays for.
            status if status.has_clock() => clock_found(seen),
            _ => Step::Settled,
        },
        Phase::Delivering if seen.delivered => Step::Delivered,
        Phase::Delivering => Step::Deliver,
        Phase::CleaningUp => Step::CleanUp,
        Phase::Done => Step::Rest,
    }
}

/// The clock runs, told or untold: what stands ready is run, what does not is given up.
fn clock_found(seen: &Seen) -> Step {
    if seen.prepared { Step::Confirm } else { Step::Abort(Fault::NotPrepared) }
}

fn before_the_clock(phase: Phase, chain: Status, seen: &Seen) -> Step {
    match chain {
        // It was reorganised away, cancelled or closed: nobody waits for it.
        status if status == Status::None || status.is_over() => return Step::Settled,
        status if status.has_clock() => {
            let stands = matches!(phase, Phase::Ready | Phase::Starting);
            return if stands { clock_found(seen) } else { Step::Abort(Fault::NotPrepared) };
        }
        // What became of a start is not known before the chain was asked again: it may have been mined.
        _ if seen.refused => return if seen.is_news { Step::Refuse } else { Step::AskChain },
        Status::Created if !seen.accepting && phase != Phase::Starting => return Step::Accept,
        _ => {}
    }
    // An acceptance on its way is as good as one that is mined: the start, sent after it by the same key, comes after
    // it on chain, and the renter is spared a block.
    let taken = chain == Status::Accepted || seen.accepting;
    match (phase, seen.go) {
        (Phase::Assigned | Phase::Fetching, _) => Step::Fetch,
        (Phase::Preparing, _) => Step::Prepare,
        (Phase::Starting, Some(Go::Fresh)) => Step::Start,
        (Phase::Starting, _) if !seen.is_news => Step::AskChain,
        (Phase::Starting, _) => Step::AskAgain,
        (_, Some(Go::Fresh)) if taken => Step::Agree,
        _ if seen.ready_overdue => Step::Refuse,
        _ if !seen.ready_told && seen.may_start && taken => Step::TellReady,
        _ => Step::Wait,
    }
}

fn on_the_clock(chain: Status, seen: &Seen) -> Step {
    if chain.is_over() {
        return Step::Stop(Why::OverOnChain);
    }
    if !chain.has_clock() {
        // A reorganisation took the start away. It is sent again as long as it can be; the program is left alone,
        // for nothing but the chain's order of blocks has changed.
        return match chain {
            _ if seen.undone_too_long => Step::Undo,
            Status::None => Step::Wait,
            _ => Step::Start,
        };
    }
    match seen.container {
        Container::Unknown if seen.engine_lost => Step::Abort(Fault::EngineGone),
        Container::Unknown => Step::Wait,
        // Before the start mark the program cannot have run, but what stood ready is gone: the clock runs on nothing.
        Container::Missing => Step::Abort(Fault::ContainerGone),
        Container::Created if seen.clock_over => Step::Stop(Why::ClockOver),
        Container::Created => Step::RunProgram,
        Container::Exited => Step::NoteExit,
        Container::Running if seen.clock_over => Step::Stop(Why::ClockOver),
        Container::Running if seen.disk_over => Step::Stop(Why::DiskOver),
        Container::Running if chain == Status::Silent => Step::Resume,
        Container::Running if seen.payment_due => Step::ProcessPayment,
        Container::Running => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(chain: Status) -> Seen {
        Seen {
            chain: Some(chain),
            container: Container::Missing,
            accepting: false,
            refused: false,
            is_news: true,
            prepared: true,
            go: None,
            ready_overdue: false,
            ready_told: false,
            may_start: true,
            clock_over: false,
            disk_over: false,
            engine_lost: false,
            undone_too_long: false,
            pause_due: false,
            payment_due: false,
            completion_refused: false,
            delivered: false,
        }
    }

    /// `phase, chain, what else is seen → step`.
    #[track_caller]
    fn check(phase: Phase, chain: Status, change: impl FnOnce(&mut Seen), step: Step) {
        let mut seen = seen(chain);
        change(&mut seen);
        assert_eq!(next(phase, &seen), step, "{phase:?} {seen:?}");
    }

    const EARLY: [Phase; 5] = [Phase::Assigned, Phase::Fetching, Phase::Preparing, Phase::Ready, Phase::Starting];

    #[test]
    fn nothing_is_done_before_the_chain_was_asked() {
        for phase in EARLY.into_iter().chain([Phase::Running, Phase::Completing, Phase::Declining]) {
            check(phase, Status::None, |seen| seen.chain = None, Step::AskChain);
        }
    }

    #[test]
    fn before_the_clock() {
        use Status::{Accepted, Created};
        check(Phase::Assigned, Created, |_| (), Step::Accept);
        check(Phase::Assigned, Created, |seen| seen.accepting = true, Step::Fetch);
        check(Phase::Fetching, Accepted, |_| (), Step::Fetch);
        check(Phase::Preparing, Accepted, |_| (), Step::Prepare);
        check(Phase::Ready, Created, |seen| seen.accepting = true, Step::TellReady);
        check(Phase::Ready, Created, |seen| (seen.accepting, seen.go) = (true, Some(Go::Fresh)), Step::Agree);
        check(Phase::Ready, Created, |seen| seen.go = Some(Go::Fresh), Step::Accept);
        check(Phase::Ready, Accepted, |_| (), Step::TellReady);
        check(Phase::Ready, Accepted, |seen| seen.may_start = false, Step::Wait);
        check(Phase::Ready, Accepted, |seen| seen.ready_told = true, Step::Wait);
        check(Phase::Ready, Accepted, |seen| seen.go = Some(Go::Fresh), Step::Agree);
        check(Phase::Ready, Accepted, |seen| (seen.ready_told, seen.go) = (true, Some(Go::Stale)), Step::Wait);
        check(Phase::Ready, Accepted, |seen| seen.ready_overdue = true, Step::Refuse);
        check(Phase::Starting, Accepted, |seen| seen.go = Some(Go::Fresh), Step::Start);
        check(Phase::Starting, Created, |seen| seen.go = Some(Go::Fresh), Step::Start);
        check(Phase::Starting, Accepted, |seen| seen.go = Some(Go::Stale), Step::AskAgain);
        check(Phase::Starting, Status::Running, |_| (), Step::Confirm);
    }

    #[test]
    fn a_start_of_unknown_fate_is_not_taken_for_lost() {
        use Status::{Accepted, Paused, Running, Silent};
        for clock in [Running, Paused, Silent] {
            for phase in [Phase::Ready, Phase::Starting, Phase::Declining] {
                check(phase, clock, |seen| seen.refused = true, Step::Confirm);
                check(phase, clock, |seen| seen.prepared = false, Step::Abort(Fault::NotPrepared));
            }
        }
        check(Phase::Starting, Accepted, |seen| (seen.refused, seen.is_news) = (true, false), Step::AskChain);
        check(Phase::Starting, Accepted, |seen| (seen.go, seen.is_news) = (Some(Go::Stale), false), Step::AskChain);
        check(Phase::Starting, Accepted, |seen| seen.is_news = false, Step::AskChain);
        check(Phase::Starting, Accepted, |seen| (seen.go, seen.is_news) = (Some(Go::Fresh), false), Step::Start);
        check(Phase::Ready, Accepted, |seen| (seen.refused, seen.is_news) = (true, false), Step::AskChain);
    }

    #[test]
    fn a_refusal_before_the_clock_is_a_refund_and_never_a_completion() {
        for phase in EARLY {
            for chain in [Status::Created, Status::Accepted] {
                check(phase, chain, |seen| seen.refused = true, Step::Refuse);
            }
            for chain in [Status::None, Status::Cancelled, Status::Final] {
                check(phase, chain, |seen| seen.refused = true, Step::Settled);
            }
        }
        check(Phase::Declining, Status::Accepted, |_| (), Step::Decline);
        check(Phase::Declining, Status::Cancelled, |_| (), Step::Settled);
        check(Phase::Declining, Status::None, |_| (), Step::Settled);
    }

    #[test]
    fn the_program_runs_only_on_a_confirmed_clock() {
        for phase in EARLY {
            for chain in [Status::Created, Status::Accepted] {
                for go in [None, Some(Go::Fresh), Some(Go::Stale)] {
                    let seen = Seen { go, container: Container::Created, ..seen(chain) };
                    assert_ne!(next(phase, &seen), Step::RunProgram);
                }
            }
        }
        check(Phase::Running, Status::Running, |seen| seen.container = Container::Created, Step::RunProgram);
        check(Phase::Running, Status::Accepted, |seen| seen.container = Container::Created, Step::Start);
    }

    #[test]
    fn a_container_that_is_gone_is_never_made_again() {
        check(Phase::Running, Status::Running, |_| (), Step::Abort(Fault::ContainerGone));
        for phase in [Phase::Assigned, Phase::Fetching, Phase::Preparing] {
            check(phase, Status::Running, |_| (), Step::Abort(Fault::NotPrepared));
        }
    }

    #[test]
    fn on_the_clock() {
        use Container::{Exited, Running, Unknown};
        let running = Status::Running;
        check(Phase::Running, running, |seen| seen.container = Running, Step::Wait);
        check(Phase::Running, running, |seen| seen.container = Exited, Step::NoteExit);
        check(Phase::Running, running, |seen| seen.container = Unknown, Step::Wait);
        check(
            Phase::Running,
            running,
            |seen| (seen.container, seen.engine_lost) = (Unknown, true),
            Step::Abort(Fault::EngineGone),
        );
        check(
            Phase::Running,
            running,
            |seen| (seen.container, seen.clock_over) = (Running, true),
            Step::Stop(Why::ClockOver),
        );
        check(
            Phase::Running,
            running,
            |seen| (seen.container, seen.disk_over) = (Running, true),
            Step::Stop(Why::DiskOver),
        );
        check(
            Phase::Running,
            running,
            |seen| (seen.container, seen.payment_due) = (Running, true),
            Step::ProcessPayment,
        );
        check(Phase::Running, Status::Silent, |seen| seen.container = Running, Step::Resume);
        for container in [Container::Missing, Container::Created, Running, Exited, Unknown] {
            check(Phase::Running, Status::Final, |seen| seen.container = container, Step::Stop(Why::OverOnChain));
        }
    }

    #[test]
    fn a_start_that_vanished_is_sent_again_and_then_undone() {
        for phase in [Phase::Running, Phase::Completing] {
            check(phase, Status::Accepted, |seen| seen.container = Container::Running, Step::Start);
            check(phase, Status::None, |seen| seen.container = Container::Running, Step::Wait);
            for chain in [Status::None, Status::Created, Status::Accepted] {
                check(phase, chain, |seen| seen.undone_too_long = true, Step::Undo);
            }
        }
    }

    #[test]
    fn the_end() {
        check(Phase::Collecting, Status::Running, |_| (), Step::Collect);
        check(Phase::Collecting, Status::Running, |seen| seen.pause_due = true, Step::Pause);
        check(Phase::Collecting, Status::Paused, |seen| seen.pause_due = true, Step::Collect);
        check(Phase::Completing, Status::Paused, |_| (), Step::Complete);
        check(Phase::Collecting, Status::Final, |_| (), Step::Collect);
        check(Phase::Completing, Status::Running, |_| (), Step::Complete);
        check(Phase::Completing, Status::Silent, |_| (), Step::Complete);
        check(Phase::Completing, Status::Silent, |seen| seen.completion_refused = true, Step::Close);
        check(Phase::Completing, Status::Final, |_| (), Step::Settled);
        check(Phase::Delivering, Status::Final, |_| (), Step::Deliver);
        check(Phase::Delivering, Status::Final, |seen| seen.delivered = true, Step::Delivered);
        check(Phase::CleaningUp, Status::Final, |_| (), Step::CleanUp);
        check(Phase::Done, Status::Final, |_| (), Step::Rest);
    }
}
