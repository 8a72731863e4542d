// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract RefundWithSignatureTest is ChannelTest {
    function test_When_TheAuthorizerSigned() external {
        // it goes to the payer, whoever submits
        ChannelConfig memory config = funded();
        bytes memory signature = signRefund(authorizerKey, config, 0, 10_000);
        vm.prank(stranger);
        settlement.refundWithSignature(config, 10_000, 0, signature);
        assertEq(token.balanceOf(payer), PURSE - AMOUNT + 10_000);
        assertEq(settlement.refundNonce(settlement.getChannelId(config)), 1);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts with InvalidSignature: a stranger cannot empty a channel, nor can its payer
        ChannelConfig memory config = funded();
        uint256[3] memory keys = [strangerKey, payerKey, sessionKey];
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes memory signature = signRefund(keys[i], config, 0, AMOUNT);
            expect(IBatchSettlement.InvalidSignature.selector);
            settlement.refundWithSignature(config, AMOUNT, 0, signature);
        }
    }

    function test_RevertWhen_TheAmountWasChanged() external {
        // it reverts with InvalidSignature
        ChannelConfig memory config = funded();
        bytes memory signature = signRefund(authorizerKey, config, 0, 10_000);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.refundWithSignature(config, 10_001, 0, signature);
    }

    function test_RevertWhen_ItIsSubmittedAgain() external {
        // it reverts with InvalidRefundNonce, also after the channel was funded again
        ChannelConfig memory config = funded();
        bytes memory signature = signRefund(authorizerKey, config, 0, AMOUNT);
        settlement.refundWithSignature(config, AMOUNT, 0, signature);
        fund(config, AMOUNT);
        expect(IBatchSettlement.InvalidRefundNonce.selector);
        settlement.refundWithSignature(config, AMOUNT, 0, signature);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.refundWithSignature(config, AMOUNT, 1, signature);
    }

    function test_RevertWhen_ADirectRefundCameFirst() external {
        // it reverts with InvalidRefundNonce: what was signed before is void
        ChannelConfig memory config = funded();
        bytes memory signature = signRefund(authorizerKey, config, 0, 10_000);
        vm.prank(receiver);
        settlement.refund(config, 1);
        expect(IBatchSettlement.InvalidRefundNonce.selector);
        settlement.refundWithSignature(config, 10_000, 0, signature);
    }

    function test_RevertWhen_TheAmountIsZero() external {
        // it reverts with ZeroRefund
        ChannelConfig memory config = funded();
        bytes memory signature = signRefund(authorizerKey, config, 0, 0);
        expect(IBatchSettlement.ZeroRefund.selector);
        settlement.refundWithSignature(config, 0, 0, signature);
    }

    function signRefund(uint256 key, ChannelConfig memory config, uint256 nonce, uint128 amount)
        private
        view
        returns (bytes memory)
    {
        return sign(key, settlement.getRefundDigest(settlement.getChannelId(config), nonce, amount));
    }
}
