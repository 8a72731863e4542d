// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {AllowanceCollector} from "../doubles/AllowanceCollector.sol";
import {BurningWallet} from "../doubles/BurningWallet.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract ClaimTryTest is ChannelTest {
    function test_RevertWhen_ThereIsNoRow() external {
        // it reverts with EmptyBatch
        expect(IBatchSettlement.EmptyBatch.selector);
        settlement.claimTry(new VoucherClaim[](0));
    }

    function test_When_EveryRowIsGood() external {
        // it claims them all
        ChannelConfig memory config = funded();
        ChannelConfig memory other = another(2);
        VoucherClaim[] memory claims = new VoucherClaim[](2);
        claims[0] = row(config, 10_000, 10_000);
        claims[1] = row(other, 20_000, 20_000);
        vm.prank(authorizer);
        settlement.claimTry(claims);
        assertChannel(config, AMOUNT, 10_000);
        assertChannel(other, AMOUNT, 20_000);
        assertDue(30_000, 0);
    }

    function test_When_SomeRowsAreBad() external {
        // it leaves those out, says why, and claims the others
        VoucherClaim[] memory claims = new VoucherClaim[](6);
        claims[0] = rowBy(strangerKey, another(1), 10_000, 10_000);
        claims[1] = row(another(2), 10_000, 10_001);
        claims[2] = row(another(3), AMOUNT + 1, AMOUNT + 1);
        ChannelConfig memory foreign = another(4);
        foreign.receiver = stranger;
        foreign.receiverAuthorizer = stranger;
        fund(foreign, AMOUNT);
        claims[3] = row(foreign, 10_000, 10_000);
        claims[4] = row(another(5), 10_000, 10_000);
        claims[4].signature = hex"00";
        claims[5] = row(another(6), 10_000, 10_000);

        skips(claims[0], IBatchSettlement.InvalidSignature.selector);
        skips(claims[1], IBatchSettlement.ClaimExceedsCeiling.selector);
        skips(claims[2], IBatchSettlement.ClaimExceedsBalance.selector);
        skips(claims[3], IBatchSettlement.NotAuthorizedToClaim.selector);
        skips(claims[4], IBatchSettlement.InvalidSignature.selector);
        bytes32 channelId = settlement.getChannelId(claims[5].voucher.channel);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Claimed(channelId, authorizer, 10_000, 10_000);
        vm.prank(authorizer);
        settlement.claimTry(claims);

        for (uint256 i = 0; i < 5; ++i) {
            assertChannel(claims[i].voucher.channel, AMOUNT, 0);
        }
        assertChannel(claims[5].voucher.channel, AMOUNT, 10_000);
        assertDue(10_000, 0);
    }

    function test_When_ARowWasClaimedBefore() external {
        // it changes nothing and skips nothing
        ChannelConfig memory config = funded();
        claimOne(config, 10_000);
        VoucherClaim[] memory claims = one(row(config, 10_000, 10_000));
        vm.recordLogs();
        vm.prank(authorizer);
        settlement.claimTry(claims);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_When_AWalletBurnsItsGas() external {
        // it burns its own share and not that of the row behind it
        BurningWallet wallet = new BurningWallet();
        ChannelConfig memory config = channel();
        config.payer = address(wallet);
        config.payerAuthorizer = address(0);
        AllowanceCollector collector = new AllowanceCollector();
        token.mint(address(wallet), AMOUNT);
        vm.prank(address(wallet));
        token.approve(address(collector), AMOUNT);
        settlement.deposit(config, AMOUNT, address(collector), "");
        ChannelConfig memory good = another(1);
        VoucherClaim[] memory claims = new VoucherClaim[](2);
        claims[0] = row(config, 10_000, 10_000);
        claims[1] = row(good, 10_000, 10_000);
        skips(claims[0], IBatchSettlement.InvalidSignature.selector);
        vm.prank(authorizer);
        settlement.claimTry{gas: 400_000}(claims);
        assertChannel(good, AMOUNT, 10_000);
    }

    function skips(VoucherClaim memory claim, bytes4 reason) private {
        bytes32 channelId = settlement.getChannelId(claim.voucher.channel);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ClaimSkipped(channelId, reason);
    }

    function another(uint256 salt) private returns (ChannelConfig memory config) {
        config = channel();
        config.salt = bytes32(salt);
        fund(config, AMOUNT);
    }
}
