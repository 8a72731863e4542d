// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract PayableNowTest is MarketTest {
    function test_When_TheClockWasNeverStarted() external {
        // it is zero
        assertEq(market.payableNow(accepted()), 0);
    }

    function test_When_LessThanTheMinimumIsEarned() external {
        // it is zero, unless the cover is worth the minimum
        Terms memory covered = running();
        skip(59);
        assertEq(market.payableNow(covered), netOf(MIN_CHARGE));
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(WINDOW + 59);
        assertEq(market.payableNow(t), 0);
        skip(1);
        assertEq(market.payableNow(t), netOf(MIN_CHARGE));
    }

    function testFuzz_When_TheClockRuns(uint32 ran, uint32 more) external {
        // it is what processPayment then pays
        Terms memory t = running();
        skip(bound(ran, 60, DURATION));
        pay(t);
        skip(bound(more, 1, DURATION));
        uint256 before = token.balanceOf(payout);
        uint256 due = market.payableNow(t);
        if (due != 0) pay(t);
        assertEq(token.balanceOf(payout) - before, due);
    }

    function test_When_TheJobIsOver() external {
        // it is zero
        assertEq(market.payableNow(completed()), 0);
    }
}
