// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract InitiateWithdrawTest is ChannelTest {
    function test_RevertWhen_SomebodyElseAsks() external {
        // it reverts with InvalidChannel, for the receiver's side as well
        ChannelConfig memory config = funded();
        address[3] memory others = [stranger, receiver, authorizer];
        for (uint256 i = 0; i < others.length; ++i) {
            expect(IBatchSettlement.InvalidChannel.selector);
            vm.prank(others[i]);
            settlement.initiateWithdraw(config, AMOUNT);
        }
    }

    function test_RevertWhen_NothingIsAskedFor() external {
        // it reverts with NothingToWithdraw
        ChannelConfig memory config = funded();
        expect(IBatchSettlement.NothingToWithdraw.selector);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 0);
    }

    function test_RevertWhen_MoreIsAskedForThanIsUnclaimed() external {
        // it reverts with WithdrawAmountExceedsAvailable
        ChannelConfig memory config = funded();
        claimOne(config, 20_000);
        expect(IBatchSettlement.WithdrawAmountExceedsAvailable.selector);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 30_001);
    }

    function test_RevertWhen_AWithdrawalIsPending() external {
        // it reverts with WithdrawalAlreadyPending: the delay cannot be begun in advance
        ChannelConfig memory config = withdrawing();
        expect(IBatchSettlement.WithdrawalAlreadyPending.selector);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 1);
    }

    function test_When_ThePayerOrItsSessionKeyAsks() external {
        // it tells everybody when the money may go
        address[2] memory askers = [payer, session];
        for (uint256 i = 0; i < askers.length; ++i) {
            ChannelConfig memory config = channel();
            config.salt = bytes32(i);
            fund(config, AMOUNT);
            bytes32 channelId = settlement.getChannelId(config);
            vm.expectEmit(address(settlement));
            emit IBatchSettlement.WithdrawInitiated(channelId, 40_000, uint40(vm.getBlockTimestamp()) + DELAY);
            vm.prank(askers[i]);
            settlement.initiateWithdraw(config, 40_000);
            (uint128 amount, uint40 initiatedAt) = settlement.pendingWithdrawals(channelId);
            assertEq(amount, 40_000);
            assertEq(initiatedAt, vm.getBlockTimestamp());
            assertChannel(config, AMOUNT, 0);
        }
    }
}
