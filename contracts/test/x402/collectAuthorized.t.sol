// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig} from "../../src/x402/IBatchSettlement.sol";
import {IDepositCollector} from "../../src/x402/IDepositCollector.sol";
import {Wallet} from "../doubles/Wallet.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract CollectAuthorizedTest is ChannelTest {
    function test_RevertWhen_SomebodyElseCalls() external {
        // it reverts with OnlyBatchSettlement: whoever calls would get the money
        ChannelConfig memory config = channel();
        bytes32 channelId = settlement.getChannelId(config);
        bytes memory data = authorization(payerKey, config, AMOUNT);
        vm.expectRevert(abi.encodeWithSignature("OnlyBatchSettlement(address)", stranger));
        vm.prank(stranger);
        IDepositCollector(COLLECTOR).collect(payer, USDC, AMOUNT, channelId, data);
    }

    function test_RevertWhen_TheAuthorizationIsForAnotherChannel() external {
        // it reverts: nobody can fund his own channel with another's signature
        ChannelConfig memory thiefs = channel();
        thiefs.receiver = stranger;
        thiefs.receiverAuthorizer = stranger;
        bytes memory data = authorization(payerKey, channel(), AMOUNT);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        settlement.deposit(thiefs, AMOUNT, COLLECTOR, data);
    }

    function test_RevertWhen_TheAmountIsAnother() external {
        // it reverts
        bytes memory data = authorization(payerKey, channel(), AMOUNT);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        settlement.deposit(channel(), AMOUNT - 1, COLLECTOR, data);
    }

    function test_RevertWhen_TheAuthorizationIsUsedTwice() external {
        // it reverts: one signature pays once
        ChannelConfig memory config = channel();
        bytes memory data = authorization(payerKey, config, AMOUNT);
        settlement.deposit(config, AMOUNT, COLLECTOR, data);
        vm.expectPartialRevert(bytes4(keccak256("ERC3009UsedAuthorization(address,bytes32)")));
        settlement.deposit(config, AMOUNT, COLLECTOR, data);
    }

    function test_RevertWhen_ItIsTakenToTheTokenDirectly() external {
        // it reverts: only the collector may use it, so nobody can spoil a deposit
        ChannelConfig memory config = channel();
        bytes memory data = authorization(payerKey, config, AMOUNT);
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(data, (uint256, uint256, uint256, bytes));
        bytes32 nonce = keccak256(abi.encode(settlement.getChannelId(config), salt));
        vm.expectRevert(abi.encodeWithSignature("ERC20InvalidReceiver(address)", COLLECTOR));
        vm.prank(stranger);
        token.receiveWithAuthorization(payer, COLLECTOR, AMOUNT, validAfter, validBefore, nonce, signature);
    }

    function test_When_ThePayerIsAWallet() external {
        // it asks the wallet (EIP-1271)
        ChannelConfig memory config = channel();
        config.payer = address(new Wallet(strangerKey));
        token.mint(config.payer, AMOUNT);
        settlement.deposit(config, AMOUNT, COLLECTOR, authorization(strangerKey, config, AMOUNT));
        assertChannel(config, AMOUNT, 0);
    }
}
