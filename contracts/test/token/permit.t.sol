// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TokenTest} from "./TokenTest.sol";

contract PermitTest is TokenTest {
    function test_When_TheHolderSigned() external {
        // it allows the spender
        (uint8 v, bytes32 r, bytes32 s) = signPermit(holderKey);
        token.permit(holder, payee, VALUE, validBefore, v, r, s);
        assertEq(token.allowance(holder, payee), VALUE);
    }

    function test_RevertWhen_ItIsUsedTwice() external {
        // it reverts: the nonce has moved on
        (uint8 v, bytes32 r, bytes32 s) = signPermit(holderKey);
        token.permit(holder, payee, VALUE, validBefore, v, r, s);
        vm.expectPartialRevert(bytes4(keccak256("ERC2612InvalidSigner(address,address)")));
        token.permit(holder, payee, VALUE, validBefore, v, r, s);
    }

    function signPermit(uint256 key) private view returns (uint8, bytes32, bytes32) {
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, holder, payee, VALUE, token.nonces(holder), validBefore));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
