// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CancelJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheRenter() external {
        // it reverts with NotAllowed, for the controller too
        Terms memory t = created();
        expectNotAllowed(controller);
        vm.prank(controller);
        market.cancelJob(t);
    }

    function test_RevertWhen_TheJobIsUnknown() external {
        // it reverts with WrongStatus
        expectWrongStatus(terms(), Status.None);
        vm.prank(renter);
        market.cancelJob(terms());
    }

    function test_RevertWhen_TheClockRuns() external {
        // it reverts with WrongStatus
        Terms memory t = running();
        expectWrongStatus(t, Status.Running);
        vm.prank(renter);
        market.cancelJob(t);
    }

    function test_RevertWhen_ItIsCancelledAlready() external {
        // it reverts with WrongStatus: one lock is refunded once
        Terms memory t = created();
        vm.startPrank(renter);
        market.cancelJob(t);
        expectWrongStatus(t, Status.Cancelled);
        market.cancelJob(t);
    }

    function test_When_TheJobIsCreated() external {
        // it refunds everything
        Terms memory t = created();
        vm.expectEmit(address(market));
        emit IMarketEvents.JobCancelled(market.jobIdOf(t), renter, LOCKED);
        vm.prank(renter);
        market.cancelJob(t);
        assertRefunded(t);
    }

    function test_When_TheJobIsAccepted() external {
        // it refunds everything and frees the resource
        Terms memory t = accepted();
        vm.prank(renter);
        market.cancelJob(t);
        assertRefunded(t);
    }

    function test_When_AnotherJobHoldsTheResource() external {
        // it leaves the resource busy
        Terms memory t = created();
        Terms memory other = terms();
        other.salt = 2;
        create(other);
        accept(other);
        vm.prank(renter);
        market.cancelJob(t);
        assertBusy(true);
    }
}
