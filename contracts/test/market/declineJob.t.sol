// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract DeclineJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheAgent() external {
        // it reverts with NotAllowed
        Terms memory t = created();
        expectNotAllowed(renter);
        vm.prank(renter);
        market.declineJob(t, "");
    }

    function test_RevertWhen_TheClockRuns() external {
        // it reverts with WrongStatus
        Terms memory t = running();
        expectWrongStatus(t, Status.Running);
        vm.prank(agent);
        market.declineJob(t, "");
    }

    function test_When_TheJobIsCreated() external {
        // it refunds everything and gives the reason
        Terms memory t = created();
        vm.expectEmit(address(market));
        emit IMarketEvents.JobDeclined(market.jobIdOf(t), LOCKED, "image not found");
        vm.prank(agent);
        market.declineJob(t, "image not found");
        assertRefunded(t);
    }

    function test_When_TheJobIsAccepted() external {
        // it refunds everything and frees the resource
        Terms memory t = accepted();
        vm.prank(agent);
        market.declineJob(t, "disk full");
        assertRefunded(t);
    }
}
