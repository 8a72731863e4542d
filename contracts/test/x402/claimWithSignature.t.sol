// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {Wallet} from "../doubles/Wallet.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract ClaimWithSignatureTest is ChannelTest {
    function test_RevertWhen_ThereIsNoRow() external {
        // it reverts with EmptyBatch
        expect(IBatchSettlement.EmptyBatch.selector);
        settlement.claimWithSignature(new VoucherClaim[](0), "");
    }

    function test_When_TheAuthorizerSigned() external {
        // it claims every row, whoever submits
        VoucherClaim[] memory claims = two();
        bytes memory signature = sign(authorizerKey, settlement.getClaimBatchDigest(claims));
        vm.prank(stranger);
        settlement.claimWithSignature(claims, signature);
        assertChannel(claims[0].voucher.channel, AMOUNT, 10_000);
        assertChannel(claims[1].voucher.channel, AMOUNT, 20_000);
        assertDue(30_000, 0);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts with InvalidSignature, even the receiver of a channel whose authorizer is another
        VoucherClaim[] memory claims = two();
        bytes memory signature = sign(strangerKey, settlement.getClaimBatchDigest(claims));
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.claimWithSignature(claims, signature);
    }

    function test_RevertWhen_TheBatchWasChanged() external {
        // it reverts with InvalidSignature, by a row or by a total
        VoucherClaim[] memory claims = two();
        bytes memory signature = sign(authorizerKey, settlement.getClaimBatchDigest(claims));
        claims[0].totalClaimed = 9_999;
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.claimWithSignature(claims, signature);
        VoucherClaim[] memory fewer = one(claims[1]);
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.claimWithSignature(fewer, signature);
    }

    function test_RevertWhen_ARowHasAnotherAuthorizer() external {
        // it reverts with NotReceiverAuthorizer: one key cannot claim in another's name
        VoucherClaim[] memory claims = two();
        ChannelConfig memory other = channel();
        other.receiverAuthorizer = stranger;
        fund(other, AMOUNT);
        claims[1] = row(other, 20_000, 20_000);
        bytes memory signature = sign(authorizerKey, settlement.getClaimBatchDigest(claims));
        expect(IBatchSettlement.NotReceiverAuthorizer.selector);
        settlement.claimWithSignature(claims, signature);
    }

    function test_RevertWhen_OneRowIsBad() external {
        // it reverts as a whole
        VoucherClaim[] memory claims = two();
        claims[1] = rowBy(strangerKey, claims[1].voucher.channel, 20_000, 20_000);
        bytes memory signature = sign(authorizerKey, settlement.getClaimBatchDigest(claims));
        expect(IBatchSettlement.InvalidSignature.selector);
        settlement.claimWithSignature(claims, signature);
        assertDue(0, 0);
    }

    function test_When_TheAuthorizerIsAWallet() external {
        // it asks the wallet (EIP-1271)
        ChannelConfig memory config = channel();
        config.receiverAuthorizer = address(new Wallet(authorizerKey));
        fund(config, AMOUNT);
        VoucherClaim[] memory claims = one(row(config, 10_000, 10_000));
        settlement.claimWithSignature(claims, sign(authorizerKey, settlement.getClaimBatchDigest(claims)));
        assertChannel(config, AMOUNT, 10_000);
    }

    function test_When_ItIsSubmittedAgain() external {
        // it changes nothing
        VoucherClaim[] memory claims = two();
        bytes memory signature = sign(authorizerKey, settlement.getClaimBatchDigest(claims));
        settlement.claimWithSignature(claims, signature);
        settlement.claimWithSignature(claims, signature);
        assertDue(30_000, 0);
    }

    function two() private returns (VoucherClaim[] memory claims) {
        ChannelConfig memory second = channel();
        second.salt = bytes32(uint256(2));
        fund(second, AMOUNT);
        claims = new VoucherClaim[](2);
        claims[0] = row(funded(), 10_000, 10_000);
        claims[1] = row(second, 20_000, 20_000);
    }
}
