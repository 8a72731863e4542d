// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract SettleTest is ChannelTest {
    function test_When_NothingIsDue() external {
        // it does nothing and reverts nothing
        funded();
        vm.recordLogs();
        settlement.settle(receiver, USDC);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(token.balanceOf(receiver), 0);
    }

    function test_When_SomethingIsDue() external {
        // it sends all of it to the receiver, whoever asks
        ChannelConfig memory config = funded();
        claimOne(config, 10_000);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Settled(receiver, USDC, stranger, 10_000);
        vm.prank(stranger);
        settlement.settle(receiver, USDC);
        assertEq(token.balanceOf(receiver), 10_000);
        assertDue(10_000, 10_000);
    }

    function test_When_ItIsAskedTwice() external {
        // it sends once
        ChannelConfig memory config = funded();
        claimOne(config, 10_000);
        settlement.settle(receiver, USDC);
        settlement.settle(receiver, USDC);
        assertEq(token.balanceOf(receiver), 10_000);
        claimOne(config, 10_001);
        settlement.settle(receiver, USDC);
        assertEq(token.balanceOf(receiver), 10_001);
    }

    function test_When_SomebodyDonates() external {
        // it leaves the donation where it is
        ChannelConfig memory config = funded();
        token.mint(address(settlement), 77);
        claimOne(config, AMOUNT);
        settlement.settle(receiver, USDC);
        assertEq(token.balanceOf(receiver), AMOUNT);
        assertEq(token.balanceOf(address(settlement)), 77);
    }
}
