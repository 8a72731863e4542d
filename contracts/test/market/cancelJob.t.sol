// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CancelJobTest is MarketTest {
    /// For tomorrow, with the highest cancel fee and a watcher as controller.
    function reservation() private returns (Terms memory t) {
        vm.prank(owner);
        market.setCancelFee(resourceId, 2500);
        t = terms();
        t.controller = watcher;
        t.cancelFeeBps = 2500;
        t.notBefore = time() + 1 days;
    }

    function cancel(Terms memory t) private {
        vm.prank(renter);
        market.cancelJob(t);
    }

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

    function test_When_AReservationIsNotAcceptedYet() external {
        // it refunds everything: nobody keeps the time free
        Terms memory t = reservation();
        create(t);
        cancel(t);
        assertRefunded(t);
    }

    function test_When_AReservationIsAccepted() external {
        // it pays the cancel fee, of which the platform has its part
        Terms memory t = reservation();
        create(t);
        accept(t);
        uint256 owed = LOCKED / 4;
        vm.expectEmit(address(market));
        emit IMarketEvents.JobCancelled(market.jobIdOf(t), renter, LOCKED - owed);
        vm.expectEmit(address(market));
        emit IMarketEvents.CancelFeePaid(market.jobIdOf(t), netOf(owed), feeOf(owed));
        cancel(t);
        assertStatus(t, Status.Cancelled);
        assertEq(token.balanceOf(renter), PURSE - owed);
        assertEq(token.balanceOf(payout), netOf(owed));
        assertEq(market.fees(), feeOf(owed));
        assertEq(held(), feeOf(owed));
        assertEq(market.getResource(resourceId).tied, 0);
        assertBusy(false);
    }

    function test_When_TheProviderLetsTheStartPass() external {
        // it refunds everything from ten minutes after notBefore on
        Terms memory t = reservation();
        create(t);
        accept(t);
        skip(1 days + 10 minutes);
        uint256 before = vm.snapshotState();
        cancel(t);
        assertRefunded(t);
        vm.revertToState(before);
        rewind(1);
        cancel(t);
        assertEq(token.balanceOf(renter), PURSE - LOCKED / 4);
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
