// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Totals} from "../interfaces/IReputation.sol";

/// A provider's score from totals, in whole parts per million. The formula stands in `IReputation`.
library Score {
    uint256 internal constant SCORE_MAX = 1000;
    uint256 private constant PPM = 1_000_000;
    /// A challenge that takes this long counts as not answered.
    uint256 private constant ANSWER_MILLIS_MAX = 30_000;
    /// Of 1000 points.
    uint256 private constant UPTIME_POINTS = 400;
    uint256 private constant RESPONSE_POINTS = 200;
    uint256 private constant COMPLETION_POINTS = 300;
    uint256 private constant DISPUTE_POINTS = 100;

    function formula(Totals memory totals) internal pure returns (uint256) {
        uint256 started = totals.started;
        uint256 failed = uint256(totals.silent) + totals.aborted + totals.lost;
        uint256 uptime = totals.listedSeconds == 0 ? PPM : PPM * totals.seenSeconds / totals.listedSeconds;
        uint256 completion = started == 0 ? PPM : PPM * (started - failed) / started;
        uint256 undisputed = started == 0 ? PPM : PPM * (started - totals.lost) / started;
        uint256 sum = UPTIME_POINTS * uptime + RESPONSE_POINTS * _response(totals) + COMPLETION_POINTS * completion
            + DISPUTE_POINTS * undisputed;
        return sum / PPM;
    }

    function _response(Totals memory totals) private pure returns (uint256) {
        if (totals.challenges == 0) return PPM;
        uint256 worst = ANSWER_MILLIS_MAX * totals.challenges;
        return totals.answerMillis < worst ? PPM * (worst - totals.answerMillis) / worst : 0;
    }
}
