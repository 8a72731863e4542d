// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {TaxedToken} from "../doubles/TaxedToken.sol";

/// Tokens and payees that do not do what they are told.
contract TokensTest is MarketTest {
    function test_AFeeOnTransferTokenIsRefused() external {
        TaxedToken taxed = new TaxedToken();
        deployMarket(address(taxed));
        taxed.mint(renter, PURSE);
        vm.prank(renter);
        taxed.approve(address(market), PURSE);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongAmountReceived.selector, LOCKED, LOCKED - 1));
        create(terms());
    }

    function test_ABlockedProviderDoesNotBlockTheRefund() external {
        BlockingToken blocking = blockingMarket();
        Terms memory t = running();
        skip(100);
        blocking.setBlocked(payout, true);
        pay(t);
        skip(100);
        vm.prank(renter);
        market.stopJob(t);
        assertEq(blocking.balanceOf(renter), PURSE - 200 * SECOND);
        assertEq(market.credits(owner), netOf(200 * SECOND));
        vm.prank(owner);
        market.withdrawCredit(address(blocking), owner);
        assertEq(blocking.balanceOf(owner), netOf(200 * SECOND));
    }

    function test_ABlockedRenterDoesNotBlockThePay() external {
        BlockingToken blocking = blockingMarket();
        Terms memory t = running();
        skip(100);
        blocking.setBlocked(renter, true);
        complete(t, Outcome.Succeeded);
        assertEq(blocking.balanceOf(payout), netOf(100 * SECOND));
        assertEq(market.credits(renter), LOCKED - 100 * SECOND);
        assertStatus(t, Status.Ended);
        assertBusy(false);
    }

    function test_ABlockedCreditStaysItsOwners() external {
        BlockingToken blocking = blockingMarket();
        Terms memory t = created();
        blocking.setBlocked(renter, true);
        vm.startPrank(renter);
        market.cancelJob(t);
        vm.expectRevert();
        market.withdrawCredit(address(blocking), renter);
        assertEq(market.credits(renter), LOCKED);
    }

    function test_ADonationIsOutOfReach() external {
        vm.prank(renter);
        token.transfer(address(market), 12_345);
        Terms memory t = settled();
        vm.prank(admin);
        market.withdrawFees(admin);
        assertEq(held(), 12_345);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND));
        assertStatus(t, Status.Final);
    }

    function blockingMarket() private returns (BlockingToken blocking) {
        blocking = new BlockingToken();
        deployMarket(address(blocking));
        blocking.mint(renter, PURSE);
        vm.prank(renter);
        blocking.approve(address(market), PURSE);
        stake(STAKE);
    }
}
