// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, State, Status} from "../types/Job.sol";

/// A job's `State` in one word, first field lowest: verbs read the few fields that they need and write the word back at
/// once. The word of a job that exists is never zero, because its status is not.
type PackedJob is uint256;

using JobSlot for PackedJob global;

/// The fields of a packed job by name: `field` reads one, `withField` gives the word with another value of it.
library JobSlot {
    uint256 private constant STATUS = 0;
    uint256 private constant OUTCOME = 8;
    uint256 private constant FEE_BPS = 16;
    uint256 private constant SINCE = 32;
    uint256 private constant STARTED_AT = 72;
    uint256 private constant ENDED_AT = 112;
    uint256 private constant PAID_SECONDS = 152;
    uint256 private constant PAUSED_SECONDS = 184;
    uint256 private constant EXTRA_SECONDS = 216;
    uint256 private constant COVER_SECONDS = 240;

    function unpack(PackedJob job) internal pure returns (State memory) {
        return State({
            status: job.status(),
            outcome: job.outcome(),
            feeBps: job.feeBps(),
            since: job.since(),
            startedAt: job.startedAt(),
            endedAt: job.endedAt(),
            paidSeconds: job.paidSeconds(),
            pausedSeconds: job.pausedSeconds(),
            extraSeconds: job.extraSeconds(),
            coverSeconds: job.coverSeconds()
        });
    }

    function status(PackedJob job) internal pure returns (Status) {
        return Status(uint8(PackedJob.unwrap(job) >> STATUS));
    }

    function outcome(PackedJob job) internal pure returns (Outcome) {
        return Outcome(uint8(PackedJob.unwrap(job) >> OUTCOME));
    }

    function feeBps(PackedJob job) internal pure returns (uint16) {
        return uint16(PackedJob.unwrap(job) >> FEE_BPS);
    }

    function since(PackedJob job) internal pure returns (uint40) {
        return uint40(PackedJob.unwrap(job) >> SINCE);
    }

    function startedAt(PackedJob job) internal pure returns (uint40) {
        return uint40(PackedJob.unwrap(job) >> STARTED_AT);
    }

    function endedAt(PackedJob job) internal pure returns (uint40) {
        return uint40(PackedJob.unwrap(job) >> ENDED_AT);
    }

    function paidSeconds(PackedJob job) internal pure returns (uint32) {
        return uint32(PackedJob.unwrap(job) >> PAID_SECONDS);
    }

    function pausedSeconds(PackedJob job) internal pure returns (uint32) {
        return uint32(PackedJob.unwrap(job) >> PAUSED_SECONDS);
    }

    function extraSeconds(PackedJob job) internal pure returns (uint24) {
        return uint24(PackedJob.unwrap(job) >> EXTRA_SECONDS);
    }

    function coverSeconds(PackedJob job) internal pure returns (uint16) {
        return uint16(PackedJob.unwrap(job) >> COVER_SECONDS);
    }

    function withStatus(PackedJob job, Status value) internal pure returns (PackedJob) {
        return _with(job, STATUS, type(uint8).max, uint8(value));
    }

    function withOutcome(PackedJob job, Outcome value) internal pure returns (PackedJob) {
        return _with(job, OUTCOME, type(uint8).max, uint8(value));
    }

    function withFeeBps(PackedJob job, uint16 value) internal pure returns (PackedJob) {
        return _with(job, FEE_BPS, type(uint16).max, value);
    }

    function withSince(PackedJob job, uint40 value) internal pure returns (PackedJob) {
        return _with(job, SINCE, type(uint40).max, value);
    }

    function withStartedAt(PackedJob job, uint40 value) internal pure returns (PackedJob) {
        return _with(job, STARTED_AT, type(uint40).max, value);
    }

    function withEndedAt(PackedJob job, uint40 value) internal pure returns (PackedJob) {
        return _with(job, ENDED_AT, type(uint40).max, value);
    }

    function withPaidSeconds(PackedJob job, uint32 value) internal pure returns (PackedJob) {
        return _with(job, PAID_SECONDS, type(uint32).max, value);
    }

    function withPausedSeconds(PackedJob job, uint32 value) internal pure returns (PackedJob) {
        return _with(job, PAUSED_SECONDS, type(uint32).max, value);
    }

    function withExtraSeconds(PackedJob job, uint24 value) internal pure returns (PackedJob) {
        return _with(job, EXTRA_SECONDS, type(uint24).max, value);
    }

    function withCoverSeconds(PackedJob job, uint16 value) internal pure returns (PackedJob) {
        return _with(job, COVER_SECONDS, type(uint16).max, value);
    }

    function _with(PackedJob job, uint256 offset, uint256 mask, uint256 value) private pure returns (PackedJob) {
        return PackedJob.wrap(PackedJob.unwrap(job) & ~(mask << offset) | value << offset);
    }
}
