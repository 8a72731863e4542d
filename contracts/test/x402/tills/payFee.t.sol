// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderTill} from "../../../src/x402/ITills.sol";
import {BlockingToken} from "../../doubles/BlockingToken.sol";
import {TillsTest} from "./TillsTest.sol";

contract PayFeeTest is TillsTest {
    function test_RevertWhen_NothingIsDue() external {
        // it reverts with NothingDue, also while the fee is less than one unit
        expect(IProviderTill.NothingDue.selector);
        till.payFee(address(token));
        receive_(49);
        expect(IProviderTill.NothingDue.selector);
        till.payFee(address(token));
    }

    function test_When_SomethingIsDue() external {
        // it goes to the platform's payee once, whoever asks
        receive_(1000);
        vm.expectEmit(address(till));
        emit IProviderTill.FeePaid(address(token), feePayee, 20);
        vm.prank(stranger);
        till.payFee(address(token));
        assertEq(token.balanceOf(feePayee), 20);
        expect(IProviderTill.NothingDue.selector);
        till.payFee(address(token));
    }

    function test_When_TheProviderCannotBePaid() external {
        // it pays the platform all the same
        BlockingToken other = new BlockingToken();
        other.mint(address(till), 1000);
        other.setBlocked(payout, true);
        vm.expectRevert("blocked");
        till.payProvider(address(other));
        till.payFee(address(other));
        assertEq(other.balanceOf(feePayee), 20);
    }

    function test_RevertWhen_ThePayeeIsTheTill() external {
        // it reverts with BadPayee
        vm.prank(admin);
        tills.setFeePayee(address(till));
        receive_(1000);
        vm.expectRevert(abi.encodeWithSelector(IProviderTill.BadPayee.selector, address(till)));
        till.payFee(address(token));
    }
}
