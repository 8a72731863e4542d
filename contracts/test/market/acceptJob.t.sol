// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract AcceptJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheAgent() external {
        // it reverts with NotAllowed, for the owner too
        Terms memory t = created();
        expectNotAllowed(owner);
        vm.prank(owner);
        market.acceptJob(t);
    }

    function test_RevertWhen_TheJobIsNotCreated() external {
        // it reverts with WrongStatus
        Terms memory t = accepted();
        expectWrongStatus(t, Status.Accepted);
        accept(t);
    }

    function test_RevertWhen_TenMinutesAreOver() external {
        // it reverts with TooLate
        Terms memory t = created();
        skip(10 minutes + 1);
        expectTooLate(START + 10 minutes);
        accept(t);
    }

    function test_RevertWhen_TheResourceIsBusy() external {
        // it reverts with ResourceBusy: one unit carries one job
        Terms memory t = created();
        Terms memory other = terms();
        other.salt = 2;
        create(other);
        accept(t);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceBusy.selector, resourceId));
        accept(other);
    }

    function test_When_ItIsInTime() external {
        // it marks the resource busy
        Terms memory t = created();
        skip(10 minutes);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobAccepted(market.jobIdOf(t), 1 hours);
        accept(t);
        assertStatus(t, Status.Accepted);
        assertEq(jobOf(t).since, time());
        assertBusy(true);
    }
}
