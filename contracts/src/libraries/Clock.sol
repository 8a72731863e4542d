// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Status, Terms} from "../types/Job.sol";
import {ACCEPT_WITHIN, COLLECT_WITHIN, PAUSE_WITHIN, SILENCE_WITHIN, START_WITHIN, WINDOW} from "../types/Limits.sol";
import {NO_SECONDS, ONE_SECOND, Seconds} from "../types/Units.sol";
import {PackedJob} from "./JobSlot.sol";
import {TermsLib} from "./TermsLib.sol";

/// A job's clock and the deadlines round it. A deadline is the last second at which the act is still in time.
library Clock {
    using TermsLib for Terms;

    /// Seconds on the clock: at least 1 once it was started, at most what was bought.
    function secondsAt(Terms calldata terms, PackedJob job, uint256 time) internal pure returns (Seconds) {
        if (job.startedAt() == 0) return NO_SECONDS;
        uint256 hand = job.endedAt() == 0 ? time : job.endedAt();
        uint256 zero = uint256(job.startedAt()) + job.pausedSeconds();
        Seconds ran = Seconds.wrap(hand > zero ? hand - zero : 0);
        return ran.max(ONE_SECOND).min(terms.bought(job.extraSeconds()));
    }

    /// Of the seconds on the clock those that ran longer than the dispute window before `time`: nobody can dispute them
    /// any more. At most all of them.
    function undisputed(PackedJob job, Seconds ran, uint256 time) internal pure returns (Seconds) {
        uint256 first = uint256(job.startedAt()) + job.pausedSeconds() + WINDOW;
        return time > first ? Seconds.wrap(time - first).min(ran) : NO_SECONDS;
    }

    /// The second up to which the provider may be paid at `time`: what nobody can dispute, and as much more as stake
    /// covers. Every payout before the last asks here and nowhere else.
    function payableSeconds(Terms calldata terms, PackedJob job, uint256 time) internal pure returns (Seconds) {
        Seconds ran = secondsAt(terms, job, time);
        Seconds vouched = undisputed(job, ran, time) + Seconds.wrap(job.coverSeconds());
        return vouched.min(ran).max(Seconds.wrap(job.paidSeconds()));
    }

    /// Unix time at which the bought seconds are over, unless the clock stands before.
    function end(Terms calldata terms, PackedJob job) internal pure returns (uint256) {
        return uint256(job.startedAt()) + job.pausedSeconds() + Seconds.unwrap(terms.bought(job.extraSeconds()));
    }

    function acceptDeadline(PackedJob job) internal pure returns (uint256) {
        return uint256(job.since()) + ACCEPT_WITHIN;
    }

    /// From Created a start accepts too: in time for accepting, or in time for the start of a reservation. A job whose
    /// `notBefore` was over when it was created is no reservation.
    function startDeadline(Terms calldata terms, PackedJob job) internal pure returns (uint256) {
        if (job.status() == Status.Accepted) return _later(job.since(), terms.notBefore) + START_WITHIN;
        return terms.notBefore > job.since() ? uint256(terms.notBefore) + START_WITHIN : acceptDeadline(job);
    }

    /// What the provider may still hold the clock, of a day in all. Silences used it up as well.
    function pauseLeft(PackedJob job) internal pure returns (uint256) {
        return job.pausedSeconds() < PAUSE_WITHIN ? PAUSE_WITHIN - job.pausedSeconds() : 0;
    }

    /// For a clock that stands: until then the provider may go on with the job or complete it.
    function resumeDeadline(PackedJob job) internal pure returns (uint256) {
        return uint256(job.since()) + (job.status() == Status.Paused ? pauseLeft(job) : SILENCE_WITHIN);
    }

    /// The last second at which the clock still runs: at its end there is nothing left to extend, nor to cut short.
    function lastSecond(Terms calldata terms, PackedJob job) internal pure returns (uint256) {
        return end(terms, job) - 1;
    }

    /// For a job that has ended: until then it may be disputed, and after it finalized.
    function disputeDeadline(PackedJob job) internal pure returns (uint256) {
        return uint256(job.since()) + WINDOW;
    }

    /// After this second anyone may close the job in its present status.
    function closeDeadline(Terms calldata terms, PackedJob job) internal pure returns (uint256) {
        if (job.status() < Status.Running) return startDeadline(terms, job);
        if (job.status() == Status.Running) return end(terms, job) + COLLECT_WITHIN;
        return resumeDeadline(job);
    }

    /// Where a silence stops the clock: when the agent was last seen, but never before the clock last began to run
    /// and never before a second that is already paid.
    function standsAt(PackedJob job, uint40 lastSeen, uint256 time) internal pure returns (uint40) {
        uint256 paidUntil = uint256(job.startedAt()) + job.pausedSeconds() + job.paidSeconds();
        uint256 stands = _later(_later(lastSeen, job.since()), paidUntil);
        // The first second is due as soon as the clock starts, so it can be paid before it has passed.
        return uint40(stands < time ? stands : time);
    }

    function _later(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? b : a;
    }
}
