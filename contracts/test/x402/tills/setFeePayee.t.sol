// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ITills} from "../../../src/x402/ITills.sol";
import {TillsTest} from "./TillsTest.sol";

contract SetFeePayeeTest is TillsTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", owner));
        vm.prank(owner);
        tills.setFeePayee(owner);
    }

    function test_RevertWhen_ItIsNobody() external {
        // it reverts with ZeroAddress
        expect(ITills.ZeroAddress.selector);
        vm.prank(admin);
        tills.setFeePayee(address(0));
    }

    function test_When_ARoleHolderNamesAnother() external {
        // it is paid from now on, by every till
        address next = makeAddr("next");
        vm.expectEmit(address(tills));
        emit ITills.FeePayeeChanged(next);
        vm.prank(admin);
        tills.setFeePayee(next);
        receive_(1000);
        till.payFee(address(token));
        assertEq(token.balanceOf(next), 20);
        assertEq(token.balanceOf(feePayee), 0);
    }
}
