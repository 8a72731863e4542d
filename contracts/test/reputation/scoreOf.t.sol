// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Totals} from "../../src/interfaces/IReputation.sol";
import {ReputationTest} from "./ReputationTest.sol";

contract ScoreOfTest is ReputationTest {
    function test_When_NothingWasCounted() external view {
        // it is perfect and provisional
        (uint16 found, bool provisional) = reputation.scoreOf(PROVIDER);
        assertEq(found, 1000);
        assertTrue(provisional);
    }

    function test_When_NoJobWasStarted() external {
        // it is provisional, however long the machine was seen
        Totals memory totals = perfect();
        totals.started = 0;
        totals.seenSeconds = 500;
        report(totals);
        (uint16 found, bool provisional) = reputation.scoreOf(PROVIDER);
        assertEq(found, 800);
        assertTrue(provisional);
    }

    function test_When_ItIsTheExampleOfTheFirstDesign() external {
        // it is 989 and no longer provisional
        report(example());
        (uint16 found, bool provisional) = reputation.scoreOf(PROVIDER);
        assertEq(found, 989);
        assertFalse(provisional);
    }

    function test_When_EachPartIsAtItsWorst() external {
        // it loses 400, 200, 300 and 100 points
        Totals memory totals = perfect();
        totals.seenSeconds = 0;
        report(totals);
        assertEq(score(), 600, "uptime");
        totals.challenges = 4;
        totals.answerMillis = 120_000;
        report(totals);
        assertEq(score(), 400, "response");
        totals.silent = 1;
        report(totals);
        assertEq(score(), 100, "completion");
        totals.started = 2;
        totals.lost = 1;
        report(totals);
        assertEq(score(), 50, "half of the jobs disputed");
    }

    function test_When_AnswersTakeHalfTheTime() external {
        // it loses half of the points for them, and none twice when they take longer than the limit
        Totals memory totals = perfect();
        totals.challenges = 2;
        totals.answerMillis = 30_000;
        report(totals);
        assertEq(score(), 900);
        totals.answerMillis = 1_000_000;
        report(totals);
        assertEq(score(), 800);
    }

    function testFuzz_When_AnyTotalsAreReported(Totals memory totals) external {
        // it is the formula in exact fractions, floored, at most a millionth off in each part
        totals.seenSeconds = uint32(bound(totals.seenSeconds, 0, totals.listedSeconds));
        uint256 failed = uint256(totals.silent) + totals.aborted + totals.lost;
        if (failed > type(uint24).max) (totals.silent, totals.aborted, failed) = (0, 0, totals.lost);
        totals.started = uint24(bound(totals.started, failed, type(uint24).max));
        report(totals);

        // The same over one common denominator of 10^18.
        uint256 uptime = totals.listedSeconds == 0 ? 1e18 : 1e18 * uint256(totals.seenSeconds) / totals.listedSeconds;
        uint256 response = 1e18;
        if (totals.challenges != 0) {
            uint256 mean = 1e18 * uint256(totals.answerMillis) / (30_000 * uint256(totals.challenges));
            response = mean < 1e18 ? 1e18 - mean : 0;
        }
        uint256 completion = totals.started == 0 ? 1e18 : 1e18 - 1e18 * failed / totals.started;
        uint256 undisputed = totals.started == 0 ? 1e18 : 1e18 - 1e18 * uint256(totals.lost) / totals.started;
        uint256 exact = 400 * uptime + 200 * response + 300 * completion + 100 * undisputed;
        assertLe(score(), exact / 1e18 + 1);
        assertGe(uint256(score()) * 1e18 + 1e18 + 1e15, exact);
        assertLe(score(), 1000);
    }
}
