// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC3009_DEPOSIT_COLLECTOR} from "../../src/x402/Canonical.sol";
import {ChannelConfig, IBatchSettlement} from "../../src/x402/IBatchSettlement.sol";
import {AllowanceCollector} from "../doubles/AllowanceCollector.sol";
import {TaxedToken} from "../doubles/TaxedToken.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract DepositTest is ChannelTest {
    function test_RevertWhen_APartyOrTheTokenIsZero() external {
        // it reverts with InvalidChannel
        for (uint256 i = 0; i < 4; ++i) {
            ChannelConfig memory config = channel();
            if (i == 0) config.payer = address(0);
            if (i == 1) config.receiver = address(0);
            if (i == 2) config.receiverAuthorizer = address(0);
            if (i == 3) config.token = address(0);
            expect(IBatchSettlement.InvalidChannel.selector);
            settlement.deposit(config, AMOUNT, ERC3009_DEPOSIT_COLLECTOR, "");
        }
    }

    function test_RevertWhen_TheDelayIsOutOfRange() external {
        // it reverts with WithdrawDelayOutOfRange, just outside both ends
        uint40[2] memory delays = [uint40(15 minutes - 1), uint40(30 days + 1)];
        for (uint256 i = 0; i < delays.length; ++i) {
            ChannelConfig memory config = channel();
            config.withdrawDelay = delays[i];
            expect(IBatchSettlement.WithdrawDelayOutOfRange.selector);
            settlement.deposit(config, AMOUNT, ERC3009_DEPOSIT_COLLECTOR, "");
        }
    }

    function test_When_TheDelayIsAtAnEnd() external {
        // it takes the money
        uint40[2] memory delays = [uint40(15 minutes), uint40(30 days)];
        for (uint256 i = 0; i < delays.length; ++i) {
            ChannelConfig memory config = channel();
            config.withdrawDelay = delays[i];
            fund(config, AMOUNT);
            assertChannel(config, AMOUNT, 0);
        }
    }

    function test_RevertWhen_TheAmountIsZero() external {
        // it reverts with ZeroDeposit
        expect(IBatchSettlement.ZeroDeposit.selector);
        settlement.deposit(channel(), 0, ERC3009_DEPOSIT_COLLECTOR, "");
    }

    function test_RevertWhen_ThereIsNoCollector() external {
        // it reverts with InvalidCollector
        expect(IBatchSettlement.InvalidCollector.selector);
        settlement.deposit(channel(), AMOUNT, address(0), "");
    }

    function test_RevertWhen_TheChannelWouldOverflow() external {
        // it reverts with DepositOverflow
        ChannelConfig memory config = channel();
        token.mint(payer, type(uint128).max);
        fund(config, type(uint112).max);
        bytes memory data = authorization(payerKey, config, 1);
        expect(IBatchSettlement.DepositOverflow.selector);
        settlement.deposit(config, 1, ERC3009_DEPOSIT_COLLECTOR, data);
    }

    function test_When_TheChannelIsNew() external {
        // it opens it with the payer's money, whoever submits
        ChannelConfig memory config = channel();
        bytes memory data = authorization(payerKey, config, AMOUNT);
        bytes32 channelId = settlement.getChannelId(config);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ChannelCreated(channelId, config);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Deposited(channelId, stranger, AMOUNT, AMOUNT);
        vm.prank(stranger);
        settlement.deposit(config, AMOUNT, ERC3009_DEPOSIT_COLLECTOR, data);
        assertChannel(config, AMOUNT, 0);
        assertEq(token.balanceOf(payer), PURSE - AMOUNT, "payer");
        assertEq(token.balanceOf(address(settlement)), AMOUNT, "settlement");
        assertEq(token.balanceOf(ERC3009_DEPOSIT_COLLECTOR), 0, "collector");
    }

    function test_When_TheChannelHasMoney() external {
        // it adds to it without opening it again
        ChannelConfig memory config = funded();
        bytes memory data = authorization(payerKey, config, 7);
        vm.recordLogs();
        settlement.deposit(config, 7, ERC3009_DEPOSIT_COLLECTOR, data);
        assertEq(countOf(IBatchSettlement.ChannelCreated.selector), 0);
        assertChannel(config, AMOUNT + 7, 0);
    }

    function test_When_ADrainedChannelIsFundedAgain() external {
        // it goes on from its old totals, so that old vouchers are worth nothing
        ChannelConfig memory config = funded();
        claimOne(config, AMOUNT);
        fund(config, AMOUNT);
        assertChannel(config, 2 * AMOUNT, AMOUNT);
        vm.recordLogs();
        claimOne(config, AMOUNT);
        assertEq(countOf(IBatchSettlement.Claimed.selector), 0);
        assertChannel(config, 2 * AMOUNT, AMOUNT);
    }

    function test_RevertWhen_TheTokenTakesAFee() external {
        // it reverts with DepositCollectionFailed
        TaxedToken taxed = new TaxedToken();
        AllowanceCollector collector = new AllowanceCollector();
        ChannelConfig memory config = channel();
        config.token = address(taxed);
        taxed.mint(payer, AMOUNT);
        vm.prank(payer);
        taxed.approve(address(collector), AMOUNT);
        expect(IBatchSettlement.DepositCollectionFailed.selector);
        settlement.deposit(config, AMOUNT, address(collector), "");
    }

    function test_RevertWhen_TheCollectorBringsAnotherAmount() external {
        // it reverts with DepositCollectionFailed, too little or too much
        AllowanceCollector collector = new AllowanceCollector();
        vm.prank(payer);
        token.approve(address(collector), type(uint256).max);
        for (uint256 i = 0; i < 2; ++i) {
            collector.collectInstead(i == 0 ? AMOUNT - 1 : AMOUNT + 1);
            expect(IBatchSettlement.DepositCollectionFailed.selector);
            settlement.deposit(channel(), AMOUNT, address(collector), "");
        }
    }
}
