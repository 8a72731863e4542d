// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetCancelFeeTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        // it reverts with NotAllowed
        expectNotAllowed(agent);
        vm.prank(agent);
        market.setCancelFee(resourceId, 10);
    }

    function test_RevertWhen_ItIsOverAQuarterOrNoTenth() external {
        // it reverts with BadCancelFee
        uint16[3] memory bad = [2501, 2510, 5];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadCancelFee.selector, bad[i]));
            vm.prank(owner);
            market.setCancelFee(resourceId, bad[i]);
        }
    }

    function test_When_TheOwnerSetsIt() external {
        // it is the most that new terms may ask
        vm.expectEmit(address(market));
        emit IMarketEvents.CancelFeeChanged(resourceId, 2500);
        vm.prank(owner);
        market.setCancelFee(resourceId, 2500);
        assertEq(market.getResource(resourceId).cancelFeeBps, 2500);
        assertEq(market.getResource(resourceId).pricePerHour, PRICE);
        assertEq(market.getResource(resourceId).stake, STAKE);
    }
}
