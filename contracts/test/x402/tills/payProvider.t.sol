// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderTill} from "../../../src/x402/ITills.sol";
import {BlockingToken} from "../../doubles/BlockingToken.sol";
import {HookedToken} from "../../doubles/HookedToken.sol";
import {TillsTest} from "./TillsTest.sol";

contract PayProviderTest is TillsTest {
    function test_RevertWhen_NothingIsDue() external {
        // it reverts with NothingDue
        expect(IProviderTill.NothingDue.selector);
        till.payProvider(address(token));
    }

    function test_When_SomethingIsDue() external {
        // it goes to the payout address that the market names now, whoever asks
        receive_(1000);
        vm.expectEmit(address(till));
        emit IProviderTill.ProviderPaid(address(token), payout, 980);
        vm.prank(stranger);
        till.payProvider(address(token));
        assertEq(token.balanceOf(payout), 980);
        address next = makeAddr("next payout");
        vm.prank(owner);
        market.setPayout(next);
        receive_(1000);
        till.payProvider(address(token));
        assertEq(token.balanceOf(next), 980);
        assertEq(token.balanceOf(address(till)), 40, "the platform's part is left");
    }

    function test_RevertWhen_ItIsAskedAgain() external {
        // it reverts with NothingDue: the rest is the platform's
        receive_(1000);
        till.payProvider(address(token));
        expect(IProviderTill.NothingDue.selector);
        till.payProvider(address(token));
    }

    function test_RevertWhen_ThePayoutAddressIsTheTill() external {
        // it reverts with BadPayee: money that goes round would count twice
        vm.prank(owner);
        market.setPayout(address(till));
        receive_(1000);
        vm.expectRevert(abi.encodeWithSelector(IProviderTill.BadPayee.selector, address(till)));
        till.payProvider(address(token));
    }

    function test_When_ThePlatformCannotBePaid() external {
        // it pays the provider all the same
        BlockingToken other = new BlockingToken();
        other.mint(address(till), 1000);
        other.setBlocked(feePayee, true);
        vm.expectRevert("blocked");
        till.payFee(address(other));
        till.payProvider(address(other));
        assertEq(other.balanceOf(payout), 980);
    }

    function test_When_ATokenCallsBack() external {
        // it pays once
        HookedToken hooked = new HookedToken();
        hooked.mint(address(till), 1000);
        hooked.arm(address(till), abi.encodeCall(till.payProvider, (address(hooked))));
        till.payProvider(address(hooked));
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(payout), 980);
    }

    function test_When_TheMarketsFeeRises() external {
        // it is the fee of when the till was opened
        vm.prank(admin);
        market.setFee(500);
        receive_(1000);
        till.payProvider(address(token));
        assertEq(token.balanceOf(payout), 980);
    }
}
