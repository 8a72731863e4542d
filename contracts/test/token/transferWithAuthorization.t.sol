// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Wallet} from "../doubles/Wallet.sol";
import {TokenTest} from "./TokenTest.sol";

contract TransferWithAuthorizationTest is TokenTest {
    function test_When_TheHolderSigned() external {
        // it moves the money, whoever submits
        submit(holder, authorize("TransferWithAuthorization", holderKey, holder));
        assertEq(token.balanceOf(payee), VALUE);
        assertTrue(token.authorizationState(holder, NONCE));
    }

    function test_When_TheSignatureComesInThreeParts() external {
        // it does the same through the older overload
        (uint8 v, bytes32 r, bytes32 s) = split(authorize("TransferWithAuthorization", holderKey, holder));
        vm.prank(relayer);
        token.transferWithAuthorization(holder, payee, VALUE, validAfter, validBefore, NONCE, v, r, s);
        assertEq(token.balanceOf(payee), VALUE);
    }

    function test_When_TheHolderIsAWallet() external {
        // it asks the wallet (EIP-1271)
        address wallet = address(new Wallet(holderKey));
        vm.prank(holder);
        token.transfer(wallet, VALUE);
        submit(wallet, authorize("TransferWithAuthorization", holderKey, wallet));
        assertEq(token.balanceOf(payee), VALUE);
    }

    function test_RevertWhen_TheNonceIsUsed() external {
        // it reverts, in either overload
        bytes memory signature = authorize("TransferWithAuthorization", holderKey, holder);
        submit(holder, signature);
        vm.expectRevert(abi.encodeWithSignature("ERC3009UsedAuthorization(address,bytes32)", holder, NONCE));
        submit(holder, signature);
        (uint8 v, bytes32 r, bytes32 s) = split(signature);
        vm.expectRevert(abi.encodeWithSignature("ERC3009UsedAuthorization(address,bytes32)", holder, NONCE));
        token.transferWithAuthorization(holder, payee, VALUE, validAfter, validBefore, NONCE, v, r, s);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts
        bytes memory signature = authorize("TransferWithAuthorization", holderKey + 1, holder);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        submit(holder, signature);
    }

    function test_RevertWhen_ItWasSignedForReceiving() external {
        // it reverts: one message cannot stand for the other
        bytes memory signature = authorize("ReceiveWithAuthorization", holderKey, holder);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        submit(holder, signature);
    }

    function test_RevertWhen_ItIsTooEarlyOrTooLate() external {
        // it reverts at both bounds, as in FiatToken
        bytes memory signature = authorize("TransferWithAuthorization", holderKey, holder);
        uint256[2] memory bounds = [validAfter, validBefore];
        for (uint256 i = 0; i < bounds.length; ++i) {
            vm.warp(bounds[i]);
            vm.expectRevert(
                abi.encodeWithSignature("ERC3009InvalidAuthorizationTime(uint256,uint256)", validAfter, validBefore)
            );
            submit(holder, signature);
        }
    }

    function test_When_TheSelectorsAreComparedWithUsdc() external pure {
        // it has those that x402 clients call
        bytes4 transfer =
            bytes4(keccak256("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"));
        bytes4 receive_ =
            bytes4(keccak256("receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"));
        assertEq(transfer, bytes4(0xcf092995));
        assertEq(receive_, bytes4(0x88b7ab63));
    }

    function test_When_ItIsCalledByRawSelector() external {
        // it answers to cf092995
        bytes memory signature = authorize("TransferWithAuthorization", holderKey, holder);
        (bool success,) = address(token)
            .call(abi.encodeWithSelector(0xcf092995, holder, payee, VALUE, validAfter, validBefore, NONCE, signature));
        assertTrue(success);
        assertEq(token.balanceOf(payee), VALUE);
    }

    function submit(address from, bytes memory signature) private {
        vm.prank(relayer);
        token.transferWithAuthorization(from, payee, VALUE, validAfter, validBefore, NONCE, signature);
    }
}
