// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract StakeTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        vm.prank(renter);
        market.stake(resourceId, 1);
    }

    function test_RevertWhen_TheResourceIsUnknown() external {
        // it reverts with UnknownResource
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownResource.selector, KEY));
        vm.prank(renter);
        market.stake(KEY, 1);
    }

    function test_RevertWhen_TheAmountIsNothing() external {
        // it reverts with NothingDue
        expect(IMarketErrors.NothingDue.selector);
        vm.prank(renter);
        market.stake(resourceId, 0);
    }

    function test_RevertWhen_ItWouldNotFitTheSlot() external {
        // it reverts with a panic before any money moves
        vm.prank(admin);
        token.mint(renter, type(uint72).max);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        vm.prank(renter);
        market.stake(resourceId, type(uint72).max);
    }

    function test_When_AnybodyStakes() external {
        // it takes exactly the amount and adds it to the resource's stake
        vm.expectEmit(address(market));
        emit IMarketEvents.Staked(resourceId, renter, 7, STAKE + 7);
        vm.prank(renter);
        market.stake(resourceId, 7);
        assertEq(market.getResource(resourceId).stake, STAKE + 7);
        assertEq(token.balanceOf(renter), PURSE - 7);
        assertEq(held(), 7);
    }
}
