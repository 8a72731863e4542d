// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract CloseWithSignatureTest is ChannelTest {
    uint128 private constant ALL = type(uint128).max;

    function test_When_TheAuthorizerSigned() external {
        // it claims, pays the receiver and returns the rest, whoever submits
        ChannelConfig memory config = funded();
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        bytes memory signature = sign(authorizerKey, settlement.getCloseDigest(claim, ALL));
        vm.prank(stranger);
        settlement.closeWithSignature(claim, ALL, signature);
        assertClosed(config, 20_000);
    }

    function test_When_TheReceiverSideCalls() external {
        // it needs no signature
        address[2] memory callers = [receiver, authorizer];
        for (uint256 i = 0; i < callers.length; ++i) {
            ChannelConfig memory config = channel();
            config.salt = bytes32(i);
            fund(config, AMOUNT);
            VoucherClaim memory claim = row(config, 20_000, 20_000);
            vm.prank(callers[i]);
            settlement.closeWithSignature(claim, ALL, "");
            assertChannel(config, 20_000, 20_000);
        }
        assertEq(token.balanceOf(receiver), 40_000);
        assertEq(token.balanceOf(payer), PURSE - 40_000);
    }

    function test_RevertWhen_SomebodyElseCallsWithoutOne() external {
        // it reverts with NotAuthorizedToClaim
        VoucherClaim memory claim = row(funded(), 20_000, 20_000);
        address[2] memory others = [stranger, payer];
        for (uint256 i = 0; i < others.length; ++i) {
            expect(IBatchSettlement.NotAuthorizedToClaim.selector);
            vm.prank(others[i]);
            settlement.closeWithSignature(claim, ALL, "");
        }
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts with InvalidSignature
        VoucherClaim memory claim = row(funded(), 20_000, 20_000);
        bytes memory signature = sign(payerKey, settlement.getCloseDigest(claim, ALL));
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(claim, ALL, signature);
    }

    function test_RevertWhen_WhatWasSignedWasChanged() external {
        // it reverts with InvalidSignature, by total, promise or refund
        ChannelConfig memory config = funded();
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        bytes memory signature = sign(authorizerKey, settlement.getCloseDigest(claim, ALL));
        VoucherClaim memory lower = row(config, 20_000, 19_999);
        VoucherClaim memory higher = row(config, 20_001, 20_000);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(lower, ALL, signature);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(higher, ALL, signature);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(claim, ALL - 1, signature);
    }

    function test_RevertWhen_TheVoucherIsBad() external {
        // it reverts as claim does
        ChannelConfig memory config = funded();
        vm.startPrank(authorizer);
        VoucherClaim memory claim = rowBy(strangerKey, config, 20_000, 20_000);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(claim, ALL, "");
        claim = row(config, 20_000, 20_001);
        expect(IBatchSettlement.ClaimExceedsCeiling.selector);
        settlement.closeWithSignature(claim, ALL, "");
        claim = row(config, AMOUNT + 1, AMOUNT + 1);
        expect(IBatchSettlement.ClaimExceedsBalance.selector);
        settlement.closeWithSignature(claim, ALL, "");
    }

    function test_RevertWhen_ItIsSubmittedAgain() external {
        // it reverts with InvalidSignature, also after the channel was funded again
        ChannelConfig memory config = funded();
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        bytes memory signature = sign(authorizerKey, settlement.getCloseDigest(claim, ALL));
        settlement.closeWithSignature(claim, ALL, signature);
        fund(config, AMOUNT);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(claim, ALL, signature);
    }

    function test_RevertWhen_ARefundCameFirst() external {
        // it reverts with InvalidSignature; and a close voids what was signed for a refund
        ChannelConfig memory config = funded();
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        bytes memory signature = sign(authorizerKey, settlement.getCloseDigest(claim, 0));
        bytes memory refund =
            sign(authorizerKey, settlement.getRefundDigest(settlement.getChannelId(config), 1, AMOUNT));
        vm.prank(authorizer);
        settlement.refund(config, 1);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.closeWithSignature(claim, 0, signature);
        vm.prank(authorizer);
        settlement.closeWithSignature(claim, 0, "");
        expect(IBatchSettlement.InvalidRefundNonce.selector);
        settlement.refundWithSignature(config, AMOUNT, 1, refund);
    }

    function test_When_TheVoucherWasClaimedBefore() external {
        // it pays what is due and returns the rest
        ChannelConfig memory config = funded();
        claimOne(config, 20_000);
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        vm.prank(authorizer);
        settlement.closeWithSignature(claim, ALL, "");
        assertClosed(config, 20_000);
    }

    function test_When_NoRefundIsAskedFor() external {
        // it claims and pays and leaves the rest in the channel
        ChannelConfig memory config = funded();
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        vm.prank(authorizer);
        settlement.closeWithSignature(claim, 0, "");
        assertChannel(config, AMOUNT, 20_000);
        assertEq(token.balanceOf(receiver), 20_000);
    }

    function test_When_AWithdrawalIsPending() external {
        // it ends the withdrawal: its delay does not run on for money that comes later
        ChannelConfig memory config = withdrawing();
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        vm.prank(authorizer);
        settlement.closeWithSignature(claim, ALL, "");
        assertClosed(config, 20_000);
        fund(config, AMOUNT);
        skip(DELAY);
        expect(IBatchSettlement.WithdrawalNotPending.selector);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    function assertClosed(ChannelConfig memory config, uint128 spent) private view {
        assertChannel(config, spent, spent);
        assertDue(spent, spent);
        assertEq(token.balanceOf(receiver), spent, "receiver");
        assertEq(token.balanceOf(payer), PURSE - spent, "payer");
        assertEq(token.balanceOf(address(settlement)), 0, "nothing held");
        assertEq(settlement.refundNonce(settlement.getChannelId(config)), 1, "nonce");
    }
}
