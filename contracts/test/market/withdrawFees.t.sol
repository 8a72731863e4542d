// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract WithdrawFeesTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        completed();
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", owner));
        vm.prank(owner);
        market.withdrawFees(owner);
    }

    function test_RevertWhen_TheTargetIsZero() external {
        // it reverts with ZeroAddress
        completed();
        expect(IMarket.ZeroAddress.selector);
        vm.prank(admin);
        market.withdrawFees(address(0));
    }

    function test_RevertWhen_ThereAreNone() external {
        // it reverts with NothingDue: locks of open jobs are out of reach
        running();
        expect(IMarket.NothingDue.selector);
        vm.prank(admin);
        market.withdrawFees(admin);
    }

    function test_When_FeesAreBooked() external {
        // it sends them and nothing else
        completed();
        Terms memory t = terms();
        t.salt = 2;
        create(t);
        uint256 booked = market.fees();
        assertEq(booked, feeOf(100 * SECOND));
        vm.expectEmit(address(market));
        emit IMarket.FeesWithdrawn(stranger, booked);
        vm.prank(admin);
        market.withdrawFees(stranger);
        assertEq(token.balanceOf(stranger), booked);
        assertEq(market.fees(), 0);
        assertEq(token.balanceOf(address(market)), LOCKED);
    }
}
