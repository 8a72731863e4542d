// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract FinalizeWithdrawTest is ChannelTest {
    function test_RevertWhen_SomebodyElseAsks() external {
        // it reverts with NotAuthorizedToFinalizeWithdraw
        ChannelConfig memory config = withdrawing();
        skip(DELAY);
        expect(IBatchSettlement.NotAuthorizedToFinalizeWithdraw.selector);
        vm.prank(stranger);
        settlement.finalizeWithdraw(config);
    }

    function test_RevertWhen_NoneIsPending() external {
        // it reverts with WithdrawalNotPending
        ChannelConfig memory config = funded();
        expect(IBatchSettlement.WithdrawalNotPending.selector);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    function test_RevertWhen_TheDelayIsNotOver() external {
        // it reverts with WithdrawDelayNotElapsed, to the last second
        ChannelConfig memory config = withdrawing();
        skip(DELAY - 1);
        expect(IBatchSettlement.WithdrawDelayNotElapsed.selector);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    function test_When_NothingWasClaimed() external {
        // it returns everything and tells that the channel is closed
        ChannelConfig memory config = withdrawing();
        bytes32 channelId = settlement.getChannelId(config);
        skip(DELAY);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.WithdrawFinalized(channelId, session, AMOUNT);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ChannelClosed(channelId, config);
        vm.prank(session);
        settlement.finalizeWithdraw(config);
        assertEq(token.balanceOf(payer), PURSE, "to the payer, never to its session key");
        assertChannel(config, 0, 0);
        (uint128 amount, uint40 initiatedAt) = settlement.pendingWithdrawals(channelId);
        assertEq(amount + initiatedAt, 0);
    }

    function test_When_SomethingWasClaimedMeanwhile() external {
        // it returns the rest: the claim came in time
        ChannelConfig memory config = withdrawing();
        claimOne(config, 20_000);
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        assertEq(token.balanceOf(payer), PURSE - 20_000);
        assertChannel(config, 20_000, 20_000);
    }

    function test_When_EverythingWasClaimedMeanwhile() external {
        // it returns nothing and ends the withdrawal
        ChannelConfig memory config = withdrawing();
        claimOne(config, AMOUNT);
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        assertChannel(config, AMOUNT, AMOUNT);
        expect(IBatchSettlement.WithdrawalNotPending.selector);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    function test_RevertWhen_AVoucherIsClaimedAfterwards() external {
        // it reverts with ClaimExceedsBalance: who holds vouchers must claim within the delay
        ChannelConfig memory config = withdrawing();
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        VoucherClaim[] memory claims = one(row(config, AMOUNT, AMOUNT));
        expect(IBatchSettlement.ClaimExceedsBalance.selector);
        vm.prank(authorizer);
        settlement.claim(claims);
    }

    function test_When_ItIsAskedForAgain() external {
        // it begins a new delay
        ChannelConfig memory config = withdrawing();
        skip(DELAY);
        vm.startPrank(payer);
        settlement.finalizeWithdraw(config);
        vm.stopPrank();
        fund(config, AMOUNT);
        vm.startPrank(payer);
        settlement.initiateWithdraw(config, AMOUNT);
        expect(IBatchSettlement.WithdrawDelayNotElapsed.selector);
        settlement.finalizeWithdraw(config);
        vm.stopPrank();
    }
}
