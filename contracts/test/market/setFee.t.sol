// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetFeeTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", owner));
        vm.prank(owner);
        market.setFee(0);
    }

    function test_RevertWhen_ItIsOverTheCap() external {
        // it reverts with FeeTooHigh
        vm.startPrank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.FeeTooHigh.selector, 501));
        market.setFee(501);
        market.setFee(500);
    }

    function test_When_JobsExist() external {
        // it leaves them the fee of their creation
        Terms memory t = running();
        vm.expectEmit(address(market));
        emit IMarketEvents.FeeChanged(500);
        vm.prank(admin);
        market.setFee(500);
        assertEq(market.feeBps(), 500);
        skip(100);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 100 * SECOND, LOCKED);
    }
}
