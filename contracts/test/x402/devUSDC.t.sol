// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Wallet} from "../doubles/Wallet.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract DevUSDCTest is ChannelTest {
    function test_When_ItIsComparedWithTheRealOne() external view {
        // it has its name, version, decimals and domain
        assertEq(token.name(), "USDC");
        assertEq(token.symbol(), "USDC");
        assertEq(token.version(), "2");
        assertEq(token.decimals(), 6);
        assertEq(token.DOMAIN_SEPARATOR(), 0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818);
    }

    function test_RevertWhen_MoneyIsMadeOnAnotherChain() external {
        // it reverts with NoDevelopmentChain
        vm.chainId(8453);
        vm.expectRevert(abi.encodeWithSignature("NoDevelopmentChain(uint256)", 8453));
        token.mint(payer, 1);
    }

    function test_When_MoneyIsMadeOnADevelopmentChain() external {
        // it is there, for anybody
        vm.chainId(31337);
        vm.prank(stranger);
        token.mint(stranger, 5);
        assertEq(token.balanceOf(stranger), 5);
        assertEq(token.totalSupply(), PURSE + 5);
    }

    function test_When_ATransferIsAuthorized() external {
        // it moves the money once, by either overload, and the other message does not stand for it
        bytes memory signature = authorize("TransferWithAuthorization", payerKey, payer);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        vm.prank(receiver);
        token.receiveWithAuthorization(payer, receiver, AMOUNT, 0, type(uint256).max, 0, signature);
        token.transferWithAuthorization(payer, receiver, AMOUNT, 0, type(uint256).max, 0, signature);
        assertEq(token.balanceOf(receiver), AMOUNT);
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint8 v = uint8(signature[64]);
        vm.expectRevert(abi.encodeWithSignature("ERC3009UsedAuthorization(address,bytes32)", payer, bytes32(0)));
        token.transferWithAuthorization(payer, receiver, AMOUNT, 0, type(uint256).max, 0, v, r, s);
    }

    function test_RevertWhen_SomebodyElseReceives() external {
        // it reverts
        bytes memory signature = authorize("ReceiveWithAuthorization", payerKey, payer);
        vm.expectRevert(abi.encodeWithSignature("ERC20InvalidReceiver(address)", receiver));
        vm.prank(stranger);
        token.receiveWithAuthorization(payer, receiver, AMOUNT, 0, type(uint256).max, 0, signature);
    }

    function test_RevertWhen_TheAuthorizationIsTooEarlyOrTooLate() external {
        // it reverts at both bounds, as in FiatToken
        uint256 now_ = vm.getBlockTimestamp();
        bytes memory late = authorize("TransferWithAuthorization", payerKey, payer, 0, now_);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidAuthorizationTime(uint256,uint256)", 0, now_));
        token.transferWithAuthorization(payer, receiver, AMOUNT, 0, now_, 0, late);
        bytes memory early = authorize("TransferWithAuthorization", payerKey, payer, now_, now_ + 9);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidAuthorizationTime(uint256,uint256)", now_, now_ + 9));
        token.transferWithAuthorization(payer, receiver, AMOUNT, now_, now_ + 9, 0, early);
    }

    function test_When_APermitIsSigned() external {
        // it allows once, by either overload, for keys and wallets, until its deadline
        uint256 deadline = vm.getBlockTimestamp();
        bytes memory signature = signPermit(payerKey, payer, deadline);
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint8 v = uint8(signature[64]);
        token.permit(payer, stranger, AMOUNT, deadline, v, r, s);
        assertEq(token.allowance(payer, stranger), AMOUNT);
        assertEq(token.nonces(payer), 1);
        vm.expectRevert(abi.encodeWithSignature("ERC2612InvalidSigner(address)", payer));
        token.permit(payer, stranger, AMOUNT, deadline, signature);
        address wallet = address(new Wallet(strangerKey));
        token.permit(wallet, stranger, AMOUNT, deadline, signPermit(strangerKey, wallet, deadline));
        assertEq(token.allowance(wallet, stranger), AMOUNT);
        bytes memory next = signPermit(payerKey, payer, deadline);
        skip(1);
        vm.expectRevert(abi.encodeWithSignature("ERC2612ExpiredSignature(uint256)", deadline));
        token.permit(payer, stranger, AMOUNT, deadline, next);
    }

    function authorize(string memory name, uint256 key, address from) private view returns (bytes memory) {
        return authorize(name, key, from, 0, type(uint256).max);
    }

    function authorize(string memory name, uint256 key, address from, uint256 validAfter, uint256 validBefore)
        private
        view
        returns (bytes memory)
    {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                name, "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        bytes32 structHash =
            keccak256(abi.encode(typeHash, from, receiver, uint256(AMOUNT), validAfter, validBefore, bytes32(0)));
        return sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function signPermit(uint256 key, address owner, uint256 deadline) private view returns (bytes memory) {
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(typeHash, owner, stranger, uint256(AMOUNT), token.nonces(owner), deadline));
        return sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
