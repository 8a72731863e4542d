// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract PauseJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheAgent() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        expectNotAllowed(renter);
        vm.prank(renter);
        market.pauseJob(t);
    }

    function test_RevertWhen_TheJobIsNotRunning() external {
        // it reverts with WrongStatus
        Terms memory t = pausedAfter(10);
        expectWrongStatus(t, Status.Paused);
        vm.prank(agent);
        market.pauseJob(t);
    }

    function test_RevertWhen_TheClockIsOver() external {
        // it reverts with TooLate
        Terms memory t = running();
        skip(DURATION + 1);
        expectTooLate(START + DURATION);
        vm.prank(agent);
        market.pauseJob(t);
    }

    function test_RevertWhen_TheClockWasHeldForADay() external {
        // it reverts with NoPauseLeft
        Terms memory t = pausedAfter(100);
        skip(24 hours);
        vm.startPrank(agent);
        market.resumeJob(t);
        skip(100);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NoPauseLeft.selector, market.jobIdOf(t)));
        market.pauseJob(t);
    }

    function test_When_TheJobRuns() external {
        // it stops the clock
        Terms memory t = running();
        skip(100);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobPaused(market.jobIdOf(t));
        vm.prank(agent);
        market.pauseJob(t);
        assertEq(jobOf(t).endedAt, time());
        skip(1 hours);
        assertEq(market.payableNow(t), netOf(100 * SECOND));
        assertBusy(true);
    }
}
