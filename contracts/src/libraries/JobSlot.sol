// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, State, Status} from "../types/Job.sol";

/// A job's `State` in one word, first field lowest; so that any change of it is one read and one write of storage. The
/// word of a job that exists is never zero, because its status is not.
library JobSlot {
    uint256 private constant OUTCOME = 8;
    uint256 private constant FEE_BPS = 16;
    uint256 private constant SINCE = 32;
    uint256 private constant STARTED_AT = 72;
    uint256 private constant ENDED_AT = 112;
    uint256 private constant PAID_SECONDS = 152;
    uint256 private constant PAUSED_SECONDS = 184;
    uint256 private constant EXTRA_SECONDS = 216;
    uint256 private constant COVER_SECONDS = 240;

    function pack(State memory job) internal pure returns (uint256 word) {
        word = uint256(job.status);
        word |= uint256(job.outcome) << OUTCOME;
        word |= uint256(job.feeBps) << FEE_BPS;
        word |= uint256(job.since) << SINCE;
        word |= uint256(job.startedAt) << STARTED_AT;
        word |= uint256(job.endedAt) << ENDED_AT;
        word |= uint256(job.paidSeconds) << PAID_SECONDS;
        word |= uint256(job.pausedSeconds) << PAUSED_SECONDS;
        word |= uint256(job.extraSeconds) << EXTRA_SECONDS;
        word |= uint256(job.coverSeconds) << COVER_SECONDS;
    }

    /// The word with another `paidSeconds`, for a payment in the middle of a job.
    function withPaidSeconds(uint256 word, uint32 paidSeconds) internal pure returns (uint256) {
        uint256 mask = uint256(type(uint32).max) << PAID_SECONDS;
        return word & ~mask | uint256(paidSeconds) << PAID_SECONDS;
    }

    /// The word with another `extraSeconds`.
    function withExtraSeconds(uint256 word, uint24 extraSeconds) internal pure returns (uint256) {
        uint256 mask = uint256(type(uint24).max) << EXTRA_SECONDS;
        return word & ~mask | uint256(extraSeconds) << EXTRA_SECONDS;
    }

    function unpack(uint256 word) internal pure returns (State memory job) {
        job.status = Status(uint8(word));
        job.outcome = Outcome(uint8(word >> OUTCOME));
        job.feeBps = uint16(word >> FEE_BPS);
        job.since = uint40(word >> SINCE);
        job.startedAt = uint40(word >> STARTED_AT);
        job.endedAt = uint40(word >> ENDED_AT);
        job.paidSeconds = uint32(word >> PAID_SECONDS);
        job.pausedSeconds = uint32(word >> PAUSED_SECONDS);
        job.extraSeconds = uint24(word >> EXTRA_SECONDS);
        job.coverSeconds = uint16(word >> COVER_SECONDS);
    }
}
