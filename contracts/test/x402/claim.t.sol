// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {Wallet} from "../doubles/Wallet.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract ClaimTest is ChannelTest {
    /// The order of secp256k1: (r, n − s) signs what (r, s) signs.
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_RevertWhen_ThereIsNoRow() external {
        // it reverts with EmptyBatch
        expect(IBatchSettlement.EmptyBatch.selector);
        vm.prank(authorizer);
        settlement.claim(new VoucherClaim[](0));
    }

    function test_RevertWhen_SomebodyElseClaims() external {
        // it reverts with NotAuthorizedToClaim
        VoucherClaim[] memory claims = one(row(funded(), 10_000, 10_000));
        expect(IBatchSettlement.NotAuthorizedToClaim.selector);
        vm.prank(stranger);
        settlement.claim(claims);
    }

    function test_RevertWhen_MoreIsClaimedThanPromised() external {
        // it reverts with ClaimExceedsCeiling
        refuses(row(funded(), 10_000, 10_001), IBatchSettlement.ClaimExceedsCeiling.selector);
    }

    function test_RevertWhen_MoreIsClaimedThanThereIs() external {
        // it reverts with ClaimExceedsBalance
        refuses(row(funded(), AMOUNT + 1, AMOUNT + 1), IBatchSettlement.ClaimExceedsBalance.selector);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts with InvalidSignature, even when that is the payer who named a session key
        ChannelConfig memory config = funded();
        refuses(rowBy(strangerKey, config, 10_000, 10_000), IBatchSettlement.InvalidSignature.selector);
        refuses(rowBy(payerKey, config, 10_000, 10_000), IBatchSettlement.InvalidSignature.selector);
    }

    function test_RevertWhen_TheSignatureIsHighOrCut() external {
        // it reverts with InvalidSignature: one voucher has one signature
        VoucherClaim memory claim = row(funded(), 10_000, 10_000);
        (bytes32 r, bytes32 s) = abi.decode(claim.signature, (bytes32, bytes32));
        uint8 v = uint8(claim.signature[64]);
        claim.signature = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refuses(claim, IBatchSettlement.InvalidSignature.selector);
        claim.signature = abi.encodePacked(r, s);
        refuses(claim, IBatchSettlement.InvalidSignature.selector);
        claim.signature = "";
        refuses(claim, IBatchSettlement.InvalidSignature.selector);
    }

    function test_RevertWhen_TheVoucherIsForAnotherChannel() external {
        // it reverts with InvalidSignature
        ChannelConfig memory config = funded();
        ChannelConfig memory other = channel();
        other.salt = bytes32(uint256(1));
        VoucherClaim memory claim = row(config, 10_000, 10_000);
        claim.signature = row(other, 10_000, 10_000).signature;
        refuses(claim, IBatchSettlement.InvalidSignature.selector);
    }

    function test_RevertWhen_TheVoucherIsForAnotherChain() external {
        // it reverts with InvalidSignature
        ChannelConfig memory config = funded();
        vm.chainId(8453);
        bytes memory signature = row(config, 10_000, 10_000).signature;
        vm.chainId(CHAIN_ID);
        VoucherClaim memory claim = row(config, 10_000, 10_000);
        claim.signature = signature;
        refuses(claim, IBatchSettlement.InvalidSignature.selector);
    }

    function test_RevertWhen_TheVoucherIsForAnotherContract() external {
        // it reverts with InvalidSignature
        ChannelConfig memory config = funded();
        VoucherClaim memory claim = row(config, 10_000, 10_000);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)"),
                settlement.getChannelId(config),
                uint128(10_000)
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("x402 Batch Settlement"),
                keccak256("1"),
                CHAIN_ID,
                stranger
            )
        );
        claim.signature = sign(sessionKey, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        refuses(claim, IBatchSettlement.InvalidSignature.selector);
    }

    function test_When_ReceiverOrAuthorizerClaims() external {
        // it raises the total and what is due to the receiver, and sends nothing yet
        ChannelConfig memory config = funded();
        bytes32 channelId = settlement.getChannelId(config);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Claimed(channelId, authorizer, 10_000, 10_000);
        claimOne(config, 10_000);
        VoucherClaim[] memory claims = one(row(config, 25_000, 20_000));
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Claimed(channelId, receiver, 10_000, 20_000);
        vm.prank(receiver);
        settlement.claim(claims);
        assertChannel(config, AMOUNT, 20_000);
        assertDue(20_000, 0);
        assertEq(token.balanceOf(receiver), 0);
    }

    function test_When_AVoucherIsReplayedOrLower() external {
        // it changes nothing and reverts nothing
        ChannelConfig memory config = funded();
        claimOne(config, 20_000);
        vm.recordLogs();
        claimOne(config, 20_000);
        claimOne(config, 19_999);
        assertEq(countOf(IBatchSettlement.Claimed.selector), 0);
        assertChannel(config, AMOUNT, 20_000);
        assertDue(20_000, 0);
    }

    function test_When_OneBatchNamesAChannelTwice() external {
        // it counts the difference only
        ChannelConfig memory config = funded();
        VoucherClaim[] memory claims = new VoucherClaim[](3);
        claims[0] = row(config, 10_000, 10_000);
        claims[1] = row(config, 30_000, 30_000);
        claims[2] = row(config, 20_000, 20_000);
        vm.prank(authorizer);
        settlement.claim(claims);
        assertChannel(config, AMOUNT, 30_000);
        assertDue(30_000, 0);
    }

    function test_RevertWhen_OneRowIsBad() external {
        // it reverts as a whole
        ChannelConfig memory config = funded();
        VoucherClaim[] memory claims = new VoucherClaim[](2);
        claims[0] = row(config, 10_000, 10_000);
        claims[1] = rowBy(strangerKey, config, 20_000, 20_000);
        expect(IBatchSettlement.InvalidSignature.selector);
        vm.prank(authorizer);
        settlement.claim(claims);
        assertChannel(config, AMOUNT, 0);
    }

    function test_When_ThePayerHasBecomeAContract() external {
        // it asks the key that signed, session or payer, whatever code stands at the payer's address by now
        ChannelConfig memory config = funded();
        ChannelConfig memory own = channel();
        own.payerAuthorizer = address(0);
        fund(own, AMOUNT);
        vm.etch(payer, hex"ef0100000000000000000000000000000000000000dead");
        claimOne(config, 10_000);
        assertChannel(config, AMOUNT, 10_000);
        VoucherClaim[] memory claims = one(rowBy(payerKey, own, 10_000, 10_000));
        vm.prank(authorizer);
        settlement.claim(claims);
        assertChannel(own, AMOUNT, 10_000);
    }

    function test_When_ThePayerIsAWalletWithoutASessionKey() external {
        // it asks the wallet (EIP-1271)
        ChannelConfig memory config = channel();
        config.payer = address(new Wallet(strangerKey));
        config.payerAuthorizer = address(0);
        token.mint(config.payer, AMOUNT);
        settlement.deposit(config, AMOUNT, COLLECTOR, authorization(strangerKey, config, AMOUNT));
        refuses(rowBy(sessionKey, config, 10_000, 10_000), IBatchSettlement.InvalidSignature.selector);
        VoucherClaim[] memory claims = one(rowBy(strangerKey, config, 10_000, 10_000));
        vm.prank(authorizer);
        settlement.claim(claims);
        assertChannel(config, AMOUNT, 10_000);
    }

    function test_RevertWhen_AWalletIsNamedAsSessionKey() external {
        // it reverts with InvalidSignature: a session key is a key
        ChannelConfig memory config = channel();
        config.payerAuthorizer = address(new Wallet(strangerKey));
        fund(config, AMOUNT);
        refuses(rowBy(strangerKey, config, 10_000, 10_000), IBatchSettlement.InvalidSignature.selector);
    }

    function testFuzz_When_ManySmallAmountsAreClaimed(uint16[20] calldata steps) external {
        // it adds up to the last voucher, to the unit
        ChannelConfig memory config = channel();
        fund(config, 20 * uint128(type(uint16).max));
        uint128 total = 0;
        for (uint256 i = 0; i < steps.length; ++i) {
            total += steps[i];
            claimOne(config, total);
        }
        assertDue(total, 0);
        settlement.settle(receiver, USDC);
        assertEq(token.balanceOf(receiver), total);
    }

    function refuses(VoucherClaim memory claim, bytes4 selector) private {
        expect(selector);
        vm.prank(authorizer);
        settlement.claim(one(claim));
    }
}
