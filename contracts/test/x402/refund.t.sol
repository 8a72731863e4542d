// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract RefundTest is ChannelTest {
    function test_RevertWhen_SomebodyElseAsks() external {
        // it reverts with NotAuthorizedToRefund, for the payer as well
        ChannelConfig memory config = funded();
        address[3] memory others = [stranger, payer, session];
        for (uint256 i = 0; i < others.length; ++i) {
            expect(IBatchSettlement.NotAuthorizedToRefund.selector);
            vm.prank(others[i]);
            settlement.refund(config, AMOUNT);
        }
    }

    function test_RevertWhen_TheAmountIsZero() external {
        // it reverts with ZeroRefund
        ChannelConfig memory config = funded();
        expect(IBatchSettlement.ZeroRefund.selector);
        vm.prank(authorizer);
        settlement.refund(config, 0);
    }

    function test_When_ReceiverOrAuthorizerAsks() external {
        // it goes to the payer and raises the nonce
        ChannelConfig memory config = funded();
        bytes32 channelId = settlement.getChannelId(config);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Refunded(channelId, receiver, 10_000);
        vm.prank(receiver);
        settlement.refund(config, 10_000);
        assertEq(token.balanceOf(payer), PURSE - AMOUNT + 10_000);
        assertChannel(config, AMOUNT - 10_000, 0);
        assertEq(settlement.refundNonce(channelId), 1);
        vm.prank(authorizer);
        settlement.refund(config, 1);
        assertEq(settlement.refundNonce(channelId), 2);
    }

    function test_When_MoreIsAskedForThanIsUnclaimed() external {
        // it returns what is unclaimed and never what was claimed
        ChannelConfig memory config = funded();
        claimOne(config, 20_000);
        vm.prank(authorizer);
        settlement.refund(config, type(uint128).max);
        assertEq(token.balanceOf(payer), PURSE - 20_000);
        assertChannel(config, 20_000, 20_000);
        settlement.settle(receiver, USDC);
        assertEq(token.balanceOf(receiver), 20_000);
    }

    function test_When_NothingIsUnclaimed() external {
        // it sends nothing and raises the nonce
        ChannelConfig memory config = funded();
        claimOne(config, AMOUNT);
        vm.recordLogs();
        vm.prank(authorizer);
        settlement.refund(config, 1);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(settlement.refundNonce(settlement.getChannelId(config)), 1);
    }

    function test_When_NothingWasEverClaimed() external {
        // it tells that the channel is closed
        ChannelConfig memory config = funded();
        bytes32 channelId = settlement.getChannelId(config);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ChannelClosed(channelId, config);
        vm.prank(authorizer);
        settlement.refund(config, AMOUNT);
        assertChannel(config, 0, 0);
    }

    function test_When_AWithdrawalIsPending() external {
        // it counts against it, and ends it when nothing of it is left
        ChannelConfig memory config = withdrawing();
        bytes32 channelId = settlement.getChannelId(config);
        vm.prank(authorizer);
        settlement.refund(config, 10_000);
        (uint128 amount, uint40 initiatedAt) = settlement.pendingWithdrawals(channelId);
        assertEq(amount, AMOUNT - 10_000);
        assertNotEq(initiatedAt, 0);
        vm.prank(authorizer);
        settlement.refund(config, AMOUNT - 10_000);
        (amount, initiatedAt) = settlement.pendingWithdrawals(channelId);
        assertEq(amount, 0);
        assertEq(initiatedAt, 0);
        fund(config, AMOUNT);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 1);
    }
}
