// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract UpdateAvailabilityTest is MarketTest {
    function test_RevertWhen_TheResourceIsUnknown() external {
        // it reverts with UnknownResource
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownResource.selector, KEY));
        vm.prank(owner);
        market.updateAvailability(KEY, false);
    }

    function test_RevertWhen_TheCallerIsNeitherOwnerNorAgent() external {
        // it reverts with NotAllowed
        expectNotAllowed(stranger);
        vm.prank(stranger);
        market.updateAvailability(resourceId, false);
    }

    function test_When_ItIsSwitchedOff() external {
        // it takes no orders
        vm.expectEmit(address(market));
        emit IMarketEvents.AvailabilityChanged(resourceId, false);
        vm.prank(agent);
        market.updateAvailability(resourceId, false);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceUnavailable.selector, resourceId));
        create(terms());
    }

    function test_When_ItIsSwitchedOn() external {
        // it takes orders again
        vm.startPrank(owner);
        market.updateAvailability(resourceId, false);
        market.updateAvailability(resourceId, true);
        vm.stopPrank();
        assertStatus(created(), Status.Created);
    }

    function test_When_AJobIsRunningOnIt() external {
        // it leaves the job alone
        Terms memory t = running();
        vm.prank(agent);
        market.updateAvailability(resourceId, false);
        assertBusy(true);
        skip(100);
        complete(t, Outcome.Succeeded);
        assertBusy(false);
        assertFalse(market.getResource(resourceId).available);
    }
}
