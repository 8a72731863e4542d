// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract WithdrawCreditTest is MarketTest {
    function test_RevertWhen_TheTokenIsAnother() external {
        // it reverts with WrongToken
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongToken.selector, stranger));
        market.withdrawCredit(stranger, stranger);
    }

    function test_RevertWhen_TheTargetIsZero() external {
        // it reverts with ZeroAddress
        expect(IMarketErrors.ZeroAddress.selector);
        market.withdrawCredit(address(token), address(0));
    }

    function test_RevertWhen_TheCallerHasNoCredit() external {
        // it reverts with NothingDue
        expect(IMarketErrors.NothingDue.selector);
        vm.prank(stranger);
        market.withdrawCredit(address(token), stranger);
    }

    function test_When_AnEarlierTransferFailed() external {
        // it sends the provider's credit once, to any address that its owner names
        Terms memory t = running();
        skip(100);
        vm.mockCallRevert(address(token), abi.encodeCall(token.transfer, (payout, netOf(100 * SECOND))), "blocked");
        vm.expectEmit(address(market));
        emit IMarketEvents.Credited(owner, netOf(100 * SECOND));
        complete(t, Outcome.Succeeded);
        assertEq(token.balanceOf(renter), PURSE - 100 * SECOND);
        assertEq(market.credits(owner), netOf(100 * SECOND));
        vm.expectEmit(address(market));
        emit IMarketEvents.CreditWithdrawn(owner, stranger, netOf(100 * SECOND));
        vm.startPrank(owner);
        market.withdrawCredit(address(token), stranger);
        assertEq(token.balanceOf(stranger), netOf(100 * SECOND));
        assertEq(market.credits(owner), 0);
        expect(IMarketErrors.NothingDue.selector);
        market.withdrawCredit(address(token), stranger);
    }
}
