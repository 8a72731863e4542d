// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TokenTest} from "./TokenTest.sol";

contract MintTest is TokenTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", holder));
        vm.prank(holder);
        token.mint(holder, 1);
    }

    function test_When_ARoleHolderMints() external {
        // it makes new money of six decimals
        vm.prank(admin);
        token.mint(payee, 5);
        assertEq(token.balanceOf(payee), 5);
        assertEq(token.totalSupply(), PURSE + 5);
        assertEq(token.decimals(), 6);
        assertEq(token.symbol(), "GPU");
        assertEq(token.name(), "GPU Token");
    }
}
