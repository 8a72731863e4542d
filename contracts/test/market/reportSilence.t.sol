// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ReportSilenceTest is MarketTest {
    function test_RevertWhen_TheControllerIsNoWatcher() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        expectNotAllowed(controller);
        vm.prank(controller);
        market.reportSilence(t, time());
    }

    function test_RevertWhen_AWatcherDoesNotControlTheJob() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        expectNotAllowed(watcher);
        vm.prank(watcher);
        market.reportSilence(t, time());
    }

    function test_When_AWatcherControlsTheJob() external {
        // it stops the clock
        vm.prank(admin);
        market.setWatcher(controller, true);
        Terms memory t = running();
        vm.prank(controller);
        market.reportSilence(t, time());
        assertStatus(t, Status.Silent);
    }

    function test_RevertWhen_TheJobIsNotRunning() external {
        // it reverts with WrongStatus
        Terms memory t = pausedAfter(100);
        expectWrongStatus(t, Status.Paused);
        report(t, time());
    }

    function test_RevertWhen_LastSeenIsOverTenMinutesAgo() external {
        // it reverts with BadLastSeen
        Terms memory t = running();
        skip(1 hours);
        uint40 lastSeen = time() - 10 minutes - 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadLastSeen.selector, lastSeen));
        report(t, lastSeen);
        report(t, lastSeen + 1);
    }

    function test_RevertWhen_LastSeenIsInTheFuture() external {
        // it reverts with BadLastSeen
        Terms memory t = running();
        uint40 lastSeen = time() + 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadLastSeen.selector, lastSeen));
        report(t, lastSeen);
    }

    function test_When_TheAgentWasSeenWhileRunning() external {
        // it stops the clock there
        Terms memory t = running();
        skip(1000);
        uint40 lastSeen = time() - 240;
        vm.expectEmit(address(market));
        emit IMarketEvents.JobSilent(market.jobIdOf(t), lastSeen, oracle);
        report(t, lastSeen);
        State memory job = jobOf(t);
        assertEq(uint8(job.status), uint8(Status.Silent));
        assertEq(job.endedAt, lastSeen);
        assertEq(job.since, time());
        assertEq(market.payableNow(t), netOf(760 * SECOND));
        assertBusy(true);
    }

    function test_RevertWhen_TheAgentWasSeenAtTheClocksEnd() external {
        // it reverts with TooLate and leaves the provider its two hours
        Terms memory t = running();
        skip(DURATION + 5 minutes);
        expectTooLate(START + DURATION - 1);
        report(t, uint40(START) + DURATION);
        skip(1 hours + 55 minutes);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, LOCKED, LOCKED);
    }

    function test_When_TheAgentWasSeenBeforeTheClocksEnd() external {
        // it takes the report after the end too, and the agent has ten minutes
        Terms memory t = running();
        skip(DURATION + 5 minutes);
        report(t, uint40(START) + DURATION - 1);
        skip(10 minutes);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, LOCKED - SECOND, LOCKED);
    }

    function test_RevertWhen_EverySecondIsPaid() external {
        // it reverts with TooLate
        Terms memory t = running();
        skip(DURATION);
        pay(t);
        expectTooLate(START + DURATION - 1);
        report(t, uint40(START) + DURATION - 1);
    }

    function test_When_TheAgentWasSeenBeforeTheStart() external {
        // it stops the clock at the start and leaves one second on it
        Terms memory t = running();
        skip(100);
        report(t, uint40(START) - 100);
        assertEq(jobOf(t).endedAt, START);
        vm.prank(renter);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, MIN_CHARGE, LOCKED);
    }

    function test_When_TheAgentWasSeenBeforeAResume() external {
        // it does not reach back beyond the resume
        Terms memory t = pausedAfter(200);
        skip(100);
        vm.prank(agent);
        market.resumeJob(t);
        skip(50);
        report(t, time() - 300);
        assertEq(jobOf(t).endedAt, time() - 50);
    }

    function test_When_LaterSecondsArePaid() external {
        // it never takes back a paid second
        Terms memory t = running();
        skip(500);
        pay(t);
        report(t, time() - 300);
        assertEq(jobOf(t).endedAt, time());
        assertEq(market.payableNow(t), 0);
        skip(10 minutes + 1);
        market.closeJob(t);
        assertSettled(t, Outcome.Silent, 500 * SECOND, LOCKED);
    }
}
