// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ResumeJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheAgent() external {
        // it reverts with NotAllowed
        Terms memory t = pausedAfter(100);
        expectNotAllowed(owner);
        vm.prank(owner);
        market.resumeJob(t);
    }

    function test_RevertWhen_TheClockRuns() external {
        // it reverts with WrongStatus
        Terms memory t = running();
        expectWrongStatus(t, Status.Running);
        resume(t);
    }

    function test_RevertWhen_ThePauseIsOverADay() external {
        // it reverts with TooLate
        Terms memory t = pausedAfter(100);
        uint40 deadline = time() + 24 hours;
        skip(24 hours + 1);
        expectTooLate(deadline);
        resume(t);
    }

    function test_RevertWhen_PausesAreOverADayTogether() external {
        // it reverts with TooLate, and silences count
        Terms memory t = silentAfter(100);
        skip(10 minutes);
        resume(t);
        vm.prank(agent);
        market.pauseJob(t);
        uint256 deadline = time() + 24 hours - 10 minutes;
        skip(24 hours - 10 minutes + 1);
        expectTooLate(deadline);
        resume(t);
    }

    function test_When_ItIsSilentAndTheDayIsUsedUp() external {
        // it still has its ten minutes
        Terms memory t = pausedAfter(100);
        skip(24 hours);
        resume(t);
        skip(10);
        report(t, time());
        skip(10 minutes);
        resume(t);
        assertEq(jobOf(t).pausedSeconds, 24 hours + 10 minutes);
        bytes32 jobId = market.jobIdOf(t);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NoPauseLeft.selector, jobId));
        vm.prank(agent);
        market.pauseJob(t);
    }

    function test_RevertWhen_TheSilenceIsOverTenMinutes() external {
        // it reverts with TooLate
        Terms memory t = silentAfter(100);
        uint40 deadline = time() + 10 minutes;
        skip(10 minutes + 1);
        expectTooLate(deadline);
        resume(t);
    }

    function test_When_ItIsPaused() external {
        // it goes on and the gap is not billed
        Terms memory t = pausedAfter(100);
        skip(24 hours);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobResumed(market.jobIdOf(t), 24 hours);
        resume(t);
        State memory job = jobOf(t);
        assertEq(job.pausedSeconds, 24 hours);
        assertEq(job.endedAt, 0);
        assertEq(job.since, time());
        skip(50);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 150 * SECOND, LOCKED);
    }

    function test_When_ItIsSilent() external {
        // it goes on from where the agent was last seen
        Terms memory t = running();
        skip(1000);
        report(t, time() - 240);
        skip(10 minutes);
        resume(t);
        assertEq(jobOf(t).pausedSeconds, 840);
        skip(100);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, (1000 - 240 + 100) * SECOND, LOCKED);
    }

    function test_When_ItIsPausedTwice() external {
        // it adds the gaps up and moves the clock's end by both
        Terms memory t = pausedAfter(100);
        skip(1000);
        resume(t);
        skip(100);
        vm.prank(agent);
        market.pauseJob(t);
        skip(500);
        resume(t);
        assertEq(jobOf(t).pausedSeconds, 1500);
        skip(DURATION);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, LOCKED, LOCKED);
        assertEq(jobOf(t).endedAt, START + DURATION + 1500);
    }

    function resume(Terms memory t) private {
        vm.prank(agent);
        market.resumeJob(t);
    }
}
