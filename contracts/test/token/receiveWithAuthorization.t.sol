// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Wallet} from "../doubles/Wallet.sol";
import {TokenTest} from "./TokenTest.sol";

contract ReceiveWithAuthorizationTest is TokenTest {
    function test_When_ThePayeeSubmits() external {
        // it moves the money
        submit(payee, authorize("ReceiveWithAuthorization", holderKey, holder));
        assertEq(token.balanceOf(payee), VALUE);
    }

    function test_When_TheSignatureComesInThreeParts() external {
        // it does the same through the older overload
        (uint8 v, bytes32 r, bytes32 s) = split(authorize("ReceiveWithAuthorization", holderKey, holder));
        vm.prank(payee);
        token.receiveWithAuthorization(holder, payee, VALUE, validAfter, validBefore, NONCE, v, r, s);
        assertEq(token.balanceOf(payee), VALUE);
    }

    function test_When_TheHolderIsAWallet() external {
        // it asks the wallet (EIP-1271)
        address wallet = address(new Wallet(holderKey));
        vm.prank(holder);
        token.transfer(wallet, VALUE);
        bytes memory signature = authorize("ReceiveWithAuthorization", holderKey, wallet);
        vm.prank(payee);
        token.receiveWithAuthorization(wallet, payee, VALUE, validAfter, validBefore, NONCE, signature);
        assertEq(token.balanceOf(payee), VALUE);
    }

    function test_When_ItIsCalledByRawSelector() external {
        // it answers to 88b7ab63
        bytes memory signature = authorize("ReceiveWithAuthorization", holderKey, holder);
        vm.prank(payee);
        (bool success,) = address(token)
            .call(abi.encodeWithSelector(0x88b7ab63, holder, payee, VALUE, validAfter, validBefore, NONCE, signature));
        assertTrue(success);
        assertEq(token.balanceOf(payee), VALUE);
    }

    function test_RevertWhen_SomebodyElseSubmits() external {
        // it reverts
        bytes memory signature = authorize("ReceiveWithAuthorization", holderKey, holder);
        vm.expectRevert(abi.encodeWithSignature("ERC20InvalidReceiver(address)", payee));
        submit(relayer, signature);
    }

    function test_RevertWhen_TheNonceIsUsed() external {
        // it reverts
        bytes memory signature = authorize("ReceiveWithAuthorization", holderKey, holder);
        submit(payee, signature);
        vm.expectRevert(abi.encodeWithSignature("ERC3009UsedAuthorization(address,bytes32)", holder, NONCE));
        submit(payee, signature);
    }

    function test_RevertWhen_TheHolderCancelledIt() external {
        // it reverts
        bytes32 structHash =
            keccak256(abi.encode(keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), holder, NONCE));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(holderKey, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
        token.cancelAuthorization(holder, NONCE, v, r, s);
        bytes memory signature = authorize("ReceiveWithAuthorization", holderKey, holder);
        vm.expectRevert(abi.encodeWithSignature("ERC3009UsedAuthorization(address,bytes32)", holder, NONCE));
        submit(payee, signature);
    }

    function submit(address caller, bytes memory signature) private {
        vm.prank(caller);
        token.receiveWithAuthorization(holder, payee, VALUE, validAfter, validBefore, NONCE, signature);
    }
}
