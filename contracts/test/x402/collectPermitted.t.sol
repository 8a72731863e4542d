// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PERMIT2, PERMIT2_DEPOSIT_COLLECTOR} from "../../src/x402/Canonical.sol";
import {ChannelConfig} from "../../src/x402/IBatchSettlement.sol";
import {IDepositCollector} from "../../src/x402/IDepositCollector.sol";
import {ISignatureTransfer} from "../../src/x402/ISignatureTransfer.sol";
import {Permit2Double} from "../doubles/Permit2Double.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract CollectPermittedTest is ChannelTest {
    /// PermitWitnessTransferFrom with a DepositWitness, as the official client signs it.
    bytes32 private constant TYPEHASH = 0x436a25c01a21a6ed025816c4c9ea3d6132aa879dd7ef16f6188dd3b0aebccc52;

    function setUp() public override {
        super.setUp();
        vm.etch(PERMIT2, address(new Permit2Double()).code);
        vm.prank(payer);
        token.approve(PERMIT2, type(uint256).max);
    }

    function test_RevertWhen_SomebodyElseCalls() external {
        // it reverts with OnlyBatchSettlement: whoever calls would get the money
        bytes32 channelId = settlement.getChannelId(channel());
        bytes memory data = permission(payerKey, channel(), AMOUNT, "");
        vm.expectRevert(abi.encodeWithSignature("OnlyBatchSettlement(address)", stranger));
        vm.prank(stranger);
        IDepositCollector(PERMIT2_DEPOSIT_COLLECTOR).collect(payer, USDC, AMOUNT, channelId, data);
    }

    function test_When_ThePayerSigned() external {
        // it brings the money by the published type
        settlement.deposit(channel(), AMOUNT, PERMIT2_DEPOSIT_COLLECTOR, permission(payerKey, channel(), AMOUNT, ""));
        assertChannel(channel(), AMOUNT, 0);
        assertEq(token.balanceOf(address(settlement)), AMOUNT);
        assertEq(Permit2Double(PERMIT2).lastTypeHash(), TYPEHASH);
    }

    function test_RevertWhen_ItIsForAnotherChannel() external {
        // it reverts: the channel's id is the witness
        ChannelConfig memory thiefs = channel();
        thiefs.receiver = stranger;
        bytes memory data = permission(payerKey, channel(), AMOUNT, "");
        vm.expectRevert("signer");
        settlement.deposit(thiefs, AMOUNT, PERMIT2_DEPOSIT_COLLECTOR, data);
    }

    function test_When_ThePermitOfTheTokenComesAlong() external {
        // it uses it first, so that no allowance is needed before
        withoutAllowance();
        bytes memory data = permission(payerKey, channel(), AMOUNT, permit(AMOUNT));
        settlement.deposit(channel(), AMOUNT, PERMIT2_DEPOSIT_COLLECTOR, data);
        assertChannel(channel(), AMOUNT, 0);
    }

    function test_When_ThePermitOfTheTokenWasUsedBySomebodyElse() external {
        // it goes on: the allowance stands all the same
        withoutAllowance();
        bytes memory eip2612 = permit(AMOUNT);
        (uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) =
            abi.decode(eip2612, (uint256, uint256, uint8, bytes32, bytes32));
        vm.prank(stranger);
        token.permit(payer, PERMIT2, value, deadline, v, r, s);
        bytes memory data = permission(payerKey, channel(), AMOUNT, eip2612);
        settlement.deposit(channel(), AMOUNT, PERMIT2_DEPOSIT_COLLECTOR, data);
        assertChannel(channel(), AMOUNT, 0);
    }

    function test_RevertWhen_ThePermitOfTheTokenIsForAnotherAmount() external {
        // it reverts with Permit2612AmountMismatch
        bytes memory data = permission(payerKey, channel(), AMOUNT, permit(AMOUNT + 1));
        vm.expectRevert(abi.encodeWithSignature("Permit2612AmountMismatch()"));
        settlement.deposit(channel(), AMOUNT, PERMIT2_DEPOSIT_COLLECTOR, data);
    }

    function withoutAllowance() private {
        vm.prank(payer);
        token.approve(PERMIT2, 0);
    }

    function permission(uint256 key, ChannelConfig memory config, uint128 amount, bytes memory eip2612)
        private
        view
        returns (bytes memory)
    {
        ISignatureTransfer.PermitTransferFrom memory signed = ISignatureTransfer.PermitTransferFrom({
            permitted: ISignatureTransfer.TokenPermissions({token: USDC, amount: amount}),
            nonce: 42,
            deadline: type(uint256).max
        });
        bytes32 witness =
            keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), settlement.getChannelId(config)));
        bytes32 digest = Permit2Double(PERMIT2).digestOf(signed, PERMIT2_DEPOSIT_COLLECTOR, TYPEHASH, witness);
        return abi.encode(signed.nonce, signed.deadline, sign(key, digest), eip2612);
    }

    function permit(uint256 value) private view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                payer,
                PERMIT2,
                value,
                token.nonces(payer),
                type(uint256).max
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(payerKey, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
        return abi.encode(value, type(uint256).max, v, r, s);
    }
}
