// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract WithdrawFeesTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        settled();
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", owner));
        vm.prank(owner);
        market.withdrawFees(owner);
    }

    function test_RevertWhen_TheTargetIsZero() external {
        // it reverts with ZeroAddress
        settled();
        expect(IMarketErrors.ZeroAddress.selector);
        vm.prank(admin);
        market.withdrawFees(address(0));
    }

    function test_RevertWhen_ThereAreNone() external {
        // it reverts with NothingDue: locks of open jobs are out of reach
        running();
        expect(IMarketErrors.NothingDue.selector);
        vm.prank(admin);
        market.withdrawFees(admin);
    }

    function test_When_FeesAreBooked() external {
        // it sends them and nothing else
        settled();
        Terms memory t = terms();
        t.salt = 2;
        create(t);
        uint256 booked = market.fees();
        assertEq(booked, feeOf(100 * SECOND));
        vm.expectEmit(address(market));
        emit IMarketEvents.FeesWithdrawn(stranger, booked);
        vm.prank(admin);
        market.withdrawFees(stranger);
        assertEq(token.balanceOf(stranger), booked);
        assertEq(market.fees(), 0);
        assertEq(held(), LOCKED);
    }
}
