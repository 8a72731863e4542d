// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract StopJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNeitherRenterNorController() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        expectNotAllowed(agent);
        vm.prank(agent);
        market.stopJob(t);
    }

    function test_RevertWhen_TheClockWasNeverStarted() external {
        // it reverts with WrongStatus
        Terms memory t = accepted();
        expectWrongStatus(t, Status.Accepted);
        vm.prank(renter);
        market.stopJob(t);
    }

    function test_RevertWhen_TheJobIsOver() external {
        // it reverts with WrongStatus
        Terms memory t = completed();
        expectWrongStatus(t, Status.Ended);
        vm.prank(renter);
        market.stopJob(t);
    }

    function test_When_TheRenterStopsARunningJob() external {
        // it bills the seconds on the clock and refunds the rest
        Terms memory t = running();
        skip(100);
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobPaid(jobId, 100, netOf(100 * SECOND));
        vm.expectEmit(address(market));
        emit IMarketEvents.JobEnded(jobId, renter, Outcome.StoppedByRenter, 100, LOCKED - 100 * SECOND, bytes32(0));
        vm.prank(renter);
        market.stopJob(t);
        assertEq(jobOf(t).endedAt, time());
        assertSettled(t, Outcome.StoppedByRenter, 100 * SECOND, LOCKED);
    }

    function test_When_TheControllerStops() external {
        // it ends the same way, and the event says who
        Terms memory t = running();
        skip(100);
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobEnded(jobId, controller, Outcome.StoppedByRenter, 100, LOCKED - 100 * SECOND, bytes32(0));
        vm.prank(controller);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, 100 * SECOND, LOCKED);
    }

    function test_When_ItIsStoppedInTheSecondOfItsStart() external {
        // it owes the minimum
        Terms memory t = running();
        vm.prank(renter);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, MIN_CHARGE, LOCKED);
        assertEq(jobOf(t).paidSeconds, 1);
    }

    function test_When_ItIsPaused() external {
        // it bills up to the pause
        Terms memory t = pausedAfter(100);
        skip(1 hours);
        vm.prank(renter);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, 100 * SECOND, LOCKED);
    }

    function test_When_ItIsSilent() external {
        // it bills up to the second last seen
        Terms memory t = silentAfter(100);
        skip(1 hours);
        vm.prank(controller);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, 100 * SECOND, LOCKED);
    }

    function test_When_TheClockIsOver() external {
        // it bills what was bought and no more
        Terms memory t = running();
        uint40 startedAt = time();
        skip(DURATION + 1 hours);
        vm.prank(renter);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, LOCKED, LOCKED);
        assertEq(jobOf(t).endedAt, startedAt + DURATION);
    }

    function testFuzz_When_ItIsStoppedAtAnySecond(uint32 ran) external {
        // it earns min(locked, max(minCharge, cost))
        Terms memory t = running();
        ran = uint32(bound(ran, 0, 2 * uint256(DURATION)));
        skip(ran);
        vm.prank(renter);
        market.stopJob(t);
        uint256 cost = SECOND * ran;
        uint256 earned = cost < MIN_CHARGE ? MIN_CHARGE : cost > LOCKED ? LOCKED : cost;
        assertSettled(t, Outcome.StoppedByRenter, earned, LOCKED);
    }
}
