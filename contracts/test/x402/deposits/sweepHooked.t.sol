// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Status, Terms} from "../../../src/interfaces/IMarket.sol";
import {IJobDeposits} from "../../../src/x402/IJobDeposits.sol";
import {HookedToken} from "../../doubles/HookedToken.sol";
import {MarketTest} from "../../MarketTest.sol";

/// A settlement token that calls back in the middle of a sweep.
contract SweepHookedTest is MarketTest {
    HookedToken private hooked;
    IJobDeposits private deposits;

    function setUp() public override {
        super.setUp();
        hooked = new HookedToken();
        deployMarket(address(hooked));
        deposits = IJobDeposits(deployCode("JobDeposits.sol:JobDeposits", abi.encode(market)));
    }

    function test_When_TheDepositIsReturnedInTheMiddleOfASweep() external {
        // it is refused, and the job is paid for in full
        Terms memory t = terms();
        hooked.mint(deposits.depositAddress(t), LOCKED + 7);
        hooked.arm(address(deposits), abi.encodeCall(deposits.returnDeposit, (t)));
        deposits.sweep(t);
        assertFalse(hooked.lastCallSucceeded());
        assertStatus(t, Status.Created);
        assertEq(hooked.balanceOf(renter), 7);
    }

    function test_When_TheExcessIsReturnedWhileItIsSent() external {
        // it is refused, and the sweep goes through
        Terms memory t = terms();
        hooked.mint(deposits.depositAddress(t), LOCKED + 7);
        // Of the sweep's three transfers the last, that of the excess, calls back.
        bytes memory last = abi.encodeCall(hooked.arm, (address(deposits), abi.encodeCall(deposits.returnDeposit, (t))));
        hooked.arm(address(hooked), abi.encodeCall(hooked.arm, (address(hooked), last)));
        deposits.sweep(t);
        assertFalse(hooked.lastCallSucceeded());
        assertStatus(t, Status.Created);
        assertEq(hooked.balanceOf(renter), 7);
    }
}
