// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Listing, Resource} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract RegisterResourceTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        vm.prank(owner);
        market.registerResource(another());
    }

    function test_RevertWhen_TheCallerIsNoProvider() external {
        // it reverts with UnknownProvider
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownProvider.selector, agent));
        vm.prank(agent);
        market.registerResource(another());
    }

    function test_RevertWhen_TheKeyIsListedAlready() external {
        // it reverts with ResourceExists
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceExists.selector, resourceId));
        vm.prank(owner);
        market.registerResource(listing());
    }

    function test_RevertWhen_ThePriceIsZero() external {
        // it reverts with ZeroPrice
        Listing memory unit = another();
        unit.pricePerHour = 0;
        expect(IMarketErrors.ZeroPrice.selector);
        vm.prank(owner);
        market.registerResource(unit);
    }

    function test_When_TheUnitIsReal() external {
        // it is available at once, not busy, and emits the whole listing
        bytes32 id = market.resourceIdOf(owner, another().key);
        vm.expectEmit(address(market));
        emit IMarketEvents.ResourceRegistered(id, 1, another());
        vm.prank(owner);
        assertEq(market.registerResource(another()), id);
        Resource memory resource = market.getResource(id);
        assertEq(resource.providerId, 1);
        assertEq(resource.pricePerHour, PRICE);
        assertTrue(resource.available);
        assertFalse(resource.busy);
        assertFalse(resource.simulated);
        assertEq(resource.stake + resource.tied, 0);
    }

    function test_When_TheUnitIsSimulated() external {
        // it is marked for good
        Listing memory unit = another();
        unit.simulated = true;
        vm.startPrank(owner);
        bytes32 id = market.registerResource(unit);
        market.updateAvailability(id, false);
        market.updatePricing(id, 1);
        assertTrue(market.getResource(id).simulated);
    }

    function another() private pure returns (Listing memory unit) {
        unit = listing();
        unit.key = keccak256("card 1");
    }
}
