// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ResolveDisputeTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        Terms memory t = disputed();
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", oracle));
        vm.prank(oracle);
        market.resolveDispute(t, 0, "");
    }

    function test_RevertWhen_TheJobIsNotDisputed() external {
        // it reverts with WrongStatus
        Terms memory t = completed();
        expectWrongStatus(t, Status.Ended);
        resolve(t, 0);
    }

    function test_RevertWhen_TheVerdictIsNoneOfThree() external {
        // it reverts with BadVerdict
        Terms memory t = disputed();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadVerdict.selector, 5001));
        resolve(t, 5001);
    }

    function test_RevertWhen_ItIsResolvedAlready() external {
        // it reverts with WrongStatus: one verdict, one bond
        Terms memory t = disputed();
        resolve(t, 0);
        expectWrongStatus(t, Status.Final);
        resolve(t, 0);
        skip(30 days);
        expectWrongStatus(t, Status.Final);
        market.settleDispute(t);
    }

    function test_When_TheRenterIsRight() external {
        // it takes what was paid under cover from the stake, and returns the pot and the bond
        Terms memory t = disputed();
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.DisputeResolved(jobId, admin, 0, 100 * SECOND, netOf(100 * SECOND), "bafyevidence");
        vm.expectEmit(address(market));
        emit IMarketEvents.JobFinalized(jobId, 0, 0);
        resolve(t, 0);
        assertEq(token.balanceOf(renter), PURSE);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND));
        assertEq(market.fees(), 0);
        assertEq(market.getResource(resourceId).stake, STAKE - netOf(100 * SECOND));
        assertEq(market.getResource(resourceId).tied, 0);
        assertEq(token.balanceOf(address(market)), STAKE - netOf(100 * SECOND));
        assertStatus(t, Status.Final);
        assertEq(market.getDispute(jobId).bond, 0);
        assertEq(market.getDispute(jobId).pot, 100 * SECOND);
    }

    function test_When_ItIsSplit() external {
        // it shares the pot, reckons the fee on what is left earned and returns the bond
        Terms memory t = disputed();
        resolve(t, 5000);
        assertEq(token.balanceOf(renter), PURSE - 50 * SECOND);
        assertEq(market.fees(), feeOf(50 * SECOND));
        uint256 fromCover = netOf(100 * SECOND) - netOf(50 * SECOND);
        assertEq(market.getResource(resourceId).stake, STAKE - fromCover);
        assertEq(token.balanceOf(address(market)), STAKE - fromCover + feeOf(50 * SECOND));
    }

    function test_When_TheProviderIsRight() external {
        // it leaves the job as it had ended and gives the renter's bond to the provider
        Terms memory t = disputed();
        resolve(t, 10_000);
        assertEq(token.balanceOf(renter), PURSE - 110 * SECOND);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND) + 10 * SECOND);
        assertEq(market.fees(), feeOf(100 * SECOND));
        assertEq(held(), market.fees());
        assertEq(market.getResource(resourceId).stake, STAKE);
    }

    function test_When_NothingWasPaidYet() external {
        // it pays the provider's part out of what is held
        Terms memory t = running();
        skip(5000);
        dispute(t, renter);
        uint256 earned = (1400 + 1800) * SECOND;
        vm.expectEmit(address(market));
        emit IMarketEvents.JobPaid(market.jobIdOf(t), 0, netOf(earned));
        resolve(t, 5000);
        assertEq(token.balanceOf(payout), netOf(earned));
        assertEq(token.balanceOf(renter), PURSE - earned);
        assertEq(market.fees(), feeOf(earned));
        assertEq(held(), market.fees());
        assertEq(jobOf(t).paidSeconds, 0);
    }

    function test_When_TheProviderDisputedAndIsWrong() external {
        // it gives the provider's bond to the renter
        Terms memory t = completed();
        byOwner(t);
        resolve(t, 0);
        assertEq(token.balanceOf(renter), PURSE + 10 * SECOND);
        assertEq(token.balanceOf(owner), 0);
    }

    function test_When_TheProviderDisputedAndIsNotWhollyWrong() external {
        // it returns the bond to the account that put it down
        Terms memory t = completed();
        byOwner(t);
        resolve(t, 5000);
        assertEq(token.balanceOf(owner), 10 * SECOND);
    }

    function test_When_TheResourceHasItsNextJob() external {
        // it takes no more than this job's tie
        stake(10 * SECOND);
        Terms memory t = disputed();
        Terms memory next = terms();
        next.salt = 2;
        create(next);
        accept(next);
        assertEq(jobOf(next).coverSeconds, 10);
        resolve(t, 0);
        assertEq(market.getResource(resourceId).tied, 10 * SECOND);
        assertGe(market.getResource(resourceId).stake, 10 * SECOND);
        assertBusy(true);
    }

    function byOwner(Terms memory t) private {
        vm.prank(admin);
        token.mint(owner, 10 * SECOND);
        vm.prank(owner);
        token.approve(address(market), 10 * SECOND);
        dispute(t, owner);
    }
}
