// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CloseJobTest is MarketTest {
    function test_RevertWhen_TheJobIsUnknown() external {
        // it reverts with WrongStatus
        expectWrongStatus(terms(), Status.None);
        close(terms());
    }

    function test_RevertWhen_TheJobIsOver() external {
        // it reverts with WrongStatus
        Terms memory t = completed();
        skip(30 days);
        expectWrongStatus(t, Status.Ended);
        close(t);
    }

    function test_When_ItWasNotAcceptedInTenMinutes() external {
        // it refunds everything
        Terms memory t = created();
        skip(10 minutes);
        expectTooEarly(time());
        close(t);
        skip(1);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobCancelled(market.jobIdOf(t), stranger, LOCKED);
        close(t);
        assertRefunded(t);
    }

    function test_When_ItWasNotStartedInAnHour() external {
        // it refunds everything and frees the resource
        Terms memory t = accepted();
        skip(60 minutes);
        expectTooEarly(time());
        close(t);
        skip(1);
        close(t);
        assertRefunded(t);
    }

    function test_When_AReservationWasNotStarted() external {
        // it waits an hour from notBefore
        Terms memory t = terms();
        t.notBefore = time() + 1 days;
        create(t);
        accept(t);
        skip(1 days + 60 minutes);
        expectTooEarly(time());
        close(t);
        skip(1);
        close(t);
        assertRefunded(t);
    }

    function test_RevertWhen_AReservationThatNobodyAcceptedMayStillStart() external {
        // it reverts with TooEarly up to the last second of the start
        Terms memory t = terms();
        t.notBefore = time() + 3 hours;
        create(t);
        skip(10 minutes + 1);
        expectTooEarly(START + 4 hours);
        close(t);
        skip(3 hours + 50 minutes - 1);
        expectTooEarly(time());
        close(t);
        uint256 before = vm.snapshotState();
        start(t);
        assertStatus(t, Status.Running);
        vm.revertToState(before);
        skip(1);
        close(t);
        assertRefunded(t);
    }

    function test_When_ANotBeforeWasOverAtTheOrder() external {
        // it is no reservation and refunds everything after ten minutes
        Terms memory t = terms();
        t.notBefore = time();
        create(t);
        skip(10 minutes);
        expectTooEarly(time());
        close(t);
        skip(1);
        close(t);
        assertRefunded(t);
    }

    function test_When_ASilenceWasNotResumed() external {
        // it ends where the agent was last seen
        Terms memory t = silentAfter(100);
        skip(10 minutes);
        expectTooEarly(time());
        close(t);
        skip(1);
        close(t);
        assertSettled(t, Outcome.Silent, 100 * SECOND, LOCKED);
    }

    function test_When_ASilenceCameBeforeTheMinimum() external {
        // it waives the minimum
        Terms memory t = silentAfter(7);
        skip(10 minutes + 1);
        close(t);
        assertSettled(t, Outcome.Silent, 7 * SECOND, LOCKED);
    }

    function test_When_APauseIsOverADay() external {
        // it ends where the pause began, as given up by the provider
        Terms memory t = pausedAfter(100);
        skip(24 hours);
        expectTooEarly(time());
        close(t);
        skip(1);
        close(t);
        assertSettled(t, Outcome.AbortedByProvider, 100 * SECOND, LOCKED);
    }

    function test_When_PausesAreOverADayTogether() external {
        // it ends where the last one began
        Terms memory t = pausedAfter(100);
        skip(23 hours);
        vm.startPrank(agent);
        market.resumeJob(t);
        skip(50);
        market.pauseJob(t);
        vm.stopPrank();
        skip(1 hours);
        expectTooEarly(time());
        close(t);
        skip(1);
        close(t);
        assertSettled(t, Outcome.AbortedByProvider, 150 * SECOND, LOCKED);
    }

    function test_When_TheProviderDidNotCollect() external {
        // it leaves the provider what was processed and refunds the rest
        Terms memory t = running();
        skip(100);
        pay(t);
        skip(DURATION - 100 + 2 hours);
        expectTooEarly(time());
        close(t);
        skip(1);
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobEnded(jobId, stranger, Outcome.Silent, 100, LOCKED - 100 * SECOND, bytes32(0));
        close(t);
        assertSettled(t, Outcome.Silent, 100 * SECOND, LOCKED);
        assertEq(jobOf(t).endedAt, START + 100);
    }

    function test_When_TheProviderNeverCollected() external {
        // it refunds everything
        Terms memory t = running();
        skip(DURATION + 2 hours + 1);
        close(t);
        assertSettled(t, Outcome.Silent, 0, LOCKED);
    }

    function test_RevertWhen_TheJobWasExtendedPastTheOldDeadline() external {
        // it reverts with TooEarly at the deadline that the extension moved
        Terms memory t = running();
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), 1 hours, time());
        vm.prank(renter);
        market.extendJob(t, 1 hours, time(), signature);
        skip(DURATION + 2 hours + 1);
        expectTooEarly(START + DURATION + 3 hours);
        close(t);
        skip(1 hours);
        close(t);
        assertStatus(t, Status.Final);
    }

    function test_RevertWhen_APauseMovedTheDeadline() external {
        // it reverts with TooEarly
        Terms memory t = pausedAfter(100);
        skip(1 hours);
        vm.prank(agent);
        market.resumeJob(t);
        skip(DURATION + 2 hours - 100);
        expectTooEarly(START + DURATION + 3 hours);
        close(t);
    }

    function close(Terms memory t) private {
        vm.prank(stranger);
        market.closeJob(t);
    }
}
