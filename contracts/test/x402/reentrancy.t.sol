// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {AllowanceCollector} from "../doubles/AllowanceCollector.sol";
import {HookedToken} from "../doubles/HookedToken.sol";
import {ChannelTest} from "./ChannelTest.sol";

/// A token that calls back in the middle of a transfer, with whatever its friends may call.
contract ReentrancyTest is ChannelTest {
    HookedToken private hooked;
    AllowanceCollector private collector;
    ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        hooked = new HookedToken();
        collector = new AllowanceCollector();
        hooked.mint(payer, PURSE);
        vm.prank(payer);
        hooked.approve(address(collector), type(uint256).max);
        config = channel();
        config.token = address(hooked);
        // The token is the receiver itself, so that no call of its own is refused for being a stranger's.
        config.receiver = address(hooked);
        settlement.deposit(config, AMOUNT, address(collector), "");
    }

    function test_When_ADepositIsMadeInADeposit() external {
        // it is refused, or one transfer would count twice
        hooked.arm(address(settlement), abi.encodeCall(settlement.deposit, (config, AMOUNT, address(collector), "")));
        settlement.deposit(config, AMOUNT, address(collector), "");
        assertFalse(hooked.lastCallSucceeded());
        assertChannel(config, 2 * AMOUNT, 0);
    }

    function test_When_ARefundIsMadeInARefund() external {
        // it is refused, and the totals are the same as without it
        hooked.arm(address(settlement), abi.encodeCall(settlement.refund, (config, AMOUNT)));
        vm.prank(authorizer);
        settlement.refund(config, 10_000);
        assertFalse(hooked.lastCallSucceeded());
        assertChannel(config, AMOUNT - 10_000, 0);
        assertEq(hooked.balanceOf(address(settlement)), AMOUNT - 10_000);
    }

    function test_When_ASettleIsMadeInASettle() external {
        // it is refused, and the receiver has its money once
        claimOne(config, 10_000);
        hooked.arm(address(settlement), abi.encodeCall(settlement.settle, (config.receiver, config.token)));
        settlement.settle(config.receiver, config.token);
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(config.receiver), 10_000);
    }

    function test_When_AClaimIsMadeInAClose() external {
        // it is refused
        VoucherClaim memory claim = row(config, 20_000, 20_000);
        VoucherClaim[] memory more = one(row(config, 30_000, 30_000));
        hooked.arm(address(settlement), abi.encodeCall(settlement.claim, (more)));
        vm.prank(authorizer);
        settlement.closeWithSignature(claim, type(uint128).max, "");
        assertFalse(hooked.lastCallSucceeded());
        assertChannel(config, 20_000, 20_000);
        assertEq(hooked.balanceOf(address(settlement)), 0);
    }

    function test_When_ARefundIsMadeInAWithdrawal() external {
        // it is refused
        vm.prank(payer);
        settlement.initiateWithdraw(config, AMOUNT);
        skip(DELAY);
        hooked.arm(address(settlement), abi.encodeCall(settlement.refund, (config, AMOUNT)));
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(payer), PURSE);
    }
}
